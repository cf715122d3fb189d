import { isObject, nonEmpty, parseJson, stringOf } from '../base/json.ts';
import { sseText, toEventSse } from '../encode-event.ts';
import type { Protocol } from '../protocol.ts';
import { withoutUndefined } from '../request-body.ts';
import { createMessagesEncoder } from './encode.ts';
import { messagesErrorBody, messagesErrorOf } from './encode-error.ts';
import { MessagesMachine } from './machine.ts';
import { fromMessagesRequest } from './request-parse.ts';
import { toMessagesRequest } from './request.ts';

/** Anthropic's Messages API. */
export const messagesProtocol: Protocol = {
  id: 'messages',
  title: 'Messages',
  path: 'messages',
  countPath: 'messages/count_tokens',
  overWebSocket: false,
  namesEvents: true,
  usageOnRequest: false,
  endsFailures: true,
  pausesAnswers: true,
  endedBy: 'finish_reason',
  answerPrefix: 'msg',
  createMachine: (options) => new MessagesMachine(options),
  toRequest: toMessagesRequest,
  fromRequest: fromMessagesRequest,
  createEncoder: createMessagesEncoder,
  toSse: toEventSse,
  heartbeat: sseText('ping', '{"type":"ping"}'),
  errorAnswer: messagesErrorOf,
  errorBody: messagesErrorBody,
  headers: { 'anthropic-version': '2023-06-01' },
  requestIdHeader: 'request-id',
  authHeaders: (key) => ({ 'x-api-key': key }),
  toPortable: (rest) => ({
    promptCacheKey: sessionOf(rest.metadata),
    stop: rest.stop_sequences,
  }),
  fromPortable: ({ stop }) => withoutUndefined({ stop_sequences: stopSequencesOf(stop) }),
};

/** Claude Code tells its session in a JSON text in `metadata.user_id`: requests of one session share what a server has read. */
function sessionOf(metadata: unknown): string | undefined {
  const user = isObject(metadata) ? parseJson(stringOf(metadata.user_id) ?? '') : undefined;
  return isObject(user) ? nonEmpty(user.session_id) : undefined;
}

/** Texts that end the answer; the API refuses those of white space alone. */
function stopSequencesOf(stop: unknown): readonly string[] | undefined {
  const list = Array.isArray(stop) ? (stop as unknown[]) : [stop];
  const texts = list.filter((text): text is string => typeof text === 'string' && text.trim() !== '');
  return texts.length === 0 ? undefined : texts;
}
