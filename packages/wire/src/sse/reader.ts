import type { JsonObject } from '../base/json.ts';
import { emptyWindow, endOfEvent, windowOn, type ByteWindow } from './bytes.ts';
import { SseFramer, type FrameSink } from './framer.ts';
import type { EventTemplates } from './templates.ts';
import { Utf8Stream } from './utf8.ts';

/** Takes the events of a byte stream. */
export interface EventSink {
  /** Text that no template knew, before the events in it are told. */
  onText(text: string): void;
  /** There are bytes in it that are no UTF-8. */
  onInvalid(): void;
  /** One event's data, and its `event:` line where it has one. Returns what the data was parsed to. */
  onData(data: string, eventLine: string | undefined): JsonObject | undefined;
  /** An event grew over the limit: nothing after it can be trusted. */
  onOverflow(): void;
  /** True once nothing more is wanted. */
  readonly ended: boolean;
}

/** How much of an event cut by a chunk is held back whole, in bytes. */
const MAX_HELD = 2048;
/** Chunks up to this size are copied to where they can be compared: cheaper than a view of each. */
const SMALL = 2 * MAX_HELD;
const CR = 13;

/** Where small chunks are copied to, while nobody uses it; whoever finds none makes one. */
let spare: ByteWindow | undefined;

/**
 * Bytes to events. What a template knows is matched where it stands; everything else becomes text, event by event, for the
 * framer, and is learnt from.
 */
export class EventReader implements FrameSink {
  readonly #sink: EventSink;
  readonly #templates: EventTemplates | undefined;
  readonly #framer: SseFramer;
  readonly #utf8 = new Utf8Stream();
  /** The first half of an event that the end of a chunk cut; nothing of it was read yet. */
  #held: Uint8Array | undefined;
  /** How many events the framer told of the text that it was given last, and what the last of them was. */
  #told = 0;
  #value: JsonObject | undefined;
  #unread = 0;

  constructor(sink: EventSink, maxEvent: number, templates?: EventTemplates) {
    this.#sink = sink;
    this.#templates = templates;
    this.#framer = new SseFramer(this, maxEvent);
  }

  /** How many bytes of the last chunk lie behind the event with which the sink ended. */
  get unread(): number {
    return this.#unread;
  }

  push(chunk: Uint8Array): void {
    if (this.#templates === undefined) {
      this.#feed(chunk);
      return;
    }
    const start = this.#held === undefined ? 0 : this.#readHeld(this.#templates, this.#held, chunk);
    this.#readChunk(this.#templates, start === 0 ? chunk : chunk.subarray(start));
  }

  /** The byte stream is over: what was begun counts. True when an event was, which lacked its blank line. */
  finish(): boolean {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.#feed(held);
    this.#tell(this.#utf8.flush());
    return this.#framer.finish();
  }

  /**
   * Puts the two halves of an event together, so that it can be taken whole. Tried once: if the end is not in this chunk
   * either, the event is read line by line. Returns where the chunk goes on.
   */
  #readHeld(templates: EventTemplates, held: Uint8Array, chunk: Uint8Array): number {
    this.#held = undefined;
    const end = endOfEvent({ bytes: chunk, end: Math.min(chunk.length, MAX_HELD) }, 0);
    const cut = Math.max(end, 0);
    this.#readCopy(templates, [held, chunk.subarray(0, cut)], false);
    return cut;
  }

  /** True where an event may begin, and nothing of it was read. */
  get #isBetween(): boolean {
    return this.#framer.isBetween && !this.#utf8.holds;
  }

  #readChunk(templates: EventTemplates, chunk: Uint8Array): void {
    if (!this.#isBetween && endOfEvent({ bytes: chunk, end: chunk.length }, 0) < 0) this.#feed(chunk);
    else if (chunk.length > SMALL) this.#read(templates, windowOn(chunk), true);
    else this.#readCopy(templates, [chunk], true);
  }

  #readCopy(templates: EventTemplates, pieces: readonly Uint8Array[], mayHold: boolean): void {
    const window = spare ?? emptyWindow(SMALL);
    spare = undefined;
    window.end = 0;
    for (const piece of pieces) {
      window.bytes.set(piece, window.end);
      window.end += piece.length;
    }
    this.#read(templates, window, mayHold);
    spare = window;
  }

  #read(templates: EventTemplates, window: ByteWindow, mayHold: boolean): void {
    let at = 0;
    this.#unread = 0;
    while (at < window.end && !this.#sink.ended) {
      const isBetween = this.#isBetween;
      const behind = isBetween ? templates.run(window, at) : at;
      if (behind === at) {
        const end = endOfEvent(window, at);
        if (end < 0) {
          this.#readRest(window.bytes.subarray(at, window.end), isBetween && mayHold);
          return;
        }
        this.#readEvent(templates, window.bytes.subarray(at, end), isBetween);
        at = end;
      } else {
        at = behind;
        this.#framer.onPassed();
      }
    }
    this.#unread = window.end - at;
  }

  /** An event that no template knew, or the rest of one. */
  #readEvent(templates: EventTemplates, bytes: Uint8Array, isWhole: boolean): void {
    const text = this.#feed(bytes);
    if (isWhole && this.#told === 1 && this.#value !== undefined) templates.learn(text, this.#value);
  }

  /** A bare CR may be the end of the event: that is told at once. */
  #readRest(bytes: Uint8Array, mayHold: boolean): void {
    if (mayHold && bytes.length < MAX_HELD && !bytes.includes(CR)) this.#held = new Uint8Array(bytes);
    else this.#feed(bytes);
  }

  #feed(bytes: Uint8Array): string {
    const text = this.#utf8.decode(bytes);
    if (this.#utf8.invalid) this.#sink.onInvalid();
    this.#tell(text);
    return text;
  }

  #tell(text: string): void {
    this.#told = 0;
    this.#sink.onText(text);
    this.#framer.push(text);
  }

  get ended(): boolean {
    return this.#sink.ended;
  }

  onData(data: string, eventLine: string | undefined): void {
    this.#told++;
    this.#value = this.#sink.onData(data, eventLine);
  }

  onOverflow(): void {
    this.#sink.onOverflow();
  }
}
