import type { Entry } from './entries.ts';

/** What is kept as bytes, as it came. */
export type BytesKind = 'chunk' | 'passed';

/** What happens a few times in an exchange is kept as it is. */
export type ObjectEntry = Exclude<Entry, { readonly kind: BytesKind | 'sent' }>;

/** Where a reader is: in the bytes, in the objects, and in the texts that were written together. */
export interface BlockPlace {
  at: number;
  objects: number;
  texts: string;
}

/** Large enough that few are needed, and small enough for an exchange of a few events. */
export const BLOCK_BYTES = 32 * 1024;

/** In front of each entry: its kind, the length of its bytes, and its time. */
const HEADER = 1 + 4 + 8;
const OBJECT = 0;
const CHUNK = 1;
const PASSED = 2;
/** A text of so many units of UTF-16: it follows in the next `TEXTS`. */
const TEXT = 3;
/** The texts since the last time, and no entry. */
const TEXTS = 4;
/** UTF-8 takes three bytes at most for a unit of UTF-16. */
const BYTES_PER_UNIT = 3;
/** So many units of texts are gathered for one write: a write of its own for each costs three times as much. */
const GATHERED_UNITS = 4096;
const NOTHING = Buffer.alloc(0);

/** Entries that follow one another, in memory that the collector of garbage sees as one. */
export class RecordBlock {
  /** The number of its first entry. */
  readonly first: number;
  /** The number behind its last entry. */
  end: number;
  /** What it holds of memory, in bytes, be it filled or not. */
  size: number;
  #bytes: Buffer;
  readonly #objects: ObjectEntry[] = [];
  #texts = '';
  #used = 0;
  /** Bytes behind `#used` that the gathered texts may take. */
  #reserved = 0;

  constructor(first: number, memory: Buffer) {
    this.first = this.end = first;
    this.size = memory.length;
    this.#bytes = memory;
  }

  /** What bytes take of it. */
  static forBytes(length: number): number {
    return HEADER + length;
  }

  /** What a text takes of it at most. */
  static forText({ length }: string): number {
    return 2 * HEADER + BYTES_PER_UNIT * length;
  }

  /** Nobody can read it any more: its memory may be used again. */
  drop(): Buffer {
    const memory = this.#bytes;
    this.#bytes = NOTHING;
    return memory;
  }

  get isDropped(): boolean {
    return this.#bytes === NOTHING;
  }

  hasRoom(bytes: number): boolean {
    if (this.#used + this.#reserved + bytes <= this.#bytes.length) return true;
    this.#writeTexts(); // they take less than they may
    return this.#used + bytes <= this.#bytes.length;
  }

  addObject(entry: ObjectEntry, size: number): void {
    this.#objects.push(entry);
    this.size += size;
    this.#add(OBJECT, 0, entry.t);
  }

  addBytes(kind: BytesKind, t: number, bytes: Uint8Array): void {
    this.#add(kind === 'chunk' ? CHUNK : PASSED, bytes.byteLength, t);
    this.#bytes.set(bytes, this.#used);
    this.#used += bytes.byteLength;
  }

  addText(t: number, text: string): void {
    this.#add(TEXT, text.length, t);
    this.#texts += text;
    this.#reserved = HEADER + BYTES_PER_UNIT * this.#texts.length;
    if (this.#texts.length >= GATHERED_UNITS) this.#writeTexts();
  }

  #add(kind: number, length: number, t: number): void {
    this.#header(kind, length, t);
    this.end++;
  }

  #header(kind: number, length: number, t: number): void {
    const at = this.#used;
    this.#bytes[at] = kind;
    this.#bytes.writeUInt32LE(length, at + 1);
    this.#bytes.writeDoubleLE(t, at + 5);
    this.#used = at + HEADER;
  }

  #writeTexts(): void {
    if (this.#texts === '') return;
    const length = this.#bytes.write(this.#texts, this.#used + HEADER);
    this.#header(TEXTS, length, 0);
    this.#used += length;
    this.#texts = '';
    this.#reserved = 0;
  }

  /** The entry at a place, which is moved behind it; undefined where there is none. */
  read(place: BlockPlace): Entry | undefined {
    this.#writeTexts();
    while (this.#bytes[place.at] === TEXTS && place.at < this.#used) place.at = this.#behind(place.at);
    if (place.at >= this.#used) return undefined;
    const { at } = place;
    const kind = this.#bytes[at];
    const t = this.#bytes.readDoubleLE(at + 5);
    place.at = this.#behind(at);
    if (kind === OBJECT) return this.#objects[place.objects++];
    if (kind === TEXT) return { t, kind: 'sent', text: this.#takeText(place, this.#lengthAt(at)) };
    return { t, kind: kind === CHUNK ? 'chunk' : 'passed', bytes: this.#bytes.subarray(at + HEADER, place.at) };
  }

  #lengthAt(at: number): number {
    return this.#bytes.readUInt32LE(at + 1);
  }

  #behind(at: number): number {
    const kind = this.#bytes[at];
    return at + HEADER + (kind === TEXT ? 0 : this.#lengthAt(at));
  }

  #takeText(place: BlockPlace, length: number): string {
    if (place.texts === '' && length > 0) place.texts = this.#textsBehind(place.at);
    const text = place.texts.slice(0, length);
    place.texts = place.texts.slice(length);
    return text;
  }

  /** The next texts that were written together. */
  #textsBehind(from: number): string {
    for (let at = from; at < this.#used; at = this.#behind(at)) {
      if (this.#bytes[at] === TEXTS) return this.#bytes.toString('utf8', at + HEADER, this.#behind(at));
    }
    return '';
  }
}
