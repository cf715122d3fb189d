import { sseText, toEventSse } from '../encode-event.ts';
import type { Protocol } from '../protocol.ts';
import { createMessagesEncoder } from './encode.ts';
import { messagesErrorBody, messagesErrorOf } from './encode-error.ts';
import { MessagesMachine } from './machine.ts';

/** Anthropic's Messages API. */
export const messagesProtocol: Protocol = {
  id: 'messages',
  title: 'Messages',
  path: 'messages',
  overWebSocket: false,
  namesEvents: true,
  usageOnRequest: false,
  endsFailures: true,
  endedBy: 'finish_reason',
  answerPrefix: 'msg',
  createMachine: (options) => new MessagesMachine(options),
  toRequest: () => {
    throw new Error('not yet');
  },
  fromRequest: () => {
    throw new Error('not yet');
  },
  createEncoder: createMessagesEncoder,
  toSse: toEventSse,
  heartbeat: sseText('ping', '{"type":"ping"}'),
  errorAnswer: messagesErrorOf,
  errorBody: messagesErrorBody,
  headers: { 'anthropic-version': '2023-06-01' },
  authHeaders: (key) => ({ 'x-api-key': key }),
  toPortable: () => ({}),
  fromPortable: () => ({}),
};
