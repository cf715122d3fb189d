import { useEffect, useMemo, useState } from 'preact/hooks';
import { Moments } from './columns.ts';
import { Conversation } from './conversation.ts';
import { ExchangeRecords } from './exchange-records.ts';
import { useStore } from './store.ts';
import { Timeline } from './timeline.ts';

/** One exchange as it is shown: everything is folded record by record, as the records come. */
export class Exchange {
  readonly records: ExchangeRecords;
  timeline = new Timeline();
  moments = new Moments();
  conversation = new Conversation(undefined);
  #taken = 0;
  #era = -1;

  constructor(id: string) {
    this.records = new ExchangeRecords(id);
  }

  /** Takes what came since. */
  update(): void {
    const { records, era, row } = this.records;
    if (row === undefined) return;
    if (era !== this.#era) {
      this.#era = era;
      this.#taken = 0;
      this.timeline = new Timeline();
      this.moments = new Moments();
      this.conversation = new Conversation(row.wire);
    }
    if (row.finishedAt !== undefined) this.timeline.finish(row.finishedAt - row.startedAt);
    for (; this.#taken < records.length; this.#taken++) {
      const record = records[this.#taken];
      if (record === undefined) break;
      this.timeline.push(record);
      this.moments.push(record);
      this.conversation.push(record);
    }
  }
}

/** Follows an exchange for as long as it is shown; `version` grows with what comes. */
export function useExchange(id: string): { readonly exchange: Exchange; readonly version: number } {
  const exchange = useMemo(() => new Exchange(id), [id]);
  useEffect(() => () => exchange.records.close(), [exchange]);
  const version = useStore(exchange.records);
  useMemo(() => exchange.update(), [exchange, version]);
  return { exchange, version };
}

/** A state that begins anew with each exchange. */
export function useStateOf<Value>(id: string, first: Value): readonly [Value, (value: Value) => void] {
  const [held, setHeld] = useState({ id, value: first });
  return [held.id === id ? held.value : first, (value) => setHeld({ id, value })];
}
