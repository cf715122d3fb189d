import type { ExchangeRecord, ExchangeRow } from './api.ts';

/** The exchanges that a page shows: those of a bridge that runs, or of the past. */
export interface ExchangeSource {
  /** The time by the clock of the rows, in Unix milliseconds. */
  now(): number;
  /** The ids of all, the oldest first. */
  ids(): Iterable<string>;
  /** Undefined for one that is not kept any more. */
  row(id: string): ExchangeRow | undefined;
  /** Reads what happened in it from the beginning; undefined where that is not kept. Rejects for a file that cannot be read. */
  read(id: string): Promise<RecordReader | undefined>;
  /**
   * Calls back with the id of each exchange that is new, has changed, or is not kept any more, as often as that happens; until
   * the returned function is called.
   */
  watch(listener: (id: string) => void): () => void;
}

/** Reads the records of one exchange, in order. */
export interface RecordReader {
  /** The next records, made of about so many bytes; none when nothing has happened since. */
  next(bytes: number): readonly ExchangeRecord[];
  /** Nothing more will come. */
  readonly ended: boolean;
}
