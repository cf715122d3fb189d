import type { IncomingHttpHeaders } from 'node:http';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, zstdDecompress } from 'node:zlib';
import { isObject, MAX_JSON_DEPTH, type JsonObject } from '@turnwire/wire/internal/base/json';
import { jsonExcess } from '@turnwire/wire/internal/base/json-excess';
import { badRequest, type ApiError } from '../reply/api-error.ts';

interface Bounds {
  /** Bytes of the decoded body. */
  readonly maxOutputLength: number;
}

/** Codex compresses what it sends to OpenAI with zstd, wherever its base URL leads. */
const DECODERS: ReadonlyMap<string, (body: Uint8Array, bounds: Bounds) => Promise<Uint8Array>> = new Map([
  ['gzip', promisify<Uint8Array, Bounds, Buffer>(gunzip)],
  ['x-gzip', promisify<Uint8Array, Bounds, Buffer>(gunzip)],
  ['deflate', promisify<Uint8Array, Bounds, Buffer>(inflate)],
  ['br', promisify<Uint8Array, Bounds, Buffer>(brotliDecompress)],
  ['zstd', promisify<Uint8Array, Bounds, Buffer>(zstdDecompress)],
]);

/**
 * A compressed body may unfold to so many bytes whatever it was, and beyond that to so many times its own size: what
 * clients compress is a tenth or a twentieth of the text, and a bomb is a thousandth.
 */
const FREE_BYTES = 8 * 1024 * 1024;
const MAX_RATIO = 100;

/**
 * Brackets and commas of a request. A conversation that fills the largest context window, with hundreds of tools, has
 * some ten thousands; each costs about a thousand times the memory and the time of a byte of text.
 */
const MAX_VALUES = 200_000;

export interface Refused {
  readonly refusal: ApiError;
}

/** A body that was read. */
export interface ReadBody {
  readonly body: JsonObject;
  /** Characters of its text. */
  readonly size: number;
}

/** The JSON object that a request is, or what is wrong with it. Nothing is parsed that would cost too much. */
export function readRequest(text: string): ReadBody | Refused {
  const excess = jsonExcess(text, { depth: MAX_JSON_DEPTH, values: MAX_VALUES });
  if (excess === 'depth')
    return { refusal: badRequest(`the request is nested more than ${MAX_JSON_DEPTH} levels deep`) };
  if (excess === 'values') {
    const message = `the request has more than ${MAX_VALUES} values`;
    return { refusal: badRequest(message, { status: 413, code: 'request_too_large' }) };
  }
  try {
    const body: unknown = JSON.parse(text);
    return isObject(body)
      ? { body, size: text.length }
      : { refusal: badRequest('the request has to be a JSON object') };
  } catch {
    return { refusal: badRequest('the request is not valid JSON', { code: 'invalid_json' }) };
  }
}

/** A request that may be compressed, read; `limit` is in bytes. */
export async function bodyOf(
  { body, headers }: { readonly body: Uint8Array; readonly headers: IncomingHttpHeaders },
  limit: number,
): Promise<ReturnType<typeof readRequest>> {
  const coding = headers['content-encoding'];
  const bytes = coding === undefined ? body : await decodedBody(body, coding, limit);
  return 'refusal' in bytes ? bytes : readRequest(textOfBody(bytes));
}

/** The text of a body; its bytes are not copied. */
export function textOfBody(body: Uint8Array): string {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString();
}

/** The body of a request without its `content-encoding`, or what is wrong with it. */
export async function decodedBody(body: Uint8Array, coding: string, limit: number): Promise<Uint8Array | Refused> {
  const name = coding.trim().toLowerCase();
  if (name === '' || name === 'identity') return body;
  const decode = DECODERS.get(name);
  if (decode === undefined) {
    const message = `content-encoding: ${coding} is not supported; ${[...DECODERS.keys()].join(', ')} are`;
    return { refusal: badRequest(message, { status: 415, code: 'unsupported_media_type' }) };
  }
  const unfolded = Math.min(limit, Math.max(FREE_BYTES, MAX_RATIO * body.byteLength));
  try {
    return await decode(body, { maxOutputLength: unfolded });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return { refusal: tooLarge(unfolded) };
    return { refusal: badRequest(`the body is not what content-encoding: ${coding} says`) };
  }
}

/** The answer to a body above the limit, in bytes. */
export function tooLarge(limit: number): ApiError {
  return badRequest(`the body is over ${limit} bytes (--body-limit of the bridge)`, {
    status: 413,
    code: 'request_too_large',
  });
}
