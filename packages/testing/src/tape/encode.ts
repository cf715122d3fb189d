import type { JsonObject } from '@turnwire/wire/internal/base/json';
import {
  TAPE_VERSION,
  type TapedEnd,
  type TapedExchange,
  type TapedMessage,
  type TapedRequest,
  type TapedResponse,
} from './tape.ts';

/** Bytes as a tape has them: text where that is exact, else base64. */
export function encodeData(data: string | Uint8Array): JsonObject {
  if (typeof data === 'string') return { text: data };
  try {
    return { text: exactUtf8.decode(data) };
  } catch {
    return { base64: Buffer.from(data).toString('base64') };
  }
}

// A BOM is a part of the bytes.
const exactUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The first line of a tape. */
export function encodeRequest(request: TapedRequest, kind: TapedExchange['kind']): JsonObject {
  const { at, method, target, headers, body } = request;
  return {
    tape: TAPE_VERSION,
    kind,
    at,
    request: { method, target, headers, ...(body.length === 0 ? {} : { body: encodeData(body) }) },
  };
}

/** The line of a head. */
export function encodeHead({ ms, status, reason, headers }: TapedResponse): JsonObject {
  return { ms, status, reason, headers };
}

/** The line of a WebSocket message. */
export function encodeMessage({ ms, from, kind, data }: TapedMessage): JsonObject {
  const ping = kind === 'ping';
  const binary = typeof data !== 'string' && !ping;
  return { ms, from, ...(ping ? { ping } : {}), ...(binary ? { binary } : {}), ...encodeData(data) };
}

/** The last line. */
export function encodeEnd({ ms, how, ...more }: TapedEnd): JsonObject {
  return { ms, end: how, ...more };
}

/** A whole tape as the text of its file; `parseTape` reads it. One that is torn has no last line. */
export function encodeExchange({ kind, request, response, chunks, messages, end }: TapedExchange): string {
  const lines = [
    encodeRequest(request, kind),
    ...(response === undefined ? [] : [encodeHead(response)]),
    ...chunks.map(({ ms, data }) => ({ ms, ...encodeData(data) })),
    ...messages.map(encodeMessage),
    ...(end.how === 'torn' ? [] : [encodeEnd(end)]),
  ];
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}
