import { isObject, type JsonObject } from './base/json.ts';
import { withoutUndefined } from './request-body.ts';

/**
 * Fields of a request that {@link ModelRequest} has no option for and that more than one wire knows, in one form: each
 * wire writes and reads this form, so that n wires need n mappings and not one for each pair.
 */
export interface PortableFields {
  readonly user?: unknown;
  readonly metadata?: unknown;
  readonly serviceTier?: unknown;
  readonly safetyIdentifier?: unknown;
  readonly promptCacheKey?: unknown;
  readonly verbosity?: unknown;
  /** Texts that end the answer: one, or a list. */
  readonly stop?: unknown;
  /** The answer has to be some JSON object. A schema is `outputSchema` of the request itself. */
  readonly jsonObject?: boolean;
  /** A choice among tools that is no plain word, in the flat form of the Responses API. */
  readonly toolChoice?: JsonObject | undefined;
}

/** True for the form of both APIs, `{type: "json_object"}`. */
export function asksJsonObject(format: unknown): boolean {
  return isObject(format) && format.type === 'json_object';
}

/** Chat nests under the type what the Responses API has beside it. */
export function flatToolChoice(choice: JsonObject): JsonObject {
  const { type } = choice;
  const nested = typeof type === 'string' ? choice[type] : undefined;
  if (!isObject(nested)) return choice;
  const tools: unknown[] | undefined = Array.isArray(nested.tools) ? nested.tools : undefined;
  const flat = tools?.map((tool) => (isObject(tool) ? flatToolChoice(tool) : tool));
  return withoutUndefined({ type, ...nested, tools: flat });
}
