import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import { isLoopback } from '@turnwire/client/internal/platform/local-only';
import { badRequest, usualForm, type ApiError } from '../reply/api-error.ts';
import { sendError, sendJson } from '../reply/reply-writer.ts';
import type { RecordsMessage } from './api.ts';
import { curlOf } from './curl.ts';
import { Feed } from './feed.ts';
import { LinkToken } from './link-token.ts';
import { ListSource, RecordsSource } from './messages.ts';
import type { PageFile, TapeMaker } from './page.ts';
import type { ExchangeSource } from './source.ts';

/** What an inspector shows, and to whom. */
export interface InspectorOptions {
  readonly source: ExchangeSource;
  readonly page: readonly PageFile[];
  /** In the link to the page. */
  readonly token: string;
  readonly clock: Clock;
  readonly toTape: TapeMaker;
}

/** One request for the page, or what it shows. */
export interface InspectRequest {
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly res: ServerResponse;
}

/** Pages that may be open at one time. */
const MOST_FEEDS = 64;

/** Nothing but what the page itself brought, and nobody may frame it. */
const SECURITY = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'cache-control': 'no-store',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

/** Serves the page and what it shows, below `/inspect/`. `Host` and `Origin` are the business of whoever has the server. */
export class Inspector {
  readonly #options: InspectorOptions;
  readonly #token: LinkToken;
  readonly #files: ReadonlyMap<string, PageFile>;
  #feeds = 0;

  constructor(options: InspectorOptions) {
    this.#options = options;
    this.#token = new LinkToken(options.token);
    this.#files = new Map(options.page.map((file) => [file.path === 'index.html' ? '' : file.path, file]));
  }

  /** Path and query of the link. */
  get link(): string {
    return `/inspect/?token=${this.#options.token}`;
  }

  /** Answers a request. Rejects for a file of the past that cannot be read, while nothing was written. */
  async serve(request: InspectRequest): Promise<void> {
    const { url, headers, res } = request;
    for (const [name, value] of Object.entries(SECURITY)) res.setHeader(name, value);
    const token = this.#token.state(url, headers);
    if (!isLoopback(peerOf(res))) refuse(res, notHere());
    else if (token === 'missing') refuse(res, wantsLink());
    else if (token === 'in_link') {
      res.writeHead(303, { location: '/inspect/', 'set-cookie': this.#token.cookieFor(headers) }).end();
    } else await this.#route(request);
  }

  async #route({ url, res }: InspectRequest): Promise<void> {
    const [path = '', query = ''] = url.split('?', 2);
    const name = path.replace(/^\/inspect\/?/, '');
    const file = this.#files.get(name);
    const [api, exchanges, id, form, ...rest] = name.split('/');
    if (file !== undefined) res.writeHead(200, { 'content-type': file.type }).end(file.bytes);
    else if (api !== 'api' || exchanges !== 'exchanges' || rest.length > 0) refuse(res, notThere(path));
    else if (id === undefined) this.#list(res, isOnce(query));
    else await this.#exchange(res, id, form, isOnce(query));
  }

  #list(res: ServerResponse, once: boolean): void {
    const list = new ListSource(this.#options.source);
    if (once) sendJson(res, 200, JSON.stringify(list.message(Infinity)));
    else this.#feed(res, list);
  }

  async #exchange(res: ServerResponse, id: string, form: string | undefined, once: boolean): Promise<void> {
    const { source } = this.#options;
    const reader = await source.read(id);
    if (reader === undefined) {
      refuse(res, notKept(id));
      return;
    }
    const records = new RecordsSource(source, id, reader);
    if (form === undefined && !once) {
      this.#feed(res, records);
      return;
    }
    const message = await records.whole();
    if (message === undefined) refuse(res, notKept(id));
    else if (form === undefined) sendJson(res, 200, JSON.stringify(message));
    else this.#file(res, form, message);
  }

  /** The exchange as a file, or as a command. */
  #file(res: ServerResponse, form: string, { row, records }: RecordsMessage): void {
    if (form === 'curl') {
      const { host = '127.0.0.1' } = res.req.headers;
      const text = curlOf(records, `http://${host}`);
      if (text === undefined) refuse(res, notKept(row.id));
      else res.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end(text);
      return;
    }
    const tape = form === 'tape' ? this.#options.toTape({ row, records }) : undefined;
    if (tape === undefined) {
      refuse(res, notThere(form));
      return;
    }
    const name = `${row.id.replaceAll(/[^\w-]/g, '_')}.tape.jsonl`;
    const disposition = `attachment; filename="${name}"`;
    res.writeHead(200, { 'content-type': 'application/jsonl', 'content-disposition': disposition }).end(tape);
  }

  #feed(res: ServerResponse, source: ListSource | RecordsSource): void {
    if (this.#feeds >= MOST_FEEDS) {
      refuse(res, tooManyPages());
      return;
    }
    this.#feeds++;
    const stop = this.#options.source.watch((id) => {
      if (source.changed(id)) feed.wake();
    });
    const feed = new Feed(res, this.#options.clock, source, () => {
      this.#feeds--;
      stop();
    });
  }
}

function isOnce(query: string): boolean {
  return new URLSearchParams(query).get('once') === '1';
}

/** IPv4 over an IPv6 socket has a prefix. */
function peerOf(res: ServerResponse): string {
  return (res.socket?.remoteAddress ?? '').replace(/^::ffff:/i, '');
}

function refuse(res: ServerResponse, error: ApiError): void {
  sendError(res, error, usualForm);
}

function wantsLink(): ApiError {
  const message = 'the inspector wants its token: open the link that was printed at its start (--inspect)';
  return { status: 401, type: 'authentication_error', code: 'inspect_token', message };
}

function notHere(): ApiError {
  const message = 'the inspector is for the machine that it runs on: come through a tunnel, such as ssh -L';
  return { status: 403, type: 'permission_error', code: 'forbidden', message };
}

function notThere(what: string): ApiError {
  return badRequest(`the inspector has no ${what}`, { status: 404, code: 'not_found' });
}

function notKept(id: string): ApiError {
  const message = `the exchange ${id} is not kept any more, or what happened in it is not: --inspect-keep says how many are`;
  return badRequest(message, { status: 404, code: 'not_found' });
}

function tooManyPages(): ApiError {
  return { status: 429, type: 'rate_limit_error', code: null, message: `more than ${MOST_FEEDS} pages are open` };
}
