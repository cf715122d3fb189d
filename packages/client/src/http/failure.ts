import type { Clock } from '@turnwire/wire/internal/base/clock';
import { Deadline } from '@turnwire/wire/internal/base/deadline';
import { parseJson } from '@turnwire/wire/internal/base/json';
import { JsonEnd } from '@turnwire/wire/internal/base/json-end';
import { readRefusal } from '@turnwire/wire/internal/model/classify';
import { ModelError } from '@turnwire/wire/internal/model/errors';
import type { HttpRequest, HttpResponse } from '../transport/http.ts';
import { limitResetOf, retryAfterOf, shouldRetryOf } from './retry-after.ts';

/** An error's body is read up to here: the rest could only be noise. */
const BODY_BYTES = 64 * 1024;
/** The status has said what is wrong: what explains it is not waited for any longer than this, in milliseconds. */
const BODY_MS = 5000;
const SHOWN_CHARACTERS = 300;

/** True for an answer whose body is to be decoded. */
export function isStream(response: HttpResponse): boolean {
  return response.status >= 200 && response.status < 300 && !isHtml(response);
}

/** OpenAI's servers and most others, OpenAI's where a proxy has its own, Anthropic's. */
const requestIdHeaders = ['x-request-id', 'x-oai-request-id', 'request-id'];

/** The server's own id of a request, for its operators. */
export function requestIdOf(response: HttpResponse): string | undefined {
  return requestIdHeaders.map((name) => response.header(name)).find((id) => id !== undefined);
}

/** What an answer that is no stream means; reads its body and gives the connection back. */
export async function failureOfAnswer(request: HttpRequest, response: HttpResponse, clock: Clock): Promise<ModelError> {
  const target = describe(request);
  if (isHtml(response) && response.status < 300) {
    response.cancel();
    return new ModelError({
      kind: 'protocol',
      message: `${target} answered with an HTML page instead of a model stream: check the base URL and the path`,
      requestId: requestIdOf(response),
    });
  }
  const text = await headOfBody(response, clock);
  const header = (name: string): string | undefined => response.header(name);
  return readRefusal(parseJson(text), {
    status: response.status,
    requestId: requestIdOf(response),
    afterMs: retryAfterOf(header) ?? (response.status === 429 ? limitResetOf(header) : undefined),
    shouldRetry: shouldRetryOf(header),
    fallbackMessage: `${target} answered ${response.status}${isHtml(response) ? ' with an HTML page' : shown(text)}`,
  });
}

function isHtml(response: HttpResponse): boolean {
  return /^\s*text\/html\b/i.test(response.header('content-type') ?? '');
}

/** The beginning of a body; one that breaks off or takes too long is as good as it got. */
async function headOfBody(response: HttpResponse, clock: Clock): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // A whole JSON value is there: nothing more is waited for, should the connection stay open.
  const end = new JsonEnd();
  const patience = new Deadline(clock, BODY_MS, () => response.wake());
  patience.start();
  try {
    for (let read = await response.read(); read !== undefined; read = await response.read()) {
      chunks.push(...read);
      for (const chunk of read) bytes += chunk.byteLength;
      if (!patience.running || bytes > BODY_BYTES || read.some((chunk) => end.push(chunk))) break;
    }
  } catch (error) {
    if (error instanceof ModelError && error.kind === 'aborted') throw error;
  } finally {
    patience.stop();
  }
  response.release();
  return Buffer.concat(chunks).subarray(0, BODY_BYTES).toString('utf8');
}

function shown(text: string): string {
  const line = text.trim().replaceAll(/\s+/g, ' ');
  if (line === '' || line.startsWith('<')) return '';
  return `: ${line.length > SHOWN_CHARACTERS ? `${line.slice(0, SHOWN_CHARACTERS)}…` : line}`;
}

function describe(request: HttpRequest): string {
  const url = new URL(request.url);
  return `${request.method} ${url.origin}${url.pathname}`;
}
