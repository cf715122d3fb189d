import { isObject, type JsonObject } from '../base/json.ts';
import { withoutUndefined } from './request-body.ts';

/**
 * What of a Responses request's remaining fields a chat server understands, as `extra` of the request to it. The rest
 * (`store`, `include`, `client_metadata`, …) would be refused by strict servers.
 */
export function chatExtraOf(rest: JsonObject): JsonObject {
  const format = isObject(rest.text) ? rest.text.format : undefined;
  const jsonObject = isObject(format) && format.type === 'json_object';
  return withoutUndefined({ user: rest.user, response_format: jsonObject ? { type: 'json_object' } : undefined });
}

/** What of a chat request's remaining fields the Responses API understands, as `extra` of the request to it. */
export function responsesExtraOf(rest: JsonObject): JsonObject {
  const { user, metadata, service_tier, safety_identifier, prompt_cache_key, verbosity } = rest;
  const jsonObject = isObject(rest.response_format) && rest.response_format.type === 'json_object';
  const text = withoutUndefined({ verbosity, format: jsonObject ? { type: 'json_object' } : undefined });
  return withoutUndefined({
    user,
    metadata,
    service_tier,
    safety_identifier,
    prompt_cache_key,
    tool_choice: isObject(rest.tool_choice) ? flatChoice(rest.tool_choice) : undefined,
    text: Object.keys(text).length === 0 ? undefined : text,
  });
}

/** Chat nests under the type what the Responses API has beside it. */
function flatChoice(choice: JsonObject): JsonObject {
  const { type } = choice;
  const nested = typeof type === 'string' ? choice[type] : undefined;
  if (!isObject(nested)) return choice;
  const tools: unknown[] | undefined = Array.isArray(nested.tools) ? nested.tools : undefined;
  const flat = tools?.map((tool) => (isObject(tool) ? flatChoice(tool) : tool));
  return withoutUndefined({ type, ...nested, tools: flat });
}
