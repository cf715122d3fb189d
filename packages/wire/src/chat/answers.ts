import { errorAnswerOf, errorBodyOf } from '../encode-error.ts';
import { KEEP_ALIVE, toDataSse } from '../encode-event.ts';
import type { AnswerProtocol } from '../protocol.ts';
import { createChatEncoder } from './encode.ts';
import { ChatMachine } from './machine.ts';

/** Chat Completions: its answers. */
export const chatAnswers: AnswerProtocol = {
  id: 'chat',
  title: 'Chat Completions',
  path: 'chat/completions',
  namesEvents: false,
  usageOnRequest: true,
  endsFailures: false,
  endedBy: 'finish_reason',
  answerPrefix: 'chatcmpl',
  createMachine: (options) => new ChatMachine(options),
  createEncoder: createChatEncoder,
  toSse: toDataSse,
  heartbeat: KEEP_ALIVE,
  errorAnswer: errorAnswerOf,
  errorBody: errorBodyOf,
  requestIdHeader: 'x-request-id',
};
