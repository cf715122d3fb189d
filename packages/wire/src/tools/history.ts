import { isObject, nonEmpty, stringOf, type JsonObject } from '../base/json.ts';
import {
  isToolCall,
  type CarriedMembers,
  type FunctionCall,
  type FunctionCallOutput,
  type Item,
} from '../model/items.ts';
import type { ClientTool, ToolTarget } from './kinds/client-tool.ts';
import { isBuiltInKind, toolOfCall, toolOfOutput } from './client-tools.ts';
import type { ToolMap, Uncarried } from './tool-map.ts';

/** The items of a request as an upstream can read them that only knows functions. */
export interface MappedInput {
  /** The input with function calls in place of all other calls. */
  readonly items: readonly Item[];
  /** Items that have no counterpart, in the order of the input. */
  readonly uncarried: readonly Uncarried[];
}

/**
 * Rewrites calls and their outputs to function calls under the map's names, and leaves out what no such
 * upstream can read. Messages and reasoning pass as they are.
 */
export function mapInputItems(map: ToolMap, input: readonly Item[]): MappedInput {
  const uncarried: Uncarried[] = [];
  const items: Item[] = [];
  for (const item of input) {
    const mapped = mapItem(map, item);
    if (mapped === undefined)
      uncarried.push({ type: stringOf(item.type) ?? 'unknown', reason: 'the upstream cannot read it' });
    else if (mapped !== 'silent') items.push(mapped);
  }
  return { items, uncarried };
}

/** `silent`: nothing of it is lost by leaving it out. */
function mapItem(map: ToolMap, item: Item): Item | 'silent' | undefined {
  const called = toolOfCall(item);
  if (called !== undefined) return callItem(map, called, item);
  const fields = item as JsonObject;
  const answered = toolOfOutput(item);
  if (answered !== undefined) return outputItem(map, answered, fields);
  switch (item.type) {
    case undefined: // the short form of a message: role and content
      return typeof fields.role === 'string' ? { ...fields, type: 'message' } : undefined;
    case 'message':
    case 'reasoning':
      return item;
    case 'agent_message':
      return agentMessage(fields);
    case 'additional_tools': // the map has its tools already
      return 'silent';
    default:
      return undefined;
  }
}

function callItem(map: ToolMap, tool: ClientTool, item: Item): FunctionCall | undefined {
  const fields = item as JsonObject;
  const callId = callIdOf(fields);
  const target = targetOf(tool, item);
  if (callId === undefined || target === undefined) return undefined;
  return {
    type: 'function_call',
    call_id: callId,
    name: map.functionNameOf(target),
    arguments: tool.toArguments(fields),
    status: 'completed',
    ...carriedOf(fields),
  };
}

/** The tool that a call means; undefined for a malformed call of a tool that has a name. */
function targetOf({ kind }: ClientTool, call: Item): ToolTarget | undefined {
  if (isBuiltInKind(kind)) return { kind, name: kind };
  if (!isToolCall(call)) return undefined;
  const namespace = nonEmpty(call.namespace);
  return { kind, name: call.name, ...(namespace === undefined ? {} : { namespace }) };
}

function outputItem(map: ToolMap, tool: ClientTool, fields: JsonObject): FunctionCallOutput | undefined {
  const callId = callIdOf(fields);
  if (callId === undefined) return undefined;
  const output = tool.outputText(fields, (target) => map.functionNameOf(target));
  const isText = typeof output === 'string' || Array.isArray(output);
  const text = isText ? output : output === undefined ? '' : JSON.stringify(output);
  const sent = text as FunctionCallOutput['output'];
  return { type: 'function_call_output', call_id: callId, output: sent, ...carriedOf(fields) };
}

function carriedOf({ carried }: JsonObject): Pick<FunctionCall, 'carried'> {
  return isObject(carried) ? { carried: carried as unknown as CarriedMembers } : {};
}

function callIdOf(fields: JsonObject): string | undefined {
  return nonEmpty(fields.call_id) ?? nonEmpty(fields.id);
}

/** A message between Codex' agents, told as what a user said. */
function agentMessage(fields: JsonObject): Item | undefined {
  const parts: unknown[] = Array.isArray(fields.content) ? fields.content : [];
  const texts = parts.flatMap((part) => (isObject(part) && typeof part.text === 'string' ? [part.text] : []));
  if (texts.length === 0) return undefined;
  const author = nonEmpty(fields.author);
  const head = author === undefined ? '' : `Message from ${author}:\n`;
  return { type: 'message', role: 'user', content: [{ type: 'input_text', text: head + texts.join('\n') }] };
}
