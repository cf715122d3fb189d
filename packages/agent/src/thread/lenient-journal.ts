import { thrownText } from '@turnwire/wire/internal/base/thrown-text';
import type { Journal, ThreadRecord } from './records.ts';
import { ThreadError } from './thread-error.ts';

/**
 * A journal for the turn that survives a full disk: the first failure of a turn to write is reported as a warning,
 * and the turn goes on. Three things still fail: a turn does not begin that cannot be written down, a tool does not
 * run unrecorded, and nobody writes another one's thread.
 */
export class LenientJournal implements Journal {
  readonly #journal: Journal;
  #warn: ((message: string) => void) | undefined;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** From now on the first failure is passed to `warn`. */
  beginTurn(warn: (message: string) => void): void {
    this.#warn = warn;
  }

  async append(record: ThreadRecord, options?: { durable?: boolean }): Promise<void> {
    try {
      await this.#journal.append(record, options);
    } catch (error) {
      if (error instanceof ThreadError || record.type === 'tool.started' || record.type === 'tool.finished')
        throw error;
      const why = thrownText(error);
      if (record.type === 'turn.started')
        throw new ThreadError(`the conversation cannot be written down: ${why}`, 'unwritable');
      this.#warn?.(`the conversation is not kept as a whole: ${why}`);
      this.#warn = undefined;
    }
  }
}
