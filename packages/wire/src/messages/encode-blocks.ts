import type { JsonObject } from '../base/json.ts';
import type { WireEvent } from '../encode-event.ts';
import { ModelError } from '../model/errors.ts';

/**
 * The blocks of one answer, on the wire one after the other: indexes without gaps, each block stopped before the next one
 * starts. Keeps the events of one call to the encoder.
 */
export class Blocks {
  /** Why the answer cannot end well. From then on nothing goes out. */
  failure: ModelError | undefined;
  /** Types of the items that the wire has no place for. */
  readonly notCarried = new Set<string>();
  #events: WireEvent[] = [];
  #next = 0;
  /** Constant text of the deltas of the block that is open. */
  #head: string | undefined;

  /** Blocks have gone out. */
  get begun(): boolean {
    return this.#next > 0;
  }

  get isOpen(): boolean {
    return this.#head !== undefined;
  }

  start(block: JsonObject): void {
    if (this.isOpen) this.failure ??= cutCall();
    if (this.failure !== undefined) return;
    const index = this.#next++;
    this.#head = `{"type":"content_block_delta","index":${index},"delta":{`;
    this.event('content_block_start', `"index":${index},"content_block":${JSON.stringify(block)}`);
  }

  /** @param fields - JSON text: the members of the delta */
  delta(fields: string): void {
    if (this.#head === undefined || this.failure !== undefined) return;
    this.#events.push({ type: 'content_block_delta', data: `${this.#head}${fields}}}` });
  }

  stop(): void {
    if (this.#head === undefined || this.failure !== undefined) return;
    this.#head = undefined;
    this.event('content_block_stop', `"index":${this.#next - 1}`);
  }

  /** @param fields - JSON text: the members behind the type; none: the type alone */
  event(type: string, fields = ''): void {
    this.#events.push({ type, data: `{"type":"${type}"${fields === '' ? '' : `,${fields}`}}` });
  }

  take(): WireEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }
}

/** Why an answer fails whose open block never ends: only a call stays open, and half a call must not be run. */
export function cutCall(): ModelError {
  return new ModelError({
    kind: 'stream_truncated',
    message: 'the model server ended its answer inside the arguments of a tool call',
    replaySafe: false,
  });
}
