import { isWebPage } from '@turnwire/wire/internal/read/refusal';
import type { ProviderConfig } from '@turnwire/client/internal/provider/provider';
import { requestHeaders, requestUrl, type GetEnv } from '@turnwire/client/internal/provider/provider-request';
import type { HttpTransport } from '@turnwire/client/internal/transport/http';
import { isObject, nonEmpty, type JsonObject } from '@turnwire/wire/internal/base/json';
import { readRefusal } from '@turnwire/wire/internal/model/classify';
import type { ModelFacts } from '../options.ts';
import { factsIn, kinds } from './model-facts.ts';
import { readJson } from './read-json.ts';

/** A server that is asked about its models. */
export interface AskedServer {
  readonly transport: HttpTransport;
  readonly provider: ProviderConfig;
  readonly getEnv: GetEnv;
  readonly signal: AbortSignal;
}

/** A model as its server tells of it. */
export interface ServerModel {
  readonly id: string;
  /** Other names that its server takes for it. */
  readonly aliases: readonly string[];
  /** Its entry in the server's list, as it came. */
  readonly entry: JsonObject;
  readonly facts: ModelFacts;
}

/** How long a server may take to tell of its models, in milliseconds. */
export const ASK_MS = 3000;
/** The part of it after which a server that takes the connection and says nothing is told as one that does. */
const ANSWER_MS = 2500;
/** Longer answers are no lists. */
const LIMIT_BYTES = 8 * 1024 * 1024;
/** More models than any server has. */
const MAX_MODELS = 10_000;
const MAX_ID = 500;

/** What a server told when it was asked for its models: `page` is a web page, undefined that it has no list, or names none on it. */
export type ToldModels = readonly ServerModel[] | 'page' | undefined;

/**
 * The models of a server, from its `/v1/models`.
 *
 * @throws ModelError when it cannot be reached, does not answer within 3 s, or refuses to tell
 */
export async function listModels(server: AskedServer): Promise<ToldModels> {
  const { status, body, isPage } = await ask(server, 'models');
  if (isPage) return 'page';
  if (status === 404 || status === 405 || status === 501) return undefined;
  if (status < 200 || status >= 300) {
    throw readRefusal(body, {
      status,
      fallbackMessage: `the request for the list of models was answered with ${status}`,
    });
  }
  const list = isObject(body) && Array.isArray(body.data) ? body.data : body;
  const models = (Array.isArray(list) ? list : []).slice(0, MAX_MODELS).flatMap(modelsIn);
  return models.length === 0 ? undefined : models;
}

/** A model of which no more is known than its name. */
export function modelNamed(id: string): ServerModel {
  return { id, aliases: [], entry: { id, object: 'model', created: 0, owned_by: 'turnwire' }, facts: {} };
}

function modelsIn(entry: unknown): readonly ServerModel[] {
  const id = isObject(entry) ? nonEmpty(entry.id) : undefined;
  if (!isObject(entry) || id === undefined || id.length > MAX_ID) return [];
  const aliases = Array.isArray(entry.aliases) ? entry.aliases.filter((name) => typeof name === 'string') : [];
  return [{ id, aliases, entry, facts: factsIn(entry) }];
}

/** So many models are asked about one by one. */
const MAX_ASKED = 50;

/**
 * What a server tells of its models beside its list, by their ids, where it is of a kind that does. Never fails: what is not
 * told in some seconds is not known.
 */
export async function learnFacts(
  server: AskedServer,
  models: readonly ServerModel[],
): Promise<ReadonlyMap<string, ModelFacts>> {
  const kind = kinds.find((one) => models.some(({ entry }) => one.lists(entry)));
  if (kind === undefined) return new Map();
  const { path, each } = kind;
  const all = askAtRoot(server, path);
  const learned = models.slice(0, MAX_ASKED).map(async ({ id }) => {
    const one = each === undefined ? {} : await askAtRoot(server, each.path, each.body(id));
    return [id, kind.facts(id, await all, one)] as const;
  });
  return new Map(await Promise.all(learned));
}

async function askAtRoot(server: AskedServer, path: string, body?: JsonObject): Promise<JsonObject> {
  const answer = await ask(atRoot(server), path, body).catch(() => undefined);
  return answer !== undefined && answer.status < 300 && isObject(answer.body) ? answer.body : {};
}

/** What is below the address itself, not below its `/v1`. */
function atRoot(server: AskedServer): AskedServer {
  const url = new URL(server.provider.baseUrl);
  url.pathname = url.pathname.replace(/\/v1\/?$/, '/');
  return { ...server, provider: { ...server.provider, baseUrl: url.href } };
}

interface Answer {
  readonly status: number;
  readonly isPage: boolean;
  readonly body: unknown;
}

async function ask(
  { transport, provider, getEnv, signal }: AskedServer,
  path: string,
  body?: JsonObject,
): Promise<Answer> {
  const response = await transport.send({
    method: body === undefined ? 'GET' : 'POST',
    url: requestUrl(provider, path),
    headers: {
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...requestHeaders(provider, getEnv),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal,
    timers: { connectMs: ANSWER_MS, firstByteMs: ANSWER_MS, totalMs: ASK_MS },
  });
  return { status: response.status, isPage: isWebPage(response), body: await readJson(response, LIMIT_BYTES) };
}
