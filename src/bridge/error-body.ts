import type { Conceal } from '../platform/conceal.ts';
import type { HttpResponse } from '../transport/http.ts';
import { one } from './client-kind.ts';

/** Longer bodies are no error messages, and pass as they are. */
const LIMIT = 64 * 1024;

/** What is passed on of an answer. */
export type PassedResponse = Pick<HttpResponse, 'status' | 'headers' | 'header' | 'read'>;

/**
 * The answer as a caller may see it: some servers quote the key that they refuse. An error's body is read before its head
 * goes out, since its length may change; everything else passes as it comes.
 *
 * Never rejects: a body that is cut off is handed on as far as it came, and `read` then rejects.
 */
export async function withoutSecrets(response: HttpResponse, conceal: Conceal): Promise<PassedResponse> {
  if (response.status < 400 || isStream(response)) return response;
  const read: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    const chunks = await response.read().catch((error: unknown) => ({ error }));
    if (chunks === undefined) return concealed(response, read, conceal);
    if ('error' in chunks) return concealed(response, read, conceal, chunks.error as Error);
    read.push(...chunks);
    bytes += chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
    if (bytes > LIMIT) return { ...headOf(response), read: inOrder(read, () => response.read()) };
  }
}

function isStream(response: HttpResponse): boolean {
  return /^\s*text\/event-stream\b/i.test(response.header('content-type') ?? '');
}

function concealed(response: HttpResponse, read: readonly Uint8Array[], conceal: Conceal, cut?: Error): PassedResponse {
  const rest = (): Promise<undefined> => (cut === undefined ? Promise.resolve(undefined) : Promise.reject(cut));
  const text = textOf(Buffer.concat(read));
  const shown = text === undefined ? undefined : conceal(text);
  if (shown === undefined || shown === text) return { ...headOf(response), read: inOrder(read, rest) };
  const bytes = Buffer.from(shown);
  const headers = Object.fromEntries(Object.entries(response.headers).filter(([name]) => !OF_BYTES.has(name)));
  if (cut === undefined) headers['content-length'] = String(bytes.length);
  const header = (name: string): string | undefined => one(headers[name.toLowerCase()]);
  return { status: response.status, headers, header, read: inOrder([bytes], rest) };
}

/** Headers that tell of the bytes which were replaced. */
const OF_BYTES = new Set(['content-length', 'content-md5', 'digest', 'content-digest', 'etag', 'transfer-encoding']);

function headOf(response: HttpResponse): Pick<HttpResponse, 'status' | 'headers' | 'header'> {
  return { status: response.status, headers: response.headers, header: (name) => response.header(name) };
}

/** What was read, then what comes. */
function inOrder(read: readonly Uint8Array[], rest: HttpResponse['read']): HttpResponse['read'] {
  let first = read.length > 0;
  return () => {
    if (!first) return rest();
    first = false;
    return Promise.resolve(read);
  };
}

/** Undefined for bytes that are no text. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
