import {
  brotliDecompressSync,
  constants,
  gunzipSync,
  inflateRawSync,
  inflateSync,
  zstdDecompressSync,
} from 'node:zlib';
import type { HeaderList } from './tape.ts';

/** More than this is not unfolded. */
const LIMIT = 64 * 1024 * 1024;

/** A body that was cut off is read as far as it came. */
const zlib = { maxOutputLength: LIMIT, finishFlush: constants.Z_SYNC_FLUSH };
const brotli = { maxOutputLength: LIMIT, finishFlush: constants.BROTLI_OPERATION_FLUSH };
const zstd = { maxOutputLength: LIMIT, finishFlush: constants.ZSTD_e_flush };

type Decode = (data: Uint8Array) => Uint8Array;

const decoders: Readonly<Record<string, Decode>> = {
  gzip: (data) => gunzipSync(data, zlib),
  'x-gzip': (data) => gunzipSync(data, zlib),
  // RFC 9110, 8.4.1.2: some send it without the zlib wrapper, whose first byte has 8 in its low half.
  deflate: (data) => (((data[0] ?? 0) & 15) === 8 ? inflateSync(data, zlib) : inflateRawSync(data, zlib)),
  br: (data) => brotliDecompressSync(data, brotli),
  zstd: (data) => zstdDecompressSync(data, zstd),
};

/** The codings of a body, in the order in which they were applied; none for one that can be read as it is. */
export function codingsOf(headers: HeaderList): readonly string[] {
  const named = headers.filter(([name]) => /^content-encoding$/i.test(name)).flatMap(([, value]) => value.split(','));
  return named.map((name) => name.trim().toLowerCase()).filter((name) => name !== '' && name !== 'identity');
}

/** The body without its codings; undefined when one is not known, or it cannot be read. */
export function readBodyOf(headers: HeaderList, body: Uint8Array): Uint8Array | undefined {
  try {
    return codingsOf(headers).reduceRight((data, coding) => findDecoder(coding)(data), body);
  } catch {
    return undefined;
  }
}

function findDecoder(coding: string): Decode {
  const decode = decoders[coding];
  if (decode === undefined) throw new Error(`the coding ${coding} is not known`);
  return decode;
}

/** The headers of a body that was decoded. */
export function decodedHeaders(headers: HeaderList, length: number): HeaderList {
  return headers
    .filter(([name]) => !/^content-encoding$/i.test(name))
    .map(([name, value]) => [name, /^content-length$/i.test(name) ? String(length) : value] as const);
}

export function headerOf(headers: HeaderList, wanted: string): string | undefined {
  return headers.find(([name]) => name.toLowerCase() === wanted)?.[1];
}
