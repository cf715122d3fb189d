import { isObject } from '../base/json.ts';
import { asksJsonObject, flatToolChoice } from '../portable.ts';
import type { Protocol } from '../protocol.ts';
import { chatAnswers } from './answers.ts';
import { bearerOf } from '../bearer.ts';
import { withoutUndefined } from '../request-body.ts';
import { fromChatRequest } from './request-parse.ts';
import { toChatRequest } from './request.ts';

/** Chat Completions. */
export const chatProtocol: Protocol = {
  ...chatAnswers,
  overWebSocket: false,
  pausesAnswers: false,
  toRequest: toChatRequest,
  fromRequest: fromChatRequest,
  headers: {},
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
