import { isObject, nonEmpty, type JsonObject } from '@turnwire/wire/internal/base/json';
import { badRequest } from '../reply/api-error.ts';
import { sendJson } from '../reply/reply-writer.ts';
import { bodyOf } from '../request/request-body.ts';
import type { SearchSettings } from '../options.ts';
import { searchWeb, type WebQuery, type WebResult } from '../upstream/search-engine.ts';
import { clientGone } from './client-gone.ts';
import type { ApiRequest, Handler } from './handler.ts';
import { refuse } from './refuse.ts';

/** Searches of one request, and results of one search. */
const MAX_QUERIES = 8;
const MAX_RESULTS = 10;
/** Tokens of an answer where the request does not say, and characters of a token. */
const TOKENS = 10_000;
const CHARACTERS = 4;

/**
 * `POST /v1/alpha/search`: what Codex asks for its tool `web.run` (0.146 and later). Searches are made; the other commands, such as opening a page,
 * are not: the answer says so. What failed is told to the model, which can go on, where an error would end its tool.
 */
export const search: Handler = async (request) => {
  const { context, exchange, res } = request;
  const { search: engine, bodyLimit } = context.settings;
  if (engine === undefined) {
    const message = 'no search engine is configured: start the bridge with --search-url';
    refuse(request, badRequest(message, { status: 404, code: 'search_not_configured' }));
    return;
  }
  const read = await bodyOf(request, bodyLimit);
  if ('refusal' in read) {
    refuse(request, read.refusal);
    return;
  }
  exchange.onRequest({ route: 'search', wire: undefined, size: read.size, body: () => read.body });
  sendJson(res, 200, JSON.stringify({ output: await outputOf(request, engine, read.body) }));
  exchange.onEnd({ how: 'completed' });
};

async function outputOf(request: ApiRequest, engine: SearchSettings, body: JsonObject): Promise<string> {
  const commands = isObject(body.commands) ? body.commands : {};
  const queries = queriesOf(commands, allowedIn(body.settings));
  const signal = clientGone(request.res);
  const found = await Promise.all(queries.map((query) => foundBy(request, engine, query, signal)));
  const others = Object.keys(commands).filter((name) => name !== 'search_query' && name !== 'response_length');
  const text = [...found.map((one, place) => `${one(place)}\n`), ...others.map(notServed)].join('\n').trim();
  const tokens = typeof body.max_output_tokens === 'number' ? body.max_output_tokens : TOKENS;
  return (text === '' ? 'There was nothing to search for.' : text).slice(0, Math.max(1, tokens) * CHARACTERS);
}

/** What is told of one search, whose results are named after its place. */
type Told = (place: number) => string;

async function foundBy(
  { context, id }: ApiRequest,
  engine: SearchSettings,
  query: WebQuery,
  signal: AbortSignal,
): Promise<Told> {
  try {
    const results = await searchWeb(engine, query, { transport: context.transport, signal });
    return (place) => listOf(query, results.slice(0, MAX_RESULTS), place);
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown';
    context.log.warn({ request: id, error: why }, 'a web search failed');
    return () => `The search for "${query.text}" failed: ${why}`;
  }
}

function listOf({ text }: WebQuery, results: readonly WebResult[], place: number): string {
  if (results.length === 0) return `Nothing was found for "${text}".`;
  const lines = results.map(({ title, url, snippet }, n) => `[turn${place}search${n}] ${title}\n${url}\n${snippet}`);
  return `Results for "${text}":\n\n${lines.join('\n\n')}`;
}

function notServed(command: string): string {
  return `The command ${command} is not served here, but search_query is. A page can be read with a command of the shell, by its address.`;
}

function queriesOf({ search_query: asked }: JsonObject, allowed: readonly string[]): readonly WebQuery[] {
  const queries = Array.isArray(asked) ? asked.filter(isObject).slice(0, MAX_QUERIES) : [];
  return queries.flatMap(({ q, recency, domains }) => {
    const text = nonEmpty(q);
    if (text === undefined) return [];
    const own = textsOf(domains);
    return [{ text, days: typeof recency === 'number' ? recency : undefined, domains: own.length > 0 ? own : allowed }];
  });
}

/** The domains that the client's configuration allows. */
function allowedIn(settings: unknown): readonly string[] {
  return isObject(settings) && isObject(settings.filters) ? textsOf(settings.filters.allowed_domains) : [];
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string' && one !== '') : [];
}
