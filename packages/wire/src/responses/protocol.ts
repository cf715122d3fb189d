import { isObject } from '../base/json.ts';
import { asksJsonObject } from '../portable.ts';
import type { Protocol } from '../protocol.ts';
import { responsesAnswers } from './answers.ts';
import { bearerOf } from '../bearer.ts';
import { withoutUndefined } from '../request-body.ts';
import { fromResponsesRequest } from './request-parse.ts';
import { toResponsesRequest } from './request.ts';

/** The Responses API, over SSE and over a WebSocket. */
export const responsesProtocol: Protocol = {
  ...responsesAnswers,
  countPath: 'responses/input_tokens',
  overWebSocket: true,
  pausesAnswers: false,
  toRequest: toResponsesRequest,
  fromRequest: fromResponsesRequest,
  headers: {},
  authHeaders: bearerOf,
  toPortable: (rest) => ({
    user: rest.user,
    metadata: rest.metadata,
    serviceTier: rest.service_tier,
    safetyIdentifier: rest.safety_identifier,
    promptCacheKey: rest.prompt_cache_key,
    verbosity: isObject(rest.text) ? rest.text.verbosity : undefined,
    jsonObject: asksJsonObject(isObject(rest.text) ? rest.text.format : undefined),
    toolChoice: isObject(rest.tool_choice) ? rest.tool_choice : undefined,
  }),
  fromPortable(fields) {
    const format = fields.jsonObject === true ? { type: 'json_object' } : undefined;
    const text = withoutUndefined({ verbosity: fields.verbosity, format });
    return withoutUndefined({
      user: fields.user,
      metadata: fields.metadata,
      service_tier: fields.serviceTier,
      safety_identifier: fields.safetyIdentifier,
      prompt_cache_key: fields.promptCacheKey,
      tool_choice: fields.toolChoice,
      text: Object.keys(text).length === 0 ? undefined : text,
    });
  },
};
