import { BridgeOptionsError } from '@turnwire/bridge';
import { parseBaseUrl } from '@turnwire/bridge/internal/options';
import { createHttpTransport, type HttpTransport } from '@turnwire/client/internal/transport/http';
import { visible } from '@turnwire/wire/internal/base/printable';
import { askWhich, askYes } from '../ask.ts';
import { canAsk } from '../ask-line.ts';
import type { CliContext } from '../context.ts';
import { UsageError } from '../exit.ts';
import { proxyFromEnv } from '../proxy.ts';
import { findUpstreams, type FoundUpstreams, type UpstreamFlags, type UpstreamQuestion } from '../upstream-flags.ts';
import { askModels, type ListedModel } from './ask-models.ts';
import { findLocalServers, localServers, type FoundServer, type LocalServer } from './local-servers.ts';

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
}

/**
 * The servers that the flags or a configuration file name, else one that runs on this machine; then the model. Asks on the
 * terminal where there is a choice. Dead servers are told within three seconds.
 *
 * @throws UsageError where nothing is named and nothing found, or where there is a choice and nobody to ask; ModelError for a
 * server that does not answer, wants a key, or is no model server
 */
export async function chooseServer(
  flags: UpstreamFlags & { readonly contextWindow?: number },
  options: ChooseServerOptions,
  cli: CliContext,
): Promise<ModelServer> {
  const transport = createHttpTransport({ proxy: proxyFromEnv(cli.env) });
  try {
    const named = await findUpstreams(flags, options, cli);
    const { upstreams, models } =
      named === undefined
        ? await findHere(transport, options, cli)
        : { upstreams: named, models: await modelsOf(named, transport) };
    const model = flags.model ?? upstreams.model ?? (await pickModel(models, upstreams, cli));
    const contextWindow = flags.contextWindow ?? upstreams.contextWindow ?? windowOf(model, models);
    return { upstreams, model, ...(contextWindow === undefined ? {} : { contextWindow }) };
  } finally {
    await transport.close();
  }
}

interface Found {
  readonly upstreams: FoundUpstreams;
  readonly models: readonly ListedModel[];
}

async function findHere(transport: HttpTransport, options: ChooseServerOptions, cli: CliContext): Promise<Found> {
  const candidates = options.candidates ?? localServers;
  const found = await findLocalServers(transport, candidates);
  const server = await pickServer(found, candidates, options.command, cli);
  return { upstreams: { upstreams: [{ url: server.baseUrl }] }, models: server.models };
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

/**
 * What all servers have together.
 *
 * @throws ModelError when none of them tells; UsageError for what is no address
 */
async function modelsOf(upstreams: FoundUpstreams, transport: HttpTransport): Promise<readonly ListedModel[]> {
  const asked = await Promise.allSettled(
    upstreams.upstreams.map(async ({ url, keys, ...own }) => {
      const key = keys === undefined ? upstreams.apiKey : keys[0]?.key;
      const { wire = upstreams.wire } = own;
      return askModels(baseUrlOf(url), { ...own, wire, ...(key === undefined ? {} : { key }) }, transport);
    }),
  );
  const lists = asked.filter((answer) => answer.status === 'fulfilled').map(({ value }) => value);
  const [failed] = asked.filter((answer) => answer.status === 'rejected');
  if (lists.length === 0 && failed !== undefined) throw failed.reason;
  return [...new Map(lists.flat().map((model) => [model.id, model])).values()];
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
  { upstreams }: FoundUpstreams,
  cli: CliContext,
): Promise<string> {
  const [first] = models;
  const where = upstreams.map(({ url }) => url).join(', ');
  if (first === undefined) {
    throw new UsageError(`${where} lists no model: if it is a model server at all, name one with --model NAME`);
  }
  if (models.length === 1) return first.id;
  if (canAsk(cli)) return (await askWhich(cli, `${where} has several models:`, models, ({ id }) => visible(id))).id;
  throw new UsageError(
    `${where} has several models: name one with --model NAME (${models.map(({ id }) => visible(id)).join(', ')})`,
  );
}

/** A server with one model answers with it whatever it is called. */
function windowOf(model: string, models: readonly ListedModel[]): number | undefined {
  const listed = models.find(({ id }) => id === model) ?? (models.length === 1 ? models[0] : undefined);
  return listed?.contextWindow;
}
