import type { ExchangeRecord, ExchangeRow, RecordsMessage } from '@turnwire/bridge/internal/inspect/api';
import { attemptsOf, type ParsedTrace, type TraceLine } from '@turnwire/bridge/internal/observe/read-trace';
import { encodeExchange } from '@turnwire/testing/internal/tape/encode';
import { protocols } from '@turnwire/wire/internal/protocols';
import { tapesOfTrace } from './trace-tapes.ts';

/**
 * An exchange of a bridge as a tape of its server: the one that was asked last, as its trace would give it. Undefined where
 * there is no request.
 */
export function tapeOfRecords({ row, records }: Pick<RecordsMessage, 'row' | 'records'>): string | undefined {
  const request = records.find((record) => record.kind === 'request');
  const tape = request === undefined ? undefined : tapesOfTrace(traceOf(row, request, records)).at(-1);
  if (tape === undefined) return undefined;
  const { end } = tape.exchange;
  // What has no end goes on: it was not torn.
  const how = end.how === 'torn' ? 'stopped' : end.how;
  return encodeExchange({ ...tape.exchange, file: `${row.id}.tape.jsonl`, end: { ...end, how } });
}

type RequestRecord = Extract<ExchangeRecord, { readonly kind: 'request' }>;

function traceOf(row: ExchangeRow, request: RequestRecord, records: readonly ExchangeRecord[]): ParsedTrace {
  const { method, headers, body } = request;
  const lines = records.flatMap(linesOf);
  const attempts = attemptsOf(lines);
  const end = lines.findLast((line) => line.kind === 'end');
  return {
    at: new Date(row.startedAt).toISOString(),
    client: { method, url: targetOf(row, request), headers, body: body === undefined ? '' : JSON.stringify(body) },
    route: row.route,
    lines,
    attempts: attempts.length > 0 ? attempts : [{ number: 0, upstream: '', ms: 0, received: [] }],
    ...(end === undefined ? {} : { end }),
  };
}

/** Where a server has the answer, for what does not say what it was sent: its wire may be another than the client's. */
function targetOf({ upstreamWire, wire }: ExchangeRow, { url }: RequestRecord): string {
  return upstreamWire === undefined || upstreamWire === wire ? url : `/v1/${protocols[upstreamWire].path}`;
}

/** What a tape needs of a record, as a trace tells it. */
function linesOf(record: ExchangeRecord): readonly TraceLine[] {
  const { t: ms } = record;
  switch (record.kind) {
    case 'attempt':
    case 'asked':
    case 'head':
    case 'end':
      return [{ ms, ...record }];
    case 'chunk':
      return [{ ms, kind: 'received', text: record.text, cuts: record.bytes === 0 ? [] : [[ms, record.bytes]] }];
    case 'body':
      return [{ ms, kind: 'ended', how: record.how }];
    case 'request':
    case 'events':
    case 'sent':
    case 'repair':
    case 'usage':
    case 'dropped':
      return [];
  }
}
