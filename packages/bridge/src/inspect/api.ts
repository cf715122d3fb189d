import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import type { ModelEvent, Usage } from '@turnwire/wire/internal/model/events';

/** Types and pure functions alone: the inspector's page has them in its bundle. */

/**
 * Where an exchange is.
 *
 * - `reading`: its request arrives.
 * - `waiting`: a model server was asked, and has sent no event.
 * - `streaming`: events come.
 * - `retrying`: a server failed; another one, or the same, is asked next.
 * - `finishing`: the model said that it has finished, and the answer is not over.
 * - The rest are ends: `refused` before a server was asked, `aborted` by a client that left.
 */
export type ExchangeState =
  'reading' | 'waiting' | 'streaming' | 'retrying' | 'finishing' | 'completed' | 'failed' | 'refused' | 'aborted';

/**
 * One exchange in the list. Times are Unix milliseconds by the bridge's clock, with fractions; absent: not yet, or not
 * known.
 */
export interface ExchangeRow {
  /** As in the log, the trace, and the client's `x-request-id`. */
  readonly id: string;
  readonly startedAt: number;
  /** What its `User-Agent` says, short: `codex`, `claude-code`, `openai-js 7.5`. */
  readonly client?: string | undefined;
  /** Its name, where callers have names. */
  readonly caller?: string | undefined;
  /** As in the log, e.g. `responses_sse`. */
  readonly route: string;
  /** The client's wire; absent where the answer is none of a model. */
  readonly wire?: ProtocolId | undefined;
  /** The wire of the server that was asked last. */
  readonly upstreamWire?: ProtocolId | undefined;
  /** As the client names it. */
  readonly model?: string | undefined;
  /** The server that was asked last. */
  readonly upstream?: string | undefined;
  /** Number of times that a server was asked. */
  readonly attempts: number;
  readonly state: ExchangeState;
  /** When the server that was asked last was asked. */
  readonly askedAt?: number | undefined;
  /** When the head of its answer came. */
  readonly headAt?: number | undefined;
  /** When its first event came. */
  readonly firstEventAt?: number | undefined;
  /** When bytes came from it last. */
  readonly lastByteAt?: number | undefined;
  /** When an event came from it last. */
  readonly lastEventAt?: number | undefined;
  /** When the model said that it has finished; usage or the end of the body may come. */
  readonly finishedAt?: number | undefined;
  /** What is waited for since: the usage, or that the server ends its body. */
  readonly awaits?: 'usage' | 'end' | undefined;
  /** When a server is asked again. */
  readonly retryAt?: number | undefined;
  readonly endedAt?: number | undefined;
  /** Of the last answer's head; of a refusal, the status that its client was told. */
  readonly status?: number | undefined;
  readonly inputTokens?: number | undefined;
  readonly outputTokens?: number | undefined;
  /** Events with a piece of the answer so far: about one for each token of most servers. */
  readonly deltas: number;
  /** Number of bytes from the server so far. */
  readonly bytes: number;
  /** How often each repair was made. */
  readonly repairs: Readonly<Record<string, number>>;
  /** What came before the attempt that runs or ran last: attempts that failed, and waits for the next one. */
  readonly setback?: Setback | undefined;
  /** The last failure: of an attempt while there is another one, else of the exchange. */
  readonly error?: { readonly kind: string; readonly message: string } | undefined;
}

/** Attempts that failed, and that another one followed. */
export interface Setback {
  /** How many. */
  readonly failures: number;
  /** Milliseconds that passed between them and the attempt that followed each, together. */
  readonly waitedMs: number;
  /** The server of the last one. */
  readonly upstream: string;
  /** What the last one was: the status of the answer, else the kind of the error. */
  readonly failure: string;
}

/** One thing that happened in an exchange, `t` milliseconds behind its `startedAt`. Secrets are masked in all texts. */
export type ExchangeRecord = { readonly t: number } & (
  | {
      readonly kind: 'request';
      readonly method: string;
      readonly url: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly body?: unknown;
    }
  /** A server is asked; `number` counts from 1. */
  | { readonly kind: 'attempt'; readonly number: number; readonly upstream: string }
  /** What it was sent, of its address the path; a retry without a field, or a redirect, is one more. */
  | {
      readonly kind: 'asked';
      readonly method: string;
      readonly url: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
    }
  /** The head of its answer. */
  | {
      readonly kind: 'head';
      readonly upstream: string;
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
    }
  /**
   * So many bytes came from the server: as text in whole lines, each told with the bytes that end it, so that a chunk may
   * have none; what is no UTF-8 is U+FFFD.
   */
  | { readonly kind: 'chunk'; readonly text: string; readonly bytes: number }
  /** The body of its answer ended by itself, broke, or was read no further; behind a good answer this may follow `end`. */
  | { readonly kind: 'body'; readonly how: 'complete' | 'broken' | 'left' }
  /** What these bytes said. */
  | { readonly kind: 'events'; readonly events: readonly ModelEvent[] }
  /** What the client was sent, as SSE or as it was passed on. */
  | { readonly kind: 'sent'; readonly text: string }
  /** Something was made good; `about` is the data of a skipped event, or the failure behind another attempt. */
  | { readonly kind: 'repair'; readonly repair: string; readonly about?: string; readonly upstream?: string }
  | { readonly kind: 'usage'; readonly usage: Usage }
  /** `outcome` is `completed`, `refused`, or the kind of the error. */
  | { readonly kind: 'end'; readonly outcome: string; readonly error?: string }
  /** So many records are not kept: here the bound of the memory cut. */
  | { readonly kind: 'dropped'; readonly records: number }
);

/** What has changed in the list of exchanges. */
export interface ListMessage {
  /** The time by the clock of the rows. */
  readonly now: number;
  /** New or changed ones, whole. */
  readonly rows: readonly ExchangeRow[];
  /** The ids of those that are not kept any more. */
  readonly removed: readonly string[];
}

/** What is new in one exchange. */
export interface RecordsMessage {
  readonly now: number;
  readonly row: ExchangeRow;
  /** How many records this stream told before these. */
  readonly from: number;
  readonly records: readonly ExchangeRecord[];
}

/** Silence that is shorter is told of no stream. */
const SILENCE_MS = 1000;
/** A wait before another attempt that is shorter is not told. */
const LEAST_WAIT_MS = 100;

/** Why an exchange waits, or how it ended, in one line: `answer finished 3 s ago, waiting for usage from A`. */
export function whyText(row: ExchangeRow, now: number): string {
  const { startedAt, endedAt, error } = row;
  const total = agoText((endedAt ?? now) - startedAt);
  switch (row.state) {
    case 'reading':
      return `the request is read, for ${total}`;
    case 'waiting':
    case 'retrying':
    case 'streaming':
    case 'finishing':
      return waitText(row, now);
    case 'completed':
      return `completed in ${total}${setbackText(row.setback)}`;
    case 'failed':
      return `failed after ${total}: ${whoseFailure(row)}${error?.message ?? 'it is not known why'}`;
    case 'refused':
      return `refused${row.status === undefined ? '' : ` with ${row.status}`}: ${error?.message ?? 'it is not known why'}`;
    case 'aborted':
      return `the client left after ${total}${leftText(row)}`;
  }
}

/** Why what is over took longer than its answer. */
function setbackText(setback: Setback | undefined): string {
  if (setback === undefined) return '';
  const { failures, waitedMs, upstream, failure } = setback;
  const last = `${failure} from ${upstream}`;
  const waited = waitedMs < LEAST_WAIT_MS ? '' : ` and ${failures === 1 ? 'a wait' : 'waits'} of ${agoText(waitedMs)}`;
  return failures === 1 ? `, after ${last}${waited}` : `, after ${failures} failures (the last: ${last})${waited}`;
}

/** The server that a failure came from, where its words do not name it. */
function whoseFailure({ upstream, status, error }: ExchangeRow): string {
  if (upstream === undefined || error?.message.includes(upstream) === true) return '';
  return status === undefined || status < 400 ? `${upstream}: ` : `${status} from ${upstream}: `;
}

/** What a client waited for that left. */
function leftText(row: ExchangeRow): string {
  return row.attempts === 0 ? '' : `: ${waitText(row, row.endedAt ?? row.startedAt)}`;
}

function waitText(row: ExchangeRow, now: number): string {
  const server = row.upstream ?? 'the server';
  if (row.retryAt !== undefined) return `${failureText(row)} from ${server}, ${retryText(row.retryAt, now)}`;
  if (row.finishedAt !== undefined) {
    const rest = row.awaits === 'usage' ? `waiting for usage from ${server}` : `but ${server} keeps the body open`;
    return `answer finished ${agoText(now - row.finishedAt)} ago, ${rest}`;
  }
  if (row.state === 'retrying') return `${failureText(row)} from ${server}, another server is asked`;
  const begun = row.firstEventAt !== undefined || row.state === 'streaming';
  return begun ? silenceText(row, server, now) : beginText(row, server, now);
}

/** Before the first event. */
function beginText(row: ExchangeRow, server: string, now: number): string {
  if (row.attempts === 0) return 'a server is looked for';
  const asked = row.askedAt ?? row.startedAt;
  if (row.headAt === undefined) return `no answer from ${server} for ${agoText(now - asked)}`;
  const silent = now - (row.lastByteAt ?? row.headAt);
  if (row.lastByteAt === undefined || silent >= SILENCE_MS) {
    return `${server} took the request (${row.status ?? 200}), no byte from it for ${agoText(silent)}`;
  }
  return `${server} sends bytes, but no event for ${agoText(now - row.headAt)}`;
}

/** Behind the first event, or the first byte of what nobody reads. */
function silenceText(row: ExchangeRow, server: string, now: number): string {
  const bytes = now - (row.lastByteAt ?? row.startedAt);
  if (bytes >= SILENCE_MS) return `no byte from ${server} for ${agoText(bytes)}`;
  if (row.lastEventAt === undefined) return `bytes come from ${server}`; // passed through, and not read
  const events = now - row.lastEventAt;
  return events >= SILENCE_MS
    ? `${server} sends bytes, but no event for ${agoText(events)}`
    : `events come from ${server}`;
}

/** What failed, in a word: `429`, `connection_failed`. */
export function failureText({ status, error }: Pick<ExchangeRow, 'status' | 'error'>): string {
  return status === undefined || status < 400 ? (error?.kind ?? 'a failure') : String(status);
}

function retryText(retryAt: number, now: number): string {
  const ms = retryAt - now;
  return ms <= 0 ? 'it is asked again now' : `retry in ${agoText(ms)}`;
}

/** A length of time for people: `30 ms`, `0.4 s`, `12 s`, `2 min 5 s`. */
function agoText(ms: number): string {
  if (ms > 0 && ms < 100) return `${Math.max(1, Math.round(ms))} ms`;
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 10) return `${Math.round(seconds * 10) / 10} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes} min ${whole % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
