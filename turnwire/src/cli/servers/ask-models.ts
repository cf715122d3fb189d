import type { UpstreamKey, UpstreamOptions } from '@turnwire/bridge';
import { learnFacts, listModels, type AskedServer } from '@turnwire/bridge/internal/upstream/server-models';
import { createProvider } from '@turnwire/client/internal/provider/provider';
import type { HttpTransport } from '@turnwire/client/internal/transport/http';
import { ModelError } from '@turnwire/wire/internal/model/errors';
import { isAnthropicHost } from '@turnwire/wire/internal/quirks';
import { problemOf } from './server-problem.ts';

/** A model that a server has. */
export interface ListedModel {
  readonly id: string;
  /** Other names that its server takes for it. */
  readonly aliases: readonly string[];
  /** Tokens; absent where the server does not tell. */
  readonly contextWindow?: number;
}

/** How a server answered the question for its models. */
export interface ToldModels {
  /** None where it has no list of them. */
  readonly models: readonly ListedModel[];
  /** It has a web page there. */
  readonly isPage: boolean;
}

/** Stands for the key in the question; its value comes from the bridge's own options. */
const KEY = 'UPSTREAM_KEY';

/**
 * The models of a server as a bridge with these options would ask it.
 *
 * @param baseUrl - with `/v1`
 * @param signal - ends the question early. Without it a server has 3 s for each answer
 * @throws ServerProblem or ModelError with the address in it
 */
export async function askModels(
  baseUrl: string,
  options: Pick<UpstreamOptions, 'wire' | 'upstreamHeaders' | 'upstreamQuery'> & Partial<UpstreamKey>,
  transport: HttpTransport,
  signal: AbortSignal = new AbortController().signal,
): Promise<ToldModels> {
  const { wire = 'auto', key, source, upstreamHeaders, upstreamQuery } = options;
  const provider = createProvider({
    name: 'upstream',
    baseUrl,
    // The list is the same on every wire; the header of the key is not.
    wireApi: wire === 'auto' ? (isAnthropicHost(baseUrl) ? 'messages' : 'chat') : wire,
    envKey: key === undefined ? undefined : KEY,
    httpHeaders: upstreamHeaders,
    queryParams: upstreamQuery,
  });
  try {
    return await askServer({ transport, provider, getEnv: () => key?.(), signal });
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    const keySource = source ?? (key === undefined ? undefined : 'its configuration');
    throw await problemOf(error, { baseUrl, keySource, transport, signal });
  }
}

/**
 * The models of a server with their windows, within some seconds.
 *
 * @throws ModelError when it cannot be reached, does not answer in time, or refuses to tell
 */
export async function askServer(server: AskedServer): Promise<ToldModels> {
  const told = await listModels(server);
  const listed = typeof told === 'object' ? told : [];
  const learned = await learnFacts(server, listed);
  const models = listed.map(({ id, aliases, facts }): ListedModel => {
    const { contextWindow } = { ...facts, ...learned.get(id) };
    return { id, aliases, ...(contextWindow === undefined ? {} : { contextWindow }) };
  });
  return { models, isPage: told === 'page' };
}
