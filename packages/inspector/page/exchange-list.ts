import type { ExchangeRow, ListMessage } from '@turnwire/bridge/internal/inspect/api';
import { localNow } from './clock.ts';
import { follow, type Followed, type Link } from './follow.ts';
import { Store } from './store.ts';

/** The exchanges that the bridge keeps, as it tells of them. */
export class ExchangeList extends Store {
  link: Link = { state: 'connecting' };
  readonly #rows = new Map<string, ExchangeRow>();
  #followed: Followed | undefined;
  /** The bridge's clock less this browser's. */
  #ahead = 0;
  /** The next message is the first of its connection: it has all rows. */
  #isFirst = true;

  connect(url: string): void {
    this.#followed = follow<ListMessage>(url, {
      onMessage: (message) => this.#take(message),
      onLink: (link) => {
        this.link = link;
        if (link.state === 'connecting') this.#isFirst = true;
        this.changed();
      },
    });
  }

  retry(): void {
    this.#followed?.retry();
  }

  /** Unix milliseconds by the bridge's clock, as are the times of the rows. */
  now(): number {
    return localNow() + this.#ahead;
  }

  /** Oldest first. */
  rows(): readonly ExchangeRow[] {
    return [...this.#rows.values()];
  }

  row(id: string): ExchangeRow | undefined {
    return this.#rows.get(id);
  }

  #take({ now, rows, removed }: ListMessage): void {
    if (this.#isFirst) this.#rows.clear();
    this.#isFirst = false;
    this.#ahead = now - localNow();
    for (const row of rows) this.#rows.set(row.id, row);
    for (const id of removed) this.#rows.delete(id);
    this.changed();
  }
}
