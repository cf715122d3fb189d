import type { ExchangeRecord, ExchangeRow, RecordsMessage } from '@turnwire/bridge/internal/inspect/api';
import { follow, type Followed, type Link } from './follow.ts';
import { Store } from './store.ts';

/** Everything that happened in one exchange, as far as the bridge keeps it. */
export class ExchangeRecords extends Store {
  readonly id: string;
  row: ExchangeRow | undefined;
  link: Link = { state: 'connecting' };
  records: ExchangeRecord[] = [];
  /** Grows when what was read before is void. */
  era = 0;
  /** Index of the first record that is here. */
  #base = 0;
  readonly #followed: Followed;

  constructor(id: string) {
    super();
    this.id = id;
    this.#followed = follow<RecordsMessage>(recordsUrl(id), {
      onMessage: (message) => this.#take(message),
      onLink: (link) => {
        this.link = link;
        this.changed();
      },
      isOver: () => this.row?.endedAt !== undefined && this.records.at(-1)?.kind === 'end',
    });
  }

  retry(): void {
    this.#followed.retry();
  }

  close(): void {
    this.#followed.close();
  }

  #take({ row, from, records }: RecordsMessage): void {
    this.row = row;
    if (from !== this.#base + this.records.length) {
      this.era++;
      this.#base = from;
      this.records = [];
    }
    this.records.push(...records);
    this.changed();
  }
}

function recordsUrl(id: string): string {
  return `api/exchanges/${encodeURIComponent(id)}`;
}

export function tapeUrl(id: string): string {
  return `${recordsUrl(id)}/tape`;
}

export function curlUrl(id: string): string {
  return `${recordsUrl(id)}/curl`;
}
