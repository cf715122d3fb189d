import type { Clock } from '../base/clock.ts';
import { Deadline } from '../base/deadline.ts';
import { parseJson } from '../base/json.ts';
import { JsonEnd } from '../base/json-end.ts';
import { readRefusal } from '../model/classify.ts';
import { ModelError } from '../model/errors.ts';
import type { ByteSource } from '../base/byte-source.ts';
import { joined } from './joined.ts';
import { limitResetOf, retryAfterOf, shouldRetryOf } from './retry-headers.ts';

/** An answer whose headers are there. */
export interface AnswerHead {
  readonly status: number;
  /** One header, its values joined with `, `; names in any case. */
  header(name: string): string | undefined;
}

type Answer = AnswerHead & ByteSource;

/** What was asked, for people. */
interface AnsweredRequest {
  readonly method: string;
  readonly url: string | URL;
}

/** Our own code for a server that answers web pages. */
export const NO_MODEL_SERVER = 'no_model_server';

/** An error's body is read up to here: the rest could only be noise. */
const BODY_BYTES = 64 * 1024;
/** The status has said what is wrong: what explains it is not waited for any longer than this, in milliseconds. */
const BODY_MS = 5000;
const SHOWN_CHARACTERS = 300;

/** True for an answer whose body is to be decoded. */
export function isStream(response: AnswerHead): boolean {
  return response.status >= 200 && response.status < 300 && !isHtml(response);
}

/** OpenAI's servers and most others, OpenAI's where a proxy has its own, Anthropic's. */
const requestIdHeaders = ['x-request-id', 'x-oai-request-id', 'request-id'];

/** The server's own id of a request, for its operators. */
export function requestIdOf(response: AnswerHead): string | undefined {
  return requestIdHeaders.map((name) => response.header(name)).find((id) => id !== undefined);
}

/** What an answer that is no stream means; reads its body and gives the connection back. */
export async function failureOfAnswer(request: AnsweredRequest, response: Answer, clock: Clock): Promise<ModelError> {
  if (isWebPage(response)) {
    response.cancel();
    return noModelServer(request, response);
  }
  return refusalOf(request, response, await headOfBody(response, clock));
}

/** What an answer means whose status says that it is an error, and whose body is this. */
export function refusalOf(request: AnsweredRequest, response: AnswerHead, text: string): ModelError {
  const target = describe(request);
  const header = (name: string): string | undefined => response.header(name);
  return readRefusal(parseJson(text), {
    status: response.status,
    requestId: requestIdOf(response),
    afterMs: retryAfterOf(header) ?? (response.status === 429 ? limitResetOf(header) : undefined),
    shouldRetry: shouldRetryOf(header),
    fallbackMessage: `${target} answered ${response.status}${isHtml(response) ? ' with an HTML page' : shown(text)}`,
  });
}

/** What a server of web pages says to a request that it has no page for. */
const WITHOUT_PAGE: ReadonlySet<number> = new Set([404, 405, 501]);

/**
 * True for an HTML page of a server that is no model server, or does not know the path. With any other status a proxy may
 * speak, for a server that is away (502 to 504), full or closed to the caller (docs/contract.md section 6).
 */
export function isWebPage(response: AnswerHead): boolean {
  return isHtml(response) && (response.status < 300 || WITHOUT_PAGE.has(response.status));
}

export function noModelServer({ method, url }: AnsweredRequest, response: AnswerHead): ModelError {
  const { origin, pathname } = new URL(url);
  return new ModelError({
    kind: 'protocol',
    status: response.status < 300 ? undefined : response.status,
    code: NO_MODEL_SERVER,
    message:
      `the server at ${origin} answers web pages (${response.status} with an HTML page to ${method} ${pathname}): ` +
      'it is no model server, or has no such path; check the base URL',
    requestId: requestIdOf(response),
  });
}

/** True for an answer that says that it is an HTML page. */
export function isHtml(response: AnswerHead): boolean {
  return /^\s*text\/html\b/i.test(response.header('content-type') ?? '');
}

/** The beginning of a body; one that breaks off or takes too long is as good as it got. */
export async function headOfBody(response: Answer, clock: Clock): Promise<string> {
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
  return new TextDecoder().decode(joined(chunks).subarray(0, BODY_BYTES));
}

function shown(text: string): string {
  const line = text.trim().replaceAll(/\s+/g, ' ');
  if (line === '' || line.startsWith('<')) return '';
  return `: ${line.length > SHOWN_CHARACTERS ? `${line.slice(0, SHOWN_CHARACTERS)}…` : line}`;
}

function describe(request: AnsweredRequest): string {
  const url = new URL(request.url);
  return `${request.method} ${url.origin}${url.pathname}`;
}
