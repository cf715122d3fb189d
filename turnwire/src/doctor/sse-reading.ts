import { isObject, parseJson, type JsonObject } from '@turnwire/wire/internal/base/json';
import type { RawChunk } from './raw-exchange.ts';

/** One event of the stream, as it stood on the wire. */
export interface SseEvent {
  /** The `event:` line; absent without one. */
  readonly name?: string;
  readonly data: string;
  /** The data when it is a JSON object. */
  readonly json?: JsonObject;
  /** When its last byte came, milliseconds since the request. */
  readonly ms: number;
  /** Number of the chunk with its last byte. */
  readonly chunk: number;
  /** A blank line ended it. */
  readonly whole: boolean;
  /** UTF-16 code units. */
  readonly size: number;
}

/** A stream read strictly: nothing is mended, everything that is unusual is counted. */
export interface SseReading {
  readonly events: readonly SseEvent[];
  readonly bom: boolean;
  readonly lineEnds: ReadonlySet<'LF' | 'CRLF' | 'CR'>;
  /** Times of the comments. */
  readonly comments: readonly number[];
  /** Names of the fields that are neither `data` nor `event`. */
  readonly fields: ReadonlySet<string>;
  /** Events whose data stands in several lines. */
  readonly multiLine: number;
  /** `data:` lines without a space after the colon. */
  readonly noSpace: number;
  readonly emptyData: number;
  readonly invalidUtf8: boolean;
  /** Chunks that end in the middle of a character. */
  readonly splitCharacters: number;
  /** Longest line, in UTF-16 code units. */
  readonly longestLine: number;
}

/** Reads the chunks of a body as server-sent events. */
export function readSse(chunks: readonly RawChunk[]): SseReading {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const ends: number[] = [];
  let text = '';
  for (const { data } of chunks) {
    text += decoder.decode(data, { stream: true });
    ends.push(text.length);
  }
  text += decoder.decode();
  const reader = new Reader(chunks, ends);
  const bom = text.startsWith('\ufeff');
  reader.read(bom ? text.slice(1) : text, bom ? 1 : 0);
  return {
    ...reader.facts,
    bom,
    invalidUtf8: !isUtf8(chunks),
    splitCharacters: chunks.slice(0, -1).filter(({ data }) => endsInCharacter(data)).length,
  };
}

class Reader {
  readonly facts = {
    events: [] as SseEvent[],
    lineEnds: new Set<'LF' | 'CRLF' | 'CR'>(),
    comments: [] as number[],
    fields: new Set<string>(),
    multiLine: 0,
    noSpace: 0,
    emptyData: 0,
    longestLine: 0,
  };
  readonly #chunks: readonly RawChunk[];
  readonly #ends: readonly number[];
  #chunk = 0;
  #data: string[] = [];
  #name: string | undefined;
  #size = 0;

  constructor(chunks: readonly RawChunk[], ends: readonly number[]) {
    this.#chunks = chunks;
    this.#ends = ends;
  }

  /** `offset` is where the text begins in the decoded stream. */
  read(text: string, offset: number): void {
    let from = 0;
    for (const match of text.matchAll(/\r\n|\r|\n/g)) {
      this.#at(match.index + offset);
      this.facts.lineEnds.add(match[0] === '\n' ? 'LF' : match[0] === '\r' ? 'CR' : 'CRLF');
      this.#line(text.slice(from, match.index));
      from = match.index + match[0].length;
    }
    this.#at(text.length + offset - 1);
    if (from < text.length) this.#line(text.slice(from));
    this.#dispatch(false);
  }

  /** Moves on to the chunk in which the place lies. */
  #at(place: number): void {
    while (this.#chunk < this.#ends.length - 1 && (this.#ends[this.#chunk] ?? 0) <= place) this.#chunk++;
  }

  #line(line: string): void {
    this.facts.longestLine = Math.max(this.facts.longestLine, line.length);
    this.#size += line.length + 1;
    if (line === '') {
      this.#dispatch(true);
      return;
    }
    if (line.startsWith(':')) {
      this.facts.comments.push(this.#ms());
      return;
    }
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1);
    this.#field(field, value);
  }

  #field(field: string, value: string): void {
    const trimmed = value.startsWith(' ') ? value.slice(1) : value;
    if (field === 'data') {
      if (value !== '' && trimmed === value) this.facts.noSpace++;
      this.#data.push(trimmed);
    } else if (field === 'event') this.#name = trimmed;
    else this.facts.fields.add(field.slice(0, 40));
  }

  #dispatch(whole: boolean): void {
    const lines = this.#data;
    const name = this.#name;
    const size = this.#size;
    this.#data = [];
    this.#name = undefined;
    this.#size = 0;
    if (lines.length === 0) return;
    const data = lines.join('\n');
    if (data === '') this.facts.emptyData++;
    else if (lines.length > 1) this.facts.multiLine++;
    if (data === '') return;
    const json = parseJson(data);
    this.facts.events.push({
      data,
      ms: this.#ms(),
      chunk: this.#chunk,
      whole,
      size,
      ...(name === undefined ? {} : { name }),
      ...(isObject(json) ? { json } : {}),
    });
  }

  #ms(): number {
    return this.#chunks[this.#chunk]?.ms ?? 0;
  }
}

function isUtf8(chunks: readonly RawChunk[]): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks.map(({ data }) => data)));
    return true;
  } catch {
    return false;
  }
}

/** True when the last bytes begin a character that they do not finish. */
function endsInCharacter(data: Uint8Array): boolean {
  for (let back = 1; back <= Math.min(3, data.length); back++) {
    const byte = data[data.length - back] ?? 0;
    if (byte < 0x80) return false;
    if (byte >= 0xc0) return byte >= 0xf0 ? back < 4 : byte >= 0xe0 ? back < 3 : back < 2;
  }
  return false;
}
