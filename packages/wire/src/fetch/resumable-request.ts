import type { ErrorKind, ModelError } from '../model/errors.ts';
import type { Fetch } from './fetch.ts';
import { Kept, RESUME_HEADER, type ResumeStore } from './resume-store.ts';
import { Resumption, type AskAgain, type ResumeContext } from './resumption.ts';

type Input = Parameters<Fetch>[0];

/** Failures of an answer that is still there: its connection was lost, or it is as long as it may be. */
const STAYS: ReadonlySet<ErrorKind> = new Set([
  ...(['stream_truncated', 'stream_idle', 'aborted', 'incomplete', 'content_filter'] as const),
  ...(['connection_failed', 'timeout', 'server_overloaded', 'rate_limited', 'unauthorized'] as const),
]);

/** Of the body, and of us: nothing that the request for the rest has. */
const LEFT_OUT = ['content-type', 'content-length', RESUME_HEADER];

/** What a request is made of whose stream can be asked for again. */
export interface ResumableOptions {
  readonly url: URL;
  /** Whether its answer is streamed, and whether the server keeps it. */
  readonly asked: { readonly stream: boolean; readonly stored: boolean };
  /** What sends requests. */
  readonly send: Fetch;
  readonly store: ResumeStore;
  /** How `fetch` was called. */
  readonly input: Input;
  readonly init: RequestInit | undefined;
}

/** A request whose stream can be asked for again, and by its key its answer, too. */
export class ResumableRequest {
  readonly #options: ResumableOptions;
  readonly #headers: Headers;
  readonly #kept: Kept | undefined;

  constructor(options: ResumableOptions) {
    const { store, input, init } = options;
    this.#options = options;
    this.#headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined));
    const key = this.#headers.get(RESUME_HEADER);
    this.#kept = key === null ? undefined : new Kept(store, key);
  }

  /** Why its answer cannot be come back for by its key; `undefined`: it can, or has none. */
  get problem(): string | undefined {
    const { stream, stored } = this.#options.asked;
    if (this.#kept === undefined || (stream && stored)) return undefined;
    return `${RESUME_HEADER} is for an answer that is streamed and stored: ask with stream, and not with store: false`;
  }

  /** What goes on with its stream; `undefined` where the server was not asked to keep it. */
  createResumption(how: Pick<ResumeContext, 'clock' | 'timeouts' | 'signal' | 'onResumed'>): Resumption | undefined {
    const { url, asked } = this.#options;
    if (!asked.stored) return undefined;
    const askAgain: AskAgain = (...which) => this.#askAgain(...which);
    return new Resumption({ ...how, url, askAgain, onId: (id) => this.#kept?.keep(id) });
  }

  /** Asks for the answer that the server keeps under the request's key; where there is none, anew. */
  async send(input: Input, signal: AbortSignal | undefined): Promise<Response> {
    const { send, init } = this.#options;
    if (this.#kept === undefined) return await send(input, init);
    const id = await this.#kept.find();
    if (id !== undefined) return await this.#askAgain(id, undefined, signal);
    const headers = new Headers(this.#headers);
    headers.delete(RESUME_HEADER);
    return await send(input, { ...init, headers });
  }

  /** Asks for the stream of the answer with that id, the whole one or what lies behind the event with that number. */
  async #askAgain(id: string, after: number | undefined, signal: AbortSignal | undefined): Promise<Response> {
    const { send, init } = this.#options;
    const url = new URL(this.#options.url);
    url.pathname += `/${encodeURIComponent(id)}`;
    url.searchParams.set('stream', 'true');
    if (after !== undefined) url.searchParams.set('starting_after', String(after));
    const headers = new Headers(this.#headers);
    for (const name of LEFT_OUT) headers.delete(name);
    return await send(url.href, { ...init, method: 'GET', headers, body: null, signal: signal ?? null });
  }

  /** An answer that failed is nothing to come back for. */
  onFailed({ kind, code }: ModelError): void {
    if (!STAYS.has(kind) || code === 'cancelled') this.#kept?.forget();
  }
}
