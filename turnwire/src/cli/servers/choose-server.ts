import { BridgeOptionsError, type ModelMapRow } from '@turnwire/bridge';
import { parseBaseUrl } from '@turnwire/bridge/internal/options';
import { mapModel } from '@turnwire/bridge/internal/upstream/model-map';
import { createHttpTransport, type HttpTransport } from '@turnwire/client/internal/transport/http';
import { visible } from '@turnwire/wire/internal/base/printable';
import { askWhich, askYes } from '../ask.ts';
import { canAsk } from '../ask-line.ts';
import type { CliContext } from '../context.ts';
import { UsageError } from '../exit.ts';
import { proxyFromEnv } from '../proxy.ts';
import { findUpstreams, type FoundUpstreams, type UpstreamFlags, type UpstreamQuestion } from '../upstream-flags.ts';
import { askModels, type ListedModel, type ToldModels } from './ask-models.ts';
import { checkModel, type ServerModels } from './check-model.ts';
import { onceLoaded } from './once-loaded.ts';
import { findLocalServers, localServers, type FoundServer, type LocalServer } from './local-servers.ts';
import { shortLabelOf } from './server-problem.ts';

/** The model servers that a client will talk to, and what it has to know of them. */
export interface ModelServer {
  /** For the bridge: addresses, wire, key, and what a provider's table says. */
  readonly upstreams: FoundUpstreams;
  readonly model: string;
  /** Tokens; absent where neither a flag nor the server tells. */
  readonly contextWindow?: number;
}

export interface ChooseServerOptions extends UpstreamQuestion {
  /** What is looked for when no server is named. Default: {@link localServers}. */
  readonly candidates?: readonly LocalServer[];
  /** Other names of models, as the bridge will have them. Default: none. */
  readonly modelMap?: readonly ModelMapRow[];
}

/**
 * The servers that the flags or a configuration file name, else one that runs on this machine; then the model. Asks on the
 * terminal where there is a choice. Dead servers are told within three seconds; one of several that is, is a note.
 *
 * @throws UsageError where nothing is named and nothing found, where there is a choice and nobody to ask, or where no server has
 * the model; ServerProblem or ModelError for a server that does not answer, or wants a key
 */
export async function chooseServer(
  flags: UpstreamFlags & { readonly contextWindow?: number },
  options: ChooseServerOptions,
  cli: CliContext,
): Promise<ModelServer> {
  const transport = createHttpTransport({ proxy: proxyFromEnv(cli.env) });
  const note = (text: string): void => void cli.stderr.write(`${options.command}: note: ${text}\n`);
  try {
    const named = await findUpstreams(flags, options, cli);
    const { upstreams, servers } =
      named === undefined
        ? await findHere(transport, options, cli)
        : { upstreams: named, servers: await askEach(named, transport, note) };
    const models = modelsIn(servers);
    for (const { failure } of servers) if (failure !== undefined) note(failure.message);
    const asked = flags.model ?? upstreams.model;
    const model = asked ?? (await pickModel(models, servers, cli));
    for (const { label, isPage } of servers) {
      if (isPage === true && asked !== undefined)
        note(`${label} has a web page in place of its models: is that a model server?`);
    }
    if (asked !== undefined) checkModel(mapModel(options.modelMap ?? [], asked), servers, note);
    const contextWindow = flags.contextWindow ?? upstreams.contextWindow ?? windowOf(model, models);
    return { upstreams, model, ...(contextWindow === undefined ? {} : { contextWindow }) };
  } finally {
    await transport.close();
  }
}

interface Found {
  readonly upstreams: FoundUpstreams;
  readonly servers: readonly ServerModels[];
}

async function findHere(transport: HttpTransport, options: ChooseServerOptions, cli: CliContext): Promise<Found> {
  const candidates = options.candidates ?? localServers;
  const found = await findLocalServers(transport, candidates);
  const server = await pickServer(found, candidates, options.command, cli);
  const { baseUrl: url, models } = server;
  return { upstreams: { upstreams: [{ url }] }, servers: [{ label: shortLabelOf(url), models }] };
}

async function pickServer(
  found: readonly FoundServer[],
  candidates: readonly LocalServer[],
  command: string,
  cli: CliContext,
): Promise<FoundServer> {
  const [first] = found;
  if (first === undefined) {
    throw new UsageError(
      `no model server was found (tried ${candidates.map(called).join(', ')}): start one, or name yours with --upstream URL`,
    );
  }
  if (found.length === 1) {
    if (!canAsk(cli)) {
      cli.stderr.write(`${command}: using ${called(first)}\n`);
      return first;
    }
    if (await askYes(cli, `Use ${described(first)}?`)) return first;
    throw new UsageError('no model server: name yours with --upstream URL');
  }
  if (!canAsk(cli)) {
    throw new UsageError(
      `several model servers run here: name one with --upstream URL (${found.map(called).join(', ')})`,
    );
  }
  return await askWhich(cli, 'Several model servers run here:', found, described);
}

const called = ({ name, baseUrl }: LocalServer): string => `${name} at ${baseUrl}`;

function described(server: FoundServer): string {
  const names = server.models.map(({ id }) => visible(id));
  const more = names.length > 3 ? `, ${names.length - 3} more` : '';
  return `${called(server)} (${names.slice(0, 3).join(', ')}${more})`;
}

/** What all servers have together. */
function modelsIn(servers: readonly ServerModels[]): readonly ListedModel[] {
  return [...new Map(servers.flatMap(({ models }) => models).map((model) => [model.id, model])).values()];
}

/** What each server has, or why it does not tell; where none does, the first one's failure is thrown. */
async function askEach(
  upstreams: FoundUpstreams,
  transport: HttpTransport,
  note: (text: string) => void,
): Promise<readonly ServerModels[]> {
  const { apiKey: key, apiKeySource: source, wire: usual } = upstreams;
  const asked = upstreams.upstreams.map(async ({ url, keys, ...own }): Promise<ServerModels> => {
    const baseUrl = baseUrlOf(url);
    const one = keys?.[0] ?? { ...(key === undefined ? {} : { key }), source: own.apiKeySource ?? source };
    const about = { label: shortLabelOf(baseUrl), patterns: own.models };
    const ask = (): Promise<ToldModels> => askModels(baseUrl, { wire: usual, ...own, ...one }, transport);
    const onWait = (): void => note(`${about.label} still loads its model: it is waited for (Ctrl-C ends this)`);
    try {
      return { ...about, ...(await onceLoaded(ask, onWait)) };
    } catch (error) {
      return { ...about, models: [], failure: error instanceof Error ? error : new Error(String(error)) };
    }
  });
  const servers = await Promise.all(asked);
  const [first] = servers;
  if (first?.failure !== undefined && servers.every(({ failure }) => failure !== undefined)) throw first.failure;
  return servers;
}

function baseUrlOf(address: string): string {
  try {
    return parseBaseUrl(address);
  } catch (error) {
    throw error instanceof BridgeOptionsError ? new UsageError(error.message, { cause: error }) : error;
  }
}

async function pickModel(
  models: readonly ListedModel[],
  servers: readonly ServerModels[],
  cli: CliContext,
): Promise<string> {
  const [first] = models;
  const where = servers.map(({ label }) => label).join(' and ');
  const verb = (one: string, several: string): string => `${where} ${servers.length === 1 ? one : several}`;
  if (first === undefined) {
    const what = servers.every(({ isPage }) => isPage === true)
      ? verb('has a web page in place of its models: is that', 'have web pages in place of their models: is one')
      : verb('tells of no model at /v1/models: is that', 'tell of no model at /v1/models: is one');
    throw new UsageError(`${what} a model server, on this port? If it is, name its model with --model NAME`);
  }
  if (models.length === 1) return first.id;
  const intro = verb('has several models', 'have several models');
  if (canAsk(cli)) return (await askWhich(cli, `${intro}:`, models, ({ id }) => visible(id))).id;
  throw new UsageError(`${intro}: name one with --model NAME (${models.map(({ id }) => visible(id)).join(', ')})`);
}

/** A server with one model answers with it whatever it is called. */
function windowOf(model: string, models: readonly ListedModel[]): number | undefined {
  const listed = models.find(({ id }) => id === model) ?? (models.length === 1 ? models[0] : undefined);
  return listed?.contextWindow;
}
