import { isObject, type JsonObject } from '@turnwire/wire/internal/base/json';
import { protocols } from '@turnwire/wire/internal/protocols';
import type { Head } from '../answer.ts';
import { requestIdOf, type RequestView } from '../scenario/request-view.ts';
import type { ReplyError } from '../scenario/scenario.ts';
import type { FaultContext, FaultWire } from './fault.ts';

/** Why a request is refused. */
export interface Refusal {
  /** Default: names the status. */
  readonly message?: string | undefined;
  /** The other fields of the error in the words of OpenAI's API. */
  readonly openai?: JsonObject;
  /** Those in the words of Anthropic's. Default: the type that the status has there, and no code. */
  readonly anthropic?: Pick<ReplyError, 'type' | 'code'>;
}

/** Makes the answer an error body, in the form of its wire. */
export function refuse(head: Head, { wire, request }: FaultContext, status: number, refusal: Refusal = {}): void {
  head.status = status;
  head.headers['content-type'] = 'application/json';
  head.body = JSON.stringify(bodies[wire](status, refusal, request));
}

const bodies: Readonly<Record<FaultWire, (status: number, refusal: Refusal, request: RequestView) => JsonObject>> = {
  chat: openaiBody,
  responses: openaiBody,
  messages: anthropicBody,
  websocket: openaiBody,
};

function openaiBody(status: number, { message = named(status), openai }: Refusal): JsonObject {
  const type = status >= 500 ? 'server_error' : 'invalid_request_error';
  return { error: { message, ...(openai ?? { type }) } };
}

function anthropicBody(status: number, refusal: Refusal, request: RequestView): JsonObject {
  const { message = named(status), anthropic: { type, code } = {} } = refusal;
  const known = status < 400 ? 500 : status; // an error with a good status is one of the server's own
  const body = protocols.messages.errorBody({ message, status: known, code, requestId: requestIdOf(request) });
  return type === undefined || !isObject(body.error) ? body : { ...body, error: { ...body.error, type } };
}

function named(status: number): string {
  return `the mock answers ${status}`;
}
