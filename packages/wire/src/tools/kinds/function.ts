import { isObject, stringOf, type JsonObject } from '../../base/json.ts';
import type { FunctionTool } from '../../model/request.ts';
import { ABORTED, outputField, type ClientTool } from './client-tool.ts';

/** A function of the client itself. */
export const functionTool: ClientTool = {
  kind: 'function',
  callType: 'function_call',
  outputType: 'function_call_output',
  idPrefix: 'fc_',
  asFunction: plainFunction,
  toArguments: (call) => stringOf(call.arguments) ?? JSON.stringify(call.arguments ?? {}),
  outputText: outputField,
  aborted: (call_id) => ({ type: 'function_call_output', call_id, output: ABORTED }),
};

/** A function tool under the name that the upstream gets to see. */
export function plainFunction(tool: JsonObject, name: string): FunctionTool {
  return {
    type: 'function',
    name,
    ...(stringOf(tool.description) === undefined ? {} : { description: String(tool.description) }),
    ...(isObject(tool.parameters) || tool.parameters === null ? { parameters: tool.parameters } : {}),
    ...(typeof tool.strict === 'boolean' ? { strict: tool.strict } : {}),
  };
}

/** A function that stands for a tool of another kind. */
export function standIn(
  name: string,
  description: string,
  properties: JsonObject,
  required: readonly string[],
): FunctionTool {
  return {
    type: 'function',
    name,
    description,
    parameters: { type: 'object', properties, required, additionalProperties: false },
    strict: false,
  };
}
