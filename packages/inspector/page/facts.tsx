import type { ExchangeRow } from '@turnwire/bridge/internal/inspect/api';
import { visible } from '@turnwire/wire/internal/base/printable';
import type { JSX } from 'preact';
import {
  bytesText,
  durationMs,
  firstEventMs,
  isOpen,
  rateText,
  serverText,
  timeText,
  tokensOf,
  tokensPerSecond,
} from './figures.ts';

export interface Fact {
  readonly name: string;
  readonly value: string;
}

/** What there is to say of an exchange in figures, always in the same order: two are compared by it. */
export function factsOf(row: ExchangeRow, now: number): readonly Fact[] {
  const first = firstEventMs(row);
  const rate = tokensPerSecond(row);
  return [
    { name: 'Model', value: visible(row.model ?? '–') },
    { name: 'Server', value: serverText(row.upstream ?? '–') },
    { name: 'Client', value: visible(row.client ?? '–') },
    { name: 'Wires', value: `${row.wire ?? '–'} → ${row.upstreamWire ?? '–'}` },
    { name: 'First event', value: first === undefined ? '–' : timeText(first) },
    {
      name: 'Tokens/s',
      value: rate === undefined ? '–' : `${row.outputTokens === undefined ? '~' : ''}${rateText(rate)}`,
    },
    { name: 'Tokens in', value: row.inputTokens === undefined ? '–' : String(row.inputTokens) },
    { name: 'Tokens out', value: `${row.outputTokens === undefined ? '~' : ''}${tokensOf(row)}` },
    { name: isOpen(row) ? 'Time so far' : 'Time', value: timeText(durationMs(row, now)) },
    { name: 'Attempts', value: String(row.attempts) },
    { name: 'Status', value: String(row.status ?? '–') },
    { name: 'Bytes', value: bytesText(row.bytes) },
  ];
}

export function Facts({ row, now }: { readonly row: ExchangeRow; readonly now: number }): JSX.Element {
  return (
    <dl class="facts">
      {factsOf(row, now).map(({ name, value }) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd title={value}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
