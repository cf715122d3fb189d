import { firstHeaderValue } from '@turnwire/wire/internal/base/http-headers';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import { Deadline } from '@turnwire/wire/internal/base/deadline';
import type { Conceal } from '@turnwire/client/internal/platform/conceal';
import type { HttpResponse } from '@turnwire/client/internal/transport/http';

/** Longer bodies are no error messages, and pass as they are. */
const LIMIT = 64 * 1024;
/** The status has said what is wrong: the end of what explains it is not waited for any longer than this, in milliseconds. */
const PATIENCE_MS = 5000;

/** What is passed on of an answer. */
export type PassedResponse = Pick<HttpResponse, 'status' | 'headers' | 'header' | 'read'>;

/**
 * A refusal as a caller may see it: some servers quote the key that they refuse. Its body is read before its head goes out,
 * since its length may change. One that is not over in time ends where it is; a longer one passes as it comes.
 *
 * Never rejects: a body that is cut off is handed on as far as it came, and `read` then rejects.
 */
export async function withoutSecrets(response: HttpResponse, conceal: Conceal, clock: Clock): Promise<PassedResponse> {
  const read: Uint8Array[] = [];
  let bytes = 0;
  const patience = new Deadline(clock, PATIENCE_MS, () => response.wake());
  patience.start();
  try {
    for (;;) {
      const chunks = await response.read().catch((error: unknown) => ({ error }));
      if (chunks === undefined) return concealed(response, read, conceal, 'whole');
      if ('error' in chunks) return concealed(response, read, conceal, { cut: chunks.error as Error });
      read.push(...chunks);
      bytes += chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
      if (bytes > LIMIT) return { ...headOf(response), read: inOrder(read, () => response.read()) };
      if (patience.running) continue;
      response.cancel();
      return concealed(response, read, conceal, 'late');
    }
  } finally {
    patience.stop();
  }
}

/** How the reading of a body ended: at its end, before it, or with a failure that is still to be told. */
type End = 'whole' | 'late' | { readonly cut: Error };

function concealed(response: HttpResponse, read: readonly Uint8Array[], conceal: Conceal, end: End): PassedResponse {
  const cut = typeof end === 'object' ? end.cut : undefined;
  const rest = (): Promise<undefined> => (cut === undefined ? Promise.resolve(undefined) : Promise.reject(cut));
  const whole = Buffer.concat(read);
  const text = textOf(whole, end === 'whole');
  const shown = text === undefined ? undefined : conceal(text);
  const isSame = shown === undefined || shown === text;
  if (isSame && end !== 'late') return { ...headOf(response), read: inOrder(read, rest) };
  const bytes = isSame ? whole : Buffer.from(shown);
  const headers = Object.fromEntries(Object.entries(response.headers).filter(([name]) => !OF_BYTES.has(name)));
  if (cut === undefined) headers['content-length'] = String(bytes.length);
  const header = (name: string): string | undefined => firstHeaderValue(headers[name.toLowerCase()]);
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

/** Undefined for bytes that are no text. What is not whole may end within a character, which is left out. */
function textOf(bytes: Uint8Array, isWhole: boolean): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes, { stream: !isWhole });
  } catch {
    return undefined;
  }
}
