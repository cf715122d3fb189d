import { TextBuffer } from '../base/text-buffer.ts';

const CR = /\r\n?/g;
const COLON = 58;
const SPACE = 32;
const LF = '\n';

/** Takes the events of the text. */
export interface FrameSink {
  /**
   * One event's data, its `data:` lines joined with LF.
   *
   * @param eventLine the event's last line of the field `event`, where it has one: `event: response.created`
   */
  onData(data: string, eventLine: string | undefined): void;
  /** An event grew over the limit: nothing after it can be trusted. */
  onOverflow(): void;
  /** True once nothing more is wanted. */
  readonly ended: boolean;
}

/**
 * Server-sent events framing after the WHATWG rules, over text chunks cut anywhere. Departures (docs/contract.md 2):
 * a BOM is skipped; the last event counts even without its blank line or line end; an event is bounded.
 */
export class SseFramer {
  readonly #sink: FrameSink;
  readonly #maxEvent: number;
  /** The BOM may only come first. */
  #started = false;
  /** The last chunk ended in CR: an LF that opens the next one belongs to it. */
  #afterCr = false;
  /** The beginning of a line whose end has not come; comments are not kept. */
  readonly #line = new TextBuffer();
  #inLine = false;
  #inComment = false;
  /** The first `data:` line of the event, which nearly always is the only one. */
  #data: string | undefined;
  /** Those behind it. */
  #more: string[] | undefined;
  #dataLength = 0;
  #eventLine: string | undefined;
  /** Any line of the current event was seen. */
  #inEvent = false;

  constructor(sink: FrameSink, maxEvent: number) {
    this.#sink = sink;
    this.#maxEvent = maxEvent;
  }

  /** True where an event may begin. */
  get isBetween(): boolean {
    return !this.#inEvent && !this.#afterCr;
  }

  /** Events went by that it was not given: what comes is no longer the beginning of the stream. */
  onPassed(): void {
    this.#started = true;
  }

  push(chunk: string): void {
    const text = this.#normalise(chunk);
    let position = this.#inLine ? this.#continueLine(text, 0) : 0;
    while (position < text.length && !this.#sink.ended) {
      const end = text.indexOf(LF, position);
      if (end < 0) {
        this.#keep(text.slice(position));
        return;
      }
      if (end === position) this.#dispatch();
      else this.#onLine(text, position, end);
      position = end + 1;
    }
  }

  /** The byte stream is over: what was begun counts. True when an event was, which lacked its blank line. */
  finish(): boolean {
    if (this.#inLine) this.#endLine('');
    const begun = this.#data !== undefined;
    this.#dispatch();
    return begun;
  }

  #normalise(chunk: string): string {
    let text = chunk;
    if (!this.#started && text !== '') {
      this.#started = true;
      if (text.charCodeAt(0) === 0xfeff) text = text.slice(1);
    }
    if (this.#afterCr && text !== '') {
      this.#afterCr = false;
      if (text.startsWith(LF)) text = text.slice(1);
    }
    if (!text.includes('\r')) return text;
    this.#afterCr = text.endsWith('\r');
    return text.replace(CR, LF);
  }

  /** Goes on with a line that an earlier chunk began; returns where the next line starts. */
  #continueLine(text: string, start: number): number {
    const end = text.indexOf(LF, start);
    if (end < 0) {
      this.#keep(text.slice(start));
      return text.length;
    }
    this.#endLine(text.slice(start, end));
    return end + 1;
  }

  #keep(piece: string): void {
    if (piece === '') return;
    if (!this.#inLine) {
      this.#inLine = true;
      this.#inEvent = true;
      this.#inComment = piece.charCodeAt(0) === COLON;
    }
    if (this.#inComment) return;
    this.#line.append(piece);
    if (this.#dataLength + this.#line.length > this.#maxEvent) this.#sink.onOverflow();
  }

  #endLine(rest: string): void {
    this.#inLine = false;
    if (this.#inComment) {
      this.#inComment = false;
      return;
    }
    this.#line.append(rest);
    const line = this.#line.toString();
    this.#line.clear();
    if (line === '') this.#dispatch();
    else this.#onLine(line, 0, line.length);
  }

  /** A line where it stands in a text: only what counts is cut out of it. */
  #onLine(text: string, start: number, end: number): void {
    this.#inEvent = true;
    if (text.charCodeAt(start) === COLON) return;
    if (this.#dataLength + end - start > this.#maxEvent) {
      this.#sink.onOverflow();
      return;
    }
    if (text.startsWith('data', start)) this.#onDataLine(text, start + 4, end);
    else if (text.startsWith('event', start)) this.#eventLine = text.slice(start, end);
  }

  /** One space after the colon is removed; a field whose name goes on is another one, and means nothing here. */
  #onDataLine(text: string, colon: number, end: number): void {
    if (colon < end && text.charCodeAt(colon) !== COLON) return;
    const value = text.slice(text.charCodeAt(colon + 1) === SPACE ? colon + 2 : colon + 1, end);
    if (this.#data === undefined) this.#data = value;
    else (this.#more ??= []).push(value);
    this.#dataLength += value.length + 1;
  }

  #dispatch(): void {
    this.#inEvent = false;
    const eventLine = this.#eventLine;
    this.#eventLine = undefined;
    if (this.#data === undefined) return;
    const data = this.#more === undefined ? this.#data : [this.#data, ...this.#more].join(LF);
    this.#data = undefined;
    this.#more = undefined;
    this.#dataLength = 0;
    if (!this.#sink.ended) this.#sink.onData(data, eventLine);
  }
}
