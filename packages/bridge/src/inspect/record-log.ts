import { entrySize, type Entry } from './entries.ts';
import { RecordBlock, type BytesKind, type ObjectEntry } from './record-block.ts';

/** Bounds of what is kept of exchanges, in bytes. */
export interface MemoryLimits {
  /** Of one exchange. */
  readonly each: number;
  /** Of all. */
  readonly all: number;
}

/** The memory that the records of all exchanges share: those of exchanges that are over go first, the oldest before the others. */
export class RecordMemory {
  readonly limits: MemoryLimits;
  readonly #logs = new Set<RecordLog>();
  #used = 0;

  constructor(limits: MemoryLimits) {
    this.limits = limits;
  }

  /** The log has its first entry. */
  hold(log: RecordLog): void {
    this.#logs.add(log);
  }

  /** So many bytes more are in a log, or fewer. */
  changed(bytes: number): void {
    this.#used += bytes;
    if (bytes > 0 && this.isFull) this.#makeRoom();
  }

  get isFull(): boolean {
    return this.#used > this.limits.all;
  }

  /** The log is not kept any more. */
  forget(log: RecordLog): void {
    log.clear();
    this.#logs.delete(log);
  }

  #makeRoom(): void {
    for (const log of this.#logs) {
      if (!this.isFull) return;
      if (log.ended) this.forget(log);
    }
  }
}

/** A block is four times as large as the one before it: little is held for an exchange of a few events. */
const FIRST_BLOCK = 1024;
const MOST_BLOCK = 64 * 1024;

/**
 * The entries of one exchange, numbered from 0, in blocks of memory. The beginning and the end are kept: where they are too
 * large together, the oldest blocks behind the beginning go.
 */
export class RecordLog {
  ended = false;
  readonly #memory: RecordMemory;
  /** Of the beginning, and of the end. */
  readonly #most: number;
  #head: RecordBlock[] = [];
  #tail: RecordBlock[] = [];
  #last: RecordBlock | undefined;
  #nextBlock = FIRST_BLOCK;
  #isCleared = false;
  /** The number behind the last block. */
  #before = 0;

  constructor(memory: RecordMemory) {
    this.#memory = memory;
    this.#most = memory.limits.each / 2;
  }

  /** The number that the next entry will have. */
  get end(): number {
    return this.#last?.end ?? this.#before;
  }

  addObject(entry: ObjectEntry): void {
    const size = entrySize(entry);
    if (size > this.#most) {
      this.#skip();
      return;
    }
    const block = this.#roomFor(0);
    if (block === undefined) return;
    block.addObject(entry, size);
    this.#memory.changed(size);
    this.#dropOldest();
  }

  /** Copies the bytes: a buffer that lives on costs the collector of garbage many times that. */
  addBytes(kind: BytesKind, t: number, bytes: Uint8Array): void {
    this.#roomFor(bytes.byteLength)?.addBytes(kind, t, bytes);
  }

  addText(t: number, text: string): void {
    this.#roomFor(3 * text.length)?.addText(t, text); // UTF-8 takes three bytes at most for a unit of UTF-16
  }

  /** Undefined where nothing of it is there any more, nor of what came later. */
  blockOf(number: number): RecordBlock | undefined {
    return this.#head.find(({ end }) => number < end) ?? this.#tail.find(({ end }) => number < end);
  }

  /** Nothing of it is kept, nor of what is still to come. */
  clear(): void {
    this.#isCleared = true;
    this.#before = this.end;
    const blocks = [...this.#head, ...this.#tail];
    this.#head = [];
    this.#tail = [];
    this.#last = undefined;
    for (const { size } of blocks) this.#memory.changed(-size);
  }

  /** An entry is not kept. */
  #skip(): void {
    this.#before = this.end + 1;
    this.#last = undefined;
  }

  /** Undefined where it is kept no more: usage may come late. */
  #roomFor(length: number): RecordBlock | undefined {
    if (this.#isCleared) return undefined;
    return this.#last?.hasRoom(length) === true ? this.#last : this.#open(length);
  }

  #open(length: number): RecordBlock {
    if (this.end === 0) this.#memory.hold(this);
    const block = new RecordBlock(this.end, length, this.#nextBlock);
    this.#nextBlock = Math.min(4 * this.#nextBlock, MOST_BLOCK);
    const isHead = this.#tail.length === 0 && sizeOf(this.#head) + block.size <= this.#most && !this.#memory.isFull;
    (isHead ? this.#head : this.#tail).push(block);
    this.#before = block.end;
    this.#last = block;
    this.#memory.changed(block.size);
    this.#dropOldest();
    return block;
  }

  /** What is written now stays. */
  #dropOldest(): void {
    while (this.#tail.length > 1 && (this.#memory.isFull || sizeOf(this.#tail) > this.#most)) {
      this.#memory.changed(-(this.#tail.shift()?.size ?? 0));
    }
  }
}

function sizeOf(blocks: readonly RecordBlock[]): number {
  return blocks.reduce((sum, { size }) => sum + size, 0);
}

/** Reads the entries of a log in order, as they come. */
export class LogCursor {
  readonly #log: RecordLog;
  #block: RecordBlock | undefined;
  #place = { at: 0, objects: 0 };
  #number = 0;

  constructor(log: RecordLog) {
    this.#log = log;
  }

  get atEnd(): boolean {
    return this.#number >= this.#log.end;
  }

  /** The next entry; how many follow that are not there any more; undefined when all was read. */
  next(): Entry | number | undefined {
    if (this.#block === undefined || this.#number >= this.#block.end) {
      if (this.atEnd) return undefined;
      const gone = this.#enter(this.#log.blockOf(this.#number));
      if (gone > 0) return gone;
    }
    this.#number++;
    return this.#block?.read(this.#place);
  }

  /** Returns how many entries are missed on the way. */
  #enter(block: RecordBlock | undefined): number {
    const from = block?.first ?? this.#log.end;
    const gone = from - this.#number;
    this.#block = block;
    this.#place = { at: 0, objects: 0 };
    this.#number = from;
    return gone;
  }
}
