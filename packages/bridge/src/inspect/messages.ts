import { nextTurn } from '@turnwire/client/internal/platform/wait';
import type { ExchangeRow, ListMessage, RecordsMessage } from './api.ts';
import type { FeedSource } from './feed.ts';
import type { ExchangeSource, RecordReader } from './source.ts';

/** Rows in one message, and bytes of what is made into records for one: each takes a few tens of milliseconds at most. */
const MOST_ROWS = 500;
const MOST_BYTES = 256 * 1024;

/** The list of all exchanges, and what changes in it. */
export class ListSource implements FeedSource {
  readonly ended = false;
  readonly #source: ExchangeSource;
  readonly #changed: Set<string>;
  #isFirst = true;

  constructor(source: ExchangeSource) {
    this.#source = source;
    this.#changed = new Set(source.ids());
  }

  /** True where that is news for this list. */
  changed(id: string): boolean {
    this.#changed.add(id);
    return true;
  }

  pull(): string | undefined {
    if (this.#changed.size === 0 && !this.#isFirst) return undefined;
    this.#isFirst = false;
    return JSON.stringify(this.message());
  }

  /** The next rows that have changed. */
  message(most = MOST_ROWS): ListMessage {
    const rows: ExchangeRow[] = [];
    const removed: string[] = [];
    for (const id of this.#changed) {
      if (rows.length >= most) break;
      this.#changed.delete(id);
      const row = this.#source.row(id);
      if (row === undefined) removed.push(id);
      else rows.push(row);
    }
    return { now: this.#source.now(), rows, removed };
  }
}

/** What happened in one exchange, and goes on to happen. */
export class RecordsSource implements FeedSource {
  readonly #source: ExchangeSource;
  readonly #id: string;
  readonly #reader: RecordReader;
  #from = 0;
  #isRowNew = true;
  #isOver = false;

  constructor(source: ExchangeSource, id: string, reader: RecordReader) {
    this.#source = source;
    this.#id = id;
    this.#reader = reader;
  }

  get ended(): boolean {
    return this.#isOver;
  }

  /** True where that is news for this exchange: its row has changed, be there new records or none. */
  changed(id: string): boolean {
    if (id === this.#id) this.#isRowNew = true;
    return id === this.#id;
  }

  /** All that is known by now. Others have their turns while it is made. */
  async whole(): Promise<RecordsMessage | undefined> {
    const first = this.message(MOST_BYTES);
    if (first === undefined) return undefined;
    const records = [...first.records];
    for (let more: RecordsMessage | undefined = first; more !== undefined;) {
      await nextTurn();
      more = this.message(MOST_BYTES);
      for (const record of more?.records ?? []) records.push(record);
    }
    return { ...first, row: this.#source.row(this.#id) ?? first.row, records };
  }

  pull(): string | undefined {
    const message = this.message(MOST_BYTES);
    return message === undefined ? undefined : JSON.stringify(message);
  }

  /** What is new, made of about so many bytes; undefined for nothing, and for an exchange that is not kept any more. */
  message(bytes: number): RecordsMessage | undefined {
    const row = this.#source.row(this.#id);
    const records = row === undefined ? [] : this.#reader.next(bytes);
    this.#isOver = row === undefined || this.#reader.ended;
    if (row === undefined || (records.length === 0 && !this.#isRowNew)) return undefined;
    this.#isRowNew = false;
    const from = this.#from;
    this.#from += records.length;
    return { now: this.#source.now(), row, from, records };
  }
}
