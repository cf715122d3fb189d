import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, zstdDecompress } from 'node:zlib';
import { badRequest, type ApiError } from './api-error.ts';

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

/** The body of a request without its `content-encoding`, or what is wrong with it. */
export async function decodedBody(
  body: Uint8Array,
  coding: string,
  limit: number,
): Promise<Uint8Array | { readonly refusal: ApiError }> {
  const name = coding.trim().toLowerCase();
  if (name === '' || name === 'identity') return body;
  const decode = DECODERS.get(name);
  if (decode === undefined) {
    const message = `content-encoding: ${coding} is not supported; ${[...DECODERS.keys()].join(', ')} are`;
    return { refusal: badRequest(message, { status: 415, code: 'unsupported_media_type' }) };
  }
  try {
    return await decode(body, { maxOutputLength: limit });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return { refusal: tooLarge(limit) };
    return { refusal: badRequest(`the body is not what content-encoding: ${coding} says`) };
  }
}

/** The answer to a body above the limit, in bytes. */
export function tooLarge(limit: number): ApiError {
  return badRequest(`the body is over ${limit} bytes`, { status: 413, code: 'request_too_large' });
}
