import type { JsonObject } from '@turnwire/wire/internal/base/json';
import type { Clock, Timer } from '@turnwire/wire/internal/base/clock';
import type { WireEvent } from '@turnwire/wire/internal/encode-event';
import type { StoredResponse } from './store.ts';

/** What a response is that can go on without its client. */
export interface LiveStart {
  readonly input: StoredResponse['input'];
  readonly previousId: string | undefined;
  /** The response object as it stands. */
  readonly body: () => JsonObject;
  /** Ends it; its client is told. */
  readonly cancel: () => void;
  /** Nobody follows it any more: begins the wait for somebody who does. Default: it goes on to its end. */
  readonly onAlone?: (() => Timer) | undefined;
}

/** One response that runs in the background, or has lately ended, with the events that its followers may ask for again. */
export class LiveResponse {
  readonly #start: LiveStart;
  readonly #onBytes: (change: number) => void;
  readonly #onEnd: () => void;
  #events: WireEvent[] = [];
  /** Events that were there and are dropped. */
  #dropped = 0;
  #bytes = 0;
  #changed = Promise.withResolvers<unknown>();
  readonly #over = Promise.withResolvers<unknown>();
  #endedAt: number | undefined;
  #followers = 0;
  /** Runs while nobody follows it. */
  #alone: Timer | undefined;
  /** It was deleted: nobody keeps it. */
  deleted = false;

  /**
   * @param onBytes - told how many bytes of events came or went
   * @param onEnd - told when it has ended
   */
  constructor(start: LiveStart, onBytes: (change: number) => void, onEnd: () => void) {
    this.#start = start;
    this.#onBytes = onBytes;
    this.#onEnd = onEnd;
  }

  get record(): StoredResponse {
    const { input, previousId, body } = this.#start;
    const response = body();
    return { id: String(response.id), response, input, ...(previousId === undefined ? {} : { previousId }) };
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Milliseconds of the clock; undefined while it runs. */
  get endedAt(): number | undefined {
    return this.#endedAt;
  }

  /** Settles when it has ended. */
  get over(): Promise<unknown> {
    return this.#over.promise;
  }

  /** Settles when there is more, or the end. */
  get changed(): Promise<unknown> {
    return this.#changed.promise;
  }

  add(events: readonly WireEvent[]): void {
    const bytes = events.reduce((sum, { data }) => sum + data.length, 0);
    this.#events.push(...events);
    this.#bytes += bytes;
    this.#onBytes(bytes);
    this.#wake();
  }

  /** Somebody follows its events. */
  enter(): void {
    this.#followers++;
    this.#alone?.cancel();
  }

  /** Somebody does no longer. */
  leave(): void {
    this.#followers--;
    if (this.#followers === 0 && this.#endedAt === undefined) this.#alone = this.#start.onAlone?.();
  }

  end(now: number): void {
    this.#alone?.cancel();
    this.#endedAt = now;
    this.#onEnd();
    this.#over.resolve(undefined);
    this.#wake();
  }

  cancel(): void {
    if (this.#endedAt === undefined) this.#start.cancel();
  }

  /** The events from a place on, at most `limit`; undefined where some of them are dropped. */
  from(place: number, limit: number): readonly WireEvent[] | undefined {
    const start = place - this.#dropped;
    return start < 0 ? undefined : this.#events.slice(start, start + limit);
  }

  /** The place of the first event behind a sequence number; undefined where it is dropped. */
  placeBehind(sequenceNumber: number): number | undefined {
    const found = this.#events.findIndex((event) => numberOf(event) > sequenceNumber);
    if (found < 0) return this.#dropped + this.#events.length;
    const isFirst = found === 0 && this.#dropped > 0;
    const [first] = this.#events;
    return isFirst && first !== undefined && numberOf(first) > sequenceNumber + 1 ? undefined : this.#dropped + found;
  }

  /** Forgets the events so far. */
  drop(): void {
    this.#dropped += this.#events.length;
    this.#events = [];
    this.#onBytes(-this.#bytes);
    this.#bytes = 0;
  }

  #wake(): void {
    this.#changed.resolve(undefined);
    this.#changed = Promise.withResolvers();
  }
}

/** An event says its number at the end: `…,"sequence_number":7}`. */
function numberOf({ data }: WireEvent): number {
  return Number(/"sequence_number":(\d+)\}$/.exec(data)?.[1] ?? -1);
}

/** How long the events of a response that has ended are there to be read again, in milliseconds; then it is told from the store. */
const KEPT_MS = 10 * 60_000;
/** Events of all of them together, in characters. */
export const LIVE_BYTES = 64 * 1024 * 1024;
const MAX_ENDED = 2000;

/** What other workers of the same bridge know of a response: `gone` is one that can only be had from the store. */
export type LiveState = 'running' | 'ended' | 'gone';

/** The responses of the other workers of the same bridge, and how they are told of those here. */
export interface LiveElsewhere {
  tell(id: string, state: LiveState): void;
  /** True for one that runs at another worker. */
  runs(id: string): boolean;
}

/**
 * The responses that run in the background, and those that lately did. Bounded are their events, in characters, how many have ended, and for how
 * long they stay; how many run is bounded by the number of open streams.
 */
export class LiveResponses {
  readonly #clock: Clock;
  readonly #maxBytes: number;
  readonly #responses = new Map<string, LiveResponse>();
  /** Those of them that have ended, in the order of their ends. */
  readonly #ended = new Map<string, LiveResponse>();
  readonly #elsewhere: LiveElsewhere | undefined;
  #bytes = 0;

  /**
   * @param maxBytes - of the events of all of them, in characters
   * @param elsewhere - the other workers of the same bridge, where there are several
   */
  constructor(clock: Clock, maxBytes = LIVE_BYTES, elsewhere?: LiveElsewhere) {
    this.#clock = clock;
    this.#elsewhere = elsewhere;
    this.#maxBytes = maxBytes;
  }

  start(start: LiveStart): LiveResponse {
    this.#sweep();
    const onBytes = (change: number): void => {
      this.#bytes += change;
      if (change > 0) this.#shrink();
    };
    const live: LiveResponse = new LiveResponse(start, onBytes, () => this.#onEnd(id, live));
    const { id } = live.record;
    this.#responses.set(id, live);
    this.#elsewhere?.tell(id, 'running');
    return live;
  }

  get(id: string): LiveResponse | undefined {
    this.#sweep();
    return this.#responses.get(id);
  }

  /** True for one that has not ended, at this worker or another one. */
  runs(id: string): boolean {
    const live = this.#responses.get(id);
    return live === undefined ? this.#elsewhere?.runs(id) === true : live.endedAt === undefined;
  }

  /** True when it was there. One that runs ends. */
  delete(id: string): boolean {
    const live = this.#responses.get(id);
    if (live === undefined) return false;
    live.deleted = true;
    live.cancel();
    this.#remove(id, live);
    return true;
  }

  /** One that was deleted is not there any more. */
  #onEnd(id: string, live: LiveResponse): void {
    if (this.#responses.get(id) !== live) return;
    this.#ended.set(id, live);
    this.#elsewhere?.tell(id, 'ended');
  }

  #remove(id: string, live: LiveResponse): void {
    this.#responses.delete(id);
    this.#ended.delete(id);
    this.#elsewhere?.tell(id, 'gone');
    live.drop();
  }

  #sweep(): void {
    const before = this.#clock.now() - KEPT_MS;
    for (const [id, live] of this.#ended) {
      if ((live.endedAt ?? 0) >= before && this.#ended.size <= MAX_ENDED) return;
      this.#remove(id, live);
    }
  }

  /** Those that have ended go first, the oldest of them first; then what the others have told so far. */
  #shrink(): void {
    for (const [id, live] of this.#ended) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#remove(id, live);
    }
    for (const live of this.#responses.values()) {
      if (this.#bytes <= this.#maxBytes) return;
      live.drop();
    }
  }
}
