import type { ModelError } from '../model/errors.ts';
import type { AnswerProtocol } from '../protocol.ts';

/** What says how the bytes of a body came, which are others now. */
const OF_BODY = ['content-length', 'content-encoding', 'transfer-encoding'];

/** The same answer with another body: status, headers and address stay. */
export function withBody(
  from: Response,
  body: ReadableStream<Uint8Array> | string,
  change: { readonly status?: number; readonly headers?: Readonly<Record<string, string>> } = {},
): Response {
  const headers = new Headers(from.headers);
  for (const name of OF_BODY) headers.delete(name);
  for (const [name, value] of Object.entries(change.headers ?? {})) headers.set(name, value);
  const { status = from.status } = change;
  const statusText = status === from.status ? from.statusText : '';
  return addressed(new Response(body, { status, statusText, headers }), from);
}

/** A response that was made has no address: it takes that of the one that came, and so do its copies. */
function addressed(response: Response, { url, redirected }: Pick<Response, 'url' | 'redirected'>): Response {
  const clone = (): Response => addressed(Response.prototype.clone.call(response), { url, redirected });
  return Object.defineProperties(response, {
    url: { value: url },
    redirected: { value: redirected },
    clone: { value: clone },
  });
}

/** A failure as the wire tells it before any byte of an answer: the SDK makes its own error class of it. */
export function refusal(answers: AnswerProtocol, from: Response, failure: ModelError, shouldRetry: boolean): Response {
  const answer = answers.errorAnswer(failure);
  return withBody(from, JSON.stringify(answers.errorBody(answer)), {
    status: answer.status,
    headers: { 'content-type': 'application/json', ...answer.headers, ...retryHeader(shouldRetry) },
  });
}

export function retryHeader(shouldRetry: boolean): Record<string, string> {
  return { 'x-should-retry': String(shouldRetry) };
}
