import { entrySize, type Entry } from './entries.ts';
import { BLOCK_BYTES, RecordBlock, type BytesKind, type ObjectEntry } from './record-block.ts';

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
  /** Blocks that are not used, for the next ones: new memory costs the system and the collector of garbage more than it holds. */
  readonly #free: Buffer[] = [];
  #used = 0;

  constructor(limits: MemoryLimits) {
    this.limits = limits;
  }

  /** The log has its first entry. */
  hold(log: RecordLog): void {
    this.#logs.add(log);
  }

  /** Memory for a block; as long as usual where that is enough. */
  take(length: number): Buffer {
    if (length > BLOCK_BYTES) return Buffer.allocUnsafeSlow(length);
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES);
  }

  /** The block is not used any more. */
  giveBack(memory: Buffer): void {
    if (memory.length === BLOCK_BYTES) this.#free.push(memory);
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
  #headBytes = 0;
  #tailBytes = 0;
  #last: RecordBlock | undefined;
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
    const block = this.#roomFor(RecordBlock.forBytes(0));
    if (block === undefined) return;
    block.addObject(entry, size);
    this.#grew(size);
  }

  /** Copies the bytes: a buffer that lives on costs the collector of garbage many times that. */
  addBytes(kind: BytesKind, t: number, bytes: Uint8Array): void {
    this.#roomFor(RecordBlock.forBytes(bytes.byteLength))?.addBytes(kind, t, bytes);
  }

  addText(t: number, text: string): void {
    this.#roomFor(RecordBlock.forText(text))?.addText(t, text);
  }

  /** Undefined where nothing of it is there any more, nor of what came later. */
  blockOf(number: number): RecordBlock | undefined {
    return this.#head.find(({ end }) => number < end) ?? this.#tail.find(({ end }) => number < end);
  }

  /** Nothing of it is kept, nor of what is still to come. */
  clear(): void {
    this.#isCleared = true;
    this.#before = this.end;
    this.#last = undefined;
    for (const block of [...this.#head.splice(0), ...this.#tail.splice(0)]) this.#drop(block);
  }

  /** An entry is not kept. */
  #skip(): void {
    this.#before = this.end + 1;
    this.#last = undefined;
  }

  /** Undefined where it is kept no more: usage may come late. */
  #roomFor(bytes: number): RecordBlock | undefined {
    if (this.#isCleared) return undefined;
    return this.#last?.hasRoom(bytes) === true ? this.#last : this.#open(bytes);
  }

  #open(bytes: number): RecordBlock {
    if (this.end === 0) this.#memory.hold(this);
    const block = new RecordBlock(this.end, this.#memory.take(bytes));
    const fits = this.#headBytes + block.size <= this.#most && !this.#memory.isFull;
    (this.#tail.length === 0 && fits ? this.#head : this.#tail).push(block);
    this.#before = block.end;
    this.#last = block;
    this.#grew(block.size);
    return block;
  }

  /** The last block did. */
  #grew(bytes: number): void {
    if (this.#tail.length === 0) this.#headBytes += bytes;
    else this.#tailBytes += bytes;
    this.#memory.changed(bytes);
    // What is written now stays.
    while (this.#tail.length > 1 && (this.#memory.isFull || this.#tailBytes > this.#most)) {
      const oldest = this.#tail.shift();
      if (oldest === undefined) return;
      this.#tailBytes -= oldest.size;
      this.#drop(oldest);
    }
  }

  #drop(block: RecordBlock): void {
    this.#memory.changed(-block.size);
    this.#memory.giveBack(block.drop());
  }
}

/** Reads the entries of a log in order, as they come. */
export class LogCursor {
  readonly #log: RecordLog;
  #block: RecordBlock | undefined;
  #place = { at: 0, objects: 0, texts: '' };
  #number = 0;

  constructor(log: RecordLog) {
    this.#log = log;
  }

  get atEnd(): boolean {
    return this.#number >= this.#log.end;
  }

  /** The next entry; how many follow that are not there any more; undefined when all was read. */
  next(): Entry | number | undefined {
    if (this.#block === undefined || this.#block.isDropped || this.#number >= this.#block.end) {
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
    this.#place = { at: 0, objects: 0, texts: '' };
    this.#number = from;
    return gone;
  }
}
