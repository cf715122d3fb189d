import { entrySize, type Entry } from './entries.ts';

/** Bounds of what is kept of exchanges, in bytes of {@link entrySize}. */
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

/**
 * The entries of one exchange, numbered from 0. The beginning and the end are kept: where they are too large together, the
 * oldest behind the beginning go.
 */
export class RecordLog {
  ended = false;
  readonly #memory: RecordMemory;
  readonly #most: number;
  #head: Entry[] = [];
  #tail: Entry[] = [];
  /** Place of the first entry of the tail that is still there. */
  #from = 0;
  /** Number of entries between the two that are not there any more. */
  #dropped = 0;
  #headBytes = 0;
  #tailBytes = 0;

  constructor(memory: RecordMemory) {
    this.#memory = memory;
    this.#most = memory.limits.each / 2;
  }

  /** The number that the next entry will have. */
  get end(): number {
    return this.#head.length + this.#dropped + this.#tail.length - this.#from;
  }

  add(entry: Entry): void {
    if (this.end === 0) this.#memory.hold(this);
    const size = entrySize(entry);
    if (this.#tail.length === 0 && this.#headBytes + size <= this.#most) {
      this.#head.push(entry);
      this.#headBytes += size;
    } else {
      this.#tail.push(entry);
      this.#tailBytes += size;
    }
    this.#memory.changed(size);
    while (this.#from < this.#tail.length && (this.#tailBytes > this.#most || this.#memory.isFull)) this.#dropOldest();
  }

  /** The entry of a number; or how many from that number on are not there any more. */
  at(number: number): Entry | number {
    const inTail = number - this.#head.length - this.#dropped;
    return this.#head[number] ?? (inTail < 0 ? -inTail : (this.#tail[this.#from + inTail] ?? 0));
  }

  clear(): void {
    this.#dropped = this.end;
    this.#memory.changed(-this.#headBytes - this.#tailBytes);
    this.#head = [];
    this.#tail = [];
    this.#from = this.#headBytes = this.#tailBytes = 0;
  }

  #dropOldest(): void {
    const oldest = this.#tail[this.#from++];
    if (oldest === undefined) return;
    const size = entrySize(oldest);
    this.#dropped++;
    this.#tailBytes -= size;
    this.#memory.changed(-size);
    if (this.#from < 1024 || this.#from * 2 < this.#tail.length) return;
    this.#tail = this.#tail.slice(this.#from); // each entry is moved once for as many that were dropped
    this.#from = 0;
  }
}
