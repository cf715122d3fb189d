import { isObject, otherMembers, stringOf, type JsonObject } from '../../base/json.ts';
import type { CarriedMembers } from '../../model/items.ts';
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
    ...carriedOf(tool),
  };
}

const KNOWN: ReadonlySet<string> = new Set([
  ...['type', 'name', 'description', 'parameters', 'strict', 'carried'],
  'defer_loading', // for a search of tools that such a server does not do
]);

/** What a chat client had beside it, or what this Responses tool has beside the fields above. */
function carriedOf(tool: JsonObject): Pick<FunctionTool, 'carried'> {
  if (isObject(tool.carried)) return { carried: tool.carried as unknown as CarriedMembers };
  const members = otherMembers(tool, KNOWN);
  return members === undefined ? {} : { carried: { wire: 'responses', members } };
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
