import type { Entry } from './entries.ts';

/** What is kept as bytes: what came, what was passed on as it came, and a text that was sent. */
export type BytesKind = 'chunk' | 'passed';

/** What happens a few times in an exchange is kept as it is. */
export type ObjectEntry = Exclude<Entry, { readonly kind: BytesKind | 'sent' }>;

/** Where a reader is: in the bytes, and in the objects. */
export interface BlockPlace {
  at: number;
  objects: number;
}

/** In front of each entry: its kind, the length of its bytes, and its time. */
const HEADER = 1 + 4 + 8;
const OBJECT = 0;
const CHUNK = 1;
const PASSED = 2;
const TEXT = 3;

/** Entries that follow one another, in memory that the collector of garbage sees as one. */
export class RecordBlock {
  /** The number of its first entry. */
  readonly first: number;
  /** The number behind its last entry. */
  end: number;
  /** What it holds of memory, in bytes, be it filled or not. */
  size: number;
  readonly #bytes: Buffer;
  readonly #objects: ObjectEntry[] = [];
  #used = 0;

  /** @param length - of the bytes of its first entry, for which there is room */
  constructor(first: number, length: number, usual: number) {
    this.first = this.end = first;
    this.size = Math.max(HEADER + length, usual);
    this.#bytes = Buffer.allocUnsafeSlow(this.size);
  }

  hasRoom(length: number): boolean {
    return this.#used + HEADER + length <= this.#bytes.length;
  }

  addObject(entry: ObjectEntry, size: number): void {
    this.#objects.push(entry);
    this.size += size;
    this.#close(OBJECT, entry.t, 0);
  }

  addBytes(kind: BytesKind, t: number, bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#used + HEADER);
    this.#close(kind === 'chunk' ? CHUNK : PASSED, t, bytes.byteLength);
  }

  addText(t: number, text: string): void {
    this.#close(TEXT, t, this.#bytes.write(text, this.#used + HEADER));
  }

  #close(kind: number, t: number, length: number): void {
    const at = this.#used;
    this.#bytes[at] = kind;
    this.#bytes.writeUInt32LE(length, at + 1);
    this.#bytes.writeDoubleLE(t, at + 5);
    this.#used = at + HEADER + length;
    this.end++;
  }

  /** The entry at a place, which is moved behind it; undefined where there is none. */
  read(place: BlockPlace): Entry | undefined {
    if (place.at >= this.#used) return undefined;
    const kind = this.#bytes[place.at];
    const t = this.#bytes.readDoubleLE(place.at + 5);
    const from = place.at + HEADER;
    place.at = from + this.#bytes.readUInt32LE(place.at + 1);
    if (kind === OBJECT) return this.#objects[place.objects++];
    const bytes = this.#bytes.subarray(from, place.at);
    if (kind === TEXT) return { t, kind: 'sent', text: bytes.toString() };
    return { t, kind: kind === CHUNK ? 'chunk' : 'passed', bytes };
  }
}
