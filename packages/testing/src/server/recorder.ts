import { joinedHeaderValue } from '@turnwire/wire/internal/base/http-headers';
import type { IncomingHttpHeaders } from 'node:http';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import type { JsonObject } from '@turnwire/wire/internal/base/json';
import type { RequestView } from '../scenario/request-view.ts';

/** How far an answer got. */
export type AnswerPhase =
  | 'waiting' // the request is read, no head sent yet
  | 'streaming'
  | 'held' // nothing more will come, the connection is open
  | 'ended'
  | 'cut' // closed or reset by the mock in mid-answer
  | 'left'; // the client went away before the end

/** The state of one answer, as it stands now. */
export interface AnswerState {
  phase: AnswerPhase;
  status: number | undefined;
  /** The last thing of note that was sent: `finish_reason`, `[DONE]`, `response.completed`, `usage`, `error`. */
  said: string | undefined;
  /** Events or pieces written. */
  writes: number;
  /** Mock clock, milliseconds, of the last change of phase. */
  since: number;
  /** Set when a held connection was let go by the client: for how long it was held, milliseconds. */
  heldMs?: number;
}

/** One request that arrived. */
export interface RecordedRequest {
  /** Counts all requests, from 1. */
  readonly n: number;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly transport: 'http' | 'websocket';
  /** The body as text: for a WebSocket, the message. */
  readonly text: string;
  /** The body, when it is a JSON object. */
  readonly body: JsonObject | undefined;
  /** Only for requests to the model. */
  readonly view: RequestView | undefined;
  /** Mock clock, milliseconds since the start. */
  readonly atMs: number;
  readonly answer: AnswerState;
}

/** Says in a few words how an answer was left. */
export function describeAnswer(answer: AnswerState, now: number): string {
  const said = answer.said ?? 'nothing that ends the answer';
  const status = answer.status === undefined || answer.status === 200 ? '' : `status ${answer.status}, `;
  const seconds = `${(Math.max(0, now - answer.since) / 1000).toFixed(1)} s`;
  switch (answer.phase) {
    case 'waiting':
      return `not answered yet after ${seconds}`;
    case 'streaming':
      return `${status}still being answered (${answer.writes} writes, last change ${seconds} ago)`;
    case 'held':
      return `${status}answered with ${said}, socket held open ${seconds}`;
    case 'ended':
      return `${status}answered with ${status === '' ? said : 'a whole body'}, body ended`;
    case 'cut':
      return `${status}cut off by the mock after ${answer.writes} writes, with ${said}`;
    case 'left':
      return answer.heldMs === undefined
        ? `${status}the client left after ${answer.writes} writes, with ${said}`
        : `${status}answered with ${said}, socket held open ${(answer.heldMs / 1000).toFixed(1)} s until the client left`;
  }
}

/** Characters of all the bodies that are kept, at most: of more, the oldest go first. */
const KEPT_TEXT = 64 * 1024 * 1024;

/** Keeps what arrived: the last `limit` requests, and the count of all. */
export class Recorder {
  readonly requests: RecordedRequest[] = [];
  /** Requests to the model so far, warm-ups and listings not counted. */
  modelRequests = 0;
  #count = 0;
  #text = 0;
  readonly #limit: number;
  readonly #listeners = new Set<() => void>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The number of the next request. */
  next(): number {
    return ++this.#count;
  }

  add(request: RecordedRequest): void {
    this.requests.push(request);
    this.#text += request.text.length;
    while (this.requests.length > this.#limit || (this.#text > KEPT_TEXT && this.requests.length > 1)) {
      this.#text -= this.requests.shift()?.text.length ?? 0;
    }
    if (request.view !== undefined) this.modelRequests++;
    this.changed();
  }

  /** Forgets all of them: the next one is the first. */
  clear(): void {
    this.requests.length = 0;
    this.modelRequests = 0;
    this.#count = 0;
    this.#text = 0;
    this.changed();
  }

  changed(): void {
    for (const listener of this.#listeners) listener();
  }

  /** Calls back at every change; the answer stops it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}

/** A record of a request that has just been read. */
export function newRecord(
  fields: Omit<RecordedRequest, 'atMs' | 'answer'>,
  clock: Clock,
  startedAt: number,
): RecordedRequest {
  const now = clock.now();
  const answer: AnswerState = { phase: 'waiting', status: undefined, said: undefined, writes: 0, since: now };
  return { ...fields, atMs: now - startedAt, answer };
}

/** Headers with one text each. */
export function headersOf(given: IncomingHttpHeaders): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined) headers[name] = joinedHeaderValue(value);
  }
  return headers;
}
