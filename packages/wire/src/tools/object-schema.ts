import { isObject, type JsonObject } from '../base/json.ts';

/**
 * The parameters of a function as every server takes them: an object schema. DeepSeek and others refuse a request for
 * one tool whose parameters are null, missing or without a type (cc-switch#5490).
 */
export function objectSchema(parameters: unknown): JsonObject {
  const given = isObject(parameters) ? parameters : {};
  if (given['type'] === 'object') return given;
  return { ...given, type: 'object', properties: isObject(given['properties']) ? given['properties'] : {} };
}
