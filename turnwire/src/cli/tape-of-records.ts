import { STATUS_CODES } from '@turnwire/client/internal/platform/node-http';
import type { TapedEnd, TapedExchange } from '@turnwire/testing';
import { encodeExchange } from '@turnwire/testing/internal/tape/encode';
import type { ExchangeRecord, ExchangeRow, RecordsMessage } from '@turnwire/bridge/internal/inspect/api';
import { protocols } from '@turnwire/wire/internal/protocols';

/** What the connection of a tape has of its own, or what masked bytes do not have any more. */
export const ownHeaders = /^(?:connection|transfer-encoding|content-length|content-encoding|host|keep-alive)$/i;

type Of<K extends ExchangeRecord['kind']> = Extract<ExchangeRecord, { readonly kind: K }>;

/**
 * An exchange of a bridge as a tape of its server: the last answer, under the path of the wire that it was asked on. The
 * request is the client's, for what the server was sent is not kept. Undefined where there is no request.
 */
export function tapeOfRecords({ row, records }: Pick<RecordsMessage, 'row' | 'records'>): string | undefined {
  const request = records.find((record) => record.kind === 'request');
  if (request === undefined) return undefined;
  const from = records.findLastIndex(({ kind }) => kind === 'head');
  const head = records[from];
  const answer = from < 0 ? [] : records.slice(from);
  const exchange: TapedExchange = {
    file: `${row.id}.tape.jsonl`,
    kind: 'http',
    request: {
      at: new Date(row.startedAt).toISOString(),
      method: request.method,
      target: targetOf(row, request),
      headers: headersOf(request),
      body: Buffer.from(request.body === undefined ? '' : JSON.stringify(request.body)),
    },
    ...(head?.kind === 'head' ? { response: responseOf(head) } : {}),
    chunks: answer.flatMap((record) =>
      record.kind === 'chunk' && record.text !== '' ? [{ ms: record.t, data: Buffer.from(record.text) }] : [],
    ),
    messages: [],
    end: endOf(row, records),
  };
  return encodeExchange(exchange);
}

/** Where a server has the answer: its wire may be another than the client's. */
function targetOf({ upstreamWire, wire }: ExchangeRow, { url }: Of<'request'>): string {
  return upstreamWire === undefined || upstreamWire === wire ? url : `/v1/${protocols[upstreamWire].path}`;
}

function responseOf(head: Of<'head'>): NonNullable<TapedExchange['response']> {
  return { ms: head.t, status: head.status, reason: STATUS_CODES[head.status] ?? '', headers: headersOf(head) };
}

function headersOf({ headers }: Of<'head' | 'request'>): readonly (readonly [string, string])[] {
  return Object.entries(headers).filter(([name]) => !ownHeaders.test(name));
}

function endOf(
  { state, status, startedAt, lastByteAt, error }: ExchangeRow,
  records: readonly ExchangeRecord[],
): TapedEnd {
  const ms = lastByteAt === undefined ? (records.at(-1)?.t ?? 0) : Math.max(0, lastByteAt - startedAt);
  if (status === undefined && error !== undefined) return { ms, how: 'failed', error: error.message };
  if (state === 'aborted') return { ms, how: 'client-left' };
  if (error?.kind === 'stream_truncated') return { ms, how: 'cut' };
  return { ms, how: records.some(({ kind }) => kind === 'end') ? 'complete' : 'stopped' };
}
