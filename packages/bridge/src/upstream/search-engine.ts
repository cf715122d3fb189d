import type { HttpTransport } from '@turnwire/client/internal/transport/http';
import { isObject, nonEmpty, type JsonObject } from '@turnwire/wire/internal/base/json';
import type { SearchSettings } from '../options.ts';
import { readJson } from './read-json.ts';

/** One search. */
export interface WebQuery {
  readonly text: string;
  /** At most so many days old. */
  readonly days: number | undefined;
  /** Hosts of which the pages have to be, with those below them; empty: any. */
  readonly domains: readonly string[];
}

/** A page that was found. */
export interface WebResult {
  readonly title: string;
  readonly url: string;
  readonly snippet: string;
}

/** How an engine is asked, and what of its answer is a result. */
interface Engine {
  readonly path: string;
  readonly fixed: Readonly<Record<string, string>>;
  /** The parameter for how old a page may be, and its words for a day, a week, a month and a year. */
  readonly age: readonly [name: string, day: string, week: string, month: string, year: string];
  readonly keyHeader: string;
  resultsOf(answer: JsonObject): unknown;
  /** Members of a result: its text. */
  readonly snippet: string;
}

/** https://docs.searxng.org/dev/search_api.html; the server has to allow `format: json`. */
const searxng: Engine = {
  path: 'search',
  fixed: { format: 'json' },
  age: ['time_range', 'day', 'week', 'month', 'year'],
  keyHeader: 'authorization',
  resultsOf: ({ results }) => results,
  snippet: 'content',
};

/** https://api-dashboard.search.brave.com/app/documentation/web-search */
const brave: Engine = {
  path: 'res/v1/web/search',
  fixed: {},
  age: ['freshness', 'pd', 'pw', 'pm', 'py'],
  keyHeader: 'x-subscription-token',
  resultsOf: ({ web }) => (isObject(web) ? web.results : []),
  snippet: 'description',
};

function engineOf(url: URL): Engine {
  return url.hostname.endsWith('search.brave.com') ? brave : searxng;
}

/** How long an engine may take, in milliseconds, and how much of its answer is read, in bytes. */
const SEARCH_MS = 20_000;
const ANSWER_BYTES = 4 * 1024 * 1024;

/**
 * Asks the engine.
 *
 * @throws ModelError where it cannot be reached, Error where it answers with something else than results; neither has the key in it
 */
export async function searchWeb(
  { url: base, key }: SearchSettings,
  query: WebQuery,
  { transport, signal }: { readonly transport: HttpTransport; readonly signal: AbortSignal },
): Promise<readonly WebResult[]> {
  const url = new URL(base.replace(/\/?$/, '/'));
  const engine = engineOf(url);
  const secret = key?.();
  const response = await transport.send({
    method: 'GET',
    url: addressOf(engine, url, query),
    headers: { accept: 'application/json', ...(secret === undefined ? {} : { [engine.keyHeader]: secret }) },
    signal,
    timers: { connectMs: SEARCH_MS, totalMs: SEARCH_MS },
  });
  const answer = await readJson(response, ANSWER_BYTES);
  if (response.status !== 200) throw new Error(`the search engine answered with status ${response.status}`);
  const results = isObject(answer) ? engine.resultsOf(answer) : undefined;
  if (!Array.isArray(results)) throw new Error('the search engine answered with something else than results');
  return results
    .filter(isObject)
    .flatMap((one) => resultOf(one, engine))
    .filter(({ url: page }) => isOf(page, query.domains));
}

function addressOf({ path, fixed, age }: Engine, base: URL, { text, days, domains }: WebQuery): URL {
  const url = new URL(path, base);
  const sites = domains.map((domain) => `site:${domain}`).join(' OR ');
  const [name, day, week, month, year] = age;
  const span = days === undefined ? undefined : days <= 1 ? day : days <= 7 ? week : days <= 31 ? month : year;
  const all = {
    ...fixed,
    q: sites === '' ? text : `${text} (${sites})`,
    ...(span === undefined ? {} : { [name]: span }),
  };
  for (const [key, value] of Object.entries(all)) url.searchParams.set(key, value);
  return url;
}

function resultOf(found: JsonObject, { snippet }: Engine): WebResult[] {
  const url = nonEmpty(found.url);
  if (url === undefined || !/^https?:/.test(url)) return [];
  return [{ url, title: plain(found.title), snippet: plain(found[snippet]) }];
}

/** Engines mark the words that were searched for. */
function plain(value: unknown): string {
  return (nonEmpty(value) ?? '')
    .replace(/<\/?(?:strong|b|em|mark)>/gi, '')
    .replace(/\s+/g, ' ')
    .trim();
}

function isOf(page: string, domains: readonly string[]): boolean {
  const host = URL.parse(page)?.hostname ?? '';
  return domains.length === 0 || domains.some((domain) => host === domain || host.endsWith(`.${domain}`));
}
