import { isObject } from '../base/json.ts';
import { errorAnswerOf, errorBodyOf } from '../encode-error.ts';
import { KEEP_ALIVE, toDataSse } from '../encode-event.ts';
import { asksJsonObject, flatToolChoice } from '../portable.ts';
import type { Protocol } from '../protocol.ts';
import { bearerOf } from '../bearer.ts';
import { withoutUndefined } from '../request-body.ts';
import { createChatEncoder } from './encode.ts';
import { ChatMachine } from './machine.ts';
import { fromChatRequest } from './request-parse.ts';
import { toChatRequest } from './request.ts';

/** Chat Completions. */
export const chatProtocol: Protocol = {
  id: 'chat',
  title: 'Chat Completions',
  path: 'chat/completions',
  overWebSocket: false,
  namesEvents: false,
  usageOnRequest: true,
  endsFailures: false,
  pausesAnswers: false,
  endedBy: 'finish_reason',
  answerPrefix: 'chatcmpl',
  createMachine: (options) => new ChatMachine(options),
  toRequest: toChatRequest,
  fromRequest: fromChatRequest,
  createEncoder: createChatEncoder,
  toSse: toDataSse,
  heartbeat: KEEP_ALIVE,
  errorAnswer: errorAnswerOf,
  errorBody: errorBodyOf,
  headers: {},
  requestIdHeader: 'x-request-id',
  authHeaders: bearerOf,
  toPortable: (rest) => ({
    user: rest.user,
    metadata: rest.metadata,
    serviceTier: rest.service_tier,
    safetyIdentifier: rest.safety_identifier,
    promptCacheKey: rest.prompt_cache_key,
    verbosity: rest.verbosity,
    stop: rest.stop,
    jsonObject: asksJsonObject(rest.response_format),
    toolChoice: isObject(rest.tool_choice) ? flatToolChoice(rest.tool_choice) : undefined,
  }),
  fromPortable: ({ user, stop, jsonObject }) =>
    withoutUndefined({ user, stop, response_format: jsonObject === true ? { type: 'json_object' } : undefined }),
};
