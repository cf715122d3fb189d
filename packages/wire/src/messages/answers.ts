import { sseText, toEventSse } from '../encode-event.ts';
import type { AnswerProtocol } from '../protocol.ts';
import { createMessagesEncoder } from './encode.ts';
import { messagesErrorBody, messagesErrorOf } from './encode-error.ts';
import { MessagesMachine } from './machine.ts';

/** Anthropic's Messages API: its answers. */
export const messagesAnswers: AnswerProtocol = {
  id: 'messages',
  title: 'Messages',
  path: 'messages',
  namesEvents: true,
  usageOnRequest: false,
  endsFailures: true,
  endedBy: 'finish_reason',
  answerPrefix: 'msg',
  createMachine: (options) => new MessagesMachine(options),
  createEncoder: createMessagesEncoder,
  toSse: toEventSse,
  heartbeat: sseText('ping', '{"type":"ping"}'),
  errorAnswer: messagesErrorOf,
  errorBody: messagesErrorBody,
  requestIdHeader: 'request-id',
};
