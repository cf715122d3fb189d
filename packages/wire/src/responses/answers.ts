import { errorAnswerOf, errorBodyOf } from '../encode-error.ts';
import { KEEP_ALIVE, toEventSse } from '../encode-event.ts';
import type { AnswerProtocol } from '../protocol.ts';
import { createResponsesEncoder } from './encode.ts';
import { ResponsesMachine } from './machine.ts';

/** The Responses API: its answers. */
export const responsesAnswers: AnswerProtocol = {
  id: 'responses',
  title: 'Responses',
  path: 'responses',
  namesEvents: true,
  usageOnRequest: false,
  endsFailures: true,
  endedBy: 'response.completed',
  answerPrefix: 'resp',
  createMachine: (options) => new ResponsesMachine(options),
  createEncoder: ({ id, ...options }) => createResponsesEncoder({ ...options, responseId: id }),
  toSse: toEventSse,
  heartbeat: KEEP_ALIVE,
  errorAnswer: errorAnswerOf,
  errorBody: errorBodyOf,
  requestIdHeader: 'x-request-id',
};
