import { protocolOfPath } from '@turnwire/wire/internal/protocols';
import { isObject, type JsonObject } from '@turnwire/wire/internal/base/json';
import type { ProtocolId } from '@turnwire/wire';
import type { TapedChunk, TapedExchange } from '@turnwire/testing';
import { readBodyOf } from '@turnwire/testing/internal/tape/body';
import { requestOf, socketAnswers } from './findings-of.ts';

/** An answer on a tape, ready to be decoded. */
export interface TapedBody {
  readonly wire: ProtocolId;
  readonly chunks: readonly TapedChunk[];
  /** The connection was still open when the tape ended. */
  readonly open: boolean;
  /** What the request asked for. */
  readonly usageAsked: boolean;
  readonly tokenLimit: boolean;
}

/**
 * The answers on a tape: one over HTTP, one for each request on a socket; none where no model was asked.
 *
 * @param known - the wire of one over HTTP, whatever its path says
 */
export function bodiesOf(exchange: TapedExchange, known?: ProtocolId): readonly TapedBody[] {
  const open = exchange.end.how === 'client-left' || exchange.end.how === 'stopped';
  if (exchange.kind === 'websocket') {
    return socketAnswers(exchange).map(({ body, answer }) => ({
      wire: 'responses',
      // The JSON of a message is that of an event.
      chunks: answer.events.map(({ ms, data }) => ({ ms, data: Buffer.from(`data: ${data}\n\n`) })),
      open,
      ...asked(body),
    }));
  }
  const wire = known ?? protocolOfPath(exchange.request.target);
  return wire === undefined ? [] : [{ wire, chunks: decodedChunks(exchange), open, ...asked(requestOf(exchange)) }];
}

function asked(body: JsonObject): Pick<TapedBody, 'usageAsked' | 'tokenLimit'> {
  const limits = [body.max_tokens, body.max_completion_tokens, body.max_output_tokens];
  return { usageAsked: isObject(body.stream_options), tokenLimit: limits.some((limit) => typeof limit === 'number') };
}

/** What was compressed is one chunk. */
function decodedChunks({ response, chunks }: TapedExchange): readonly TapedChunk[] {
  const body = Buffer.concat(chunks.map(({ data }) => data));
  const plain = readBodyOf(response?.headers ?? [], body);
  return plain === body || plain === undefined ? chunks : [{ ms: chunks.at(-1)?.ms ?? 0, data: plain }];
}
