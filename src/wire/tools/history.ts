import { isObject, nonEmpty, stringOf, type JsonObject } from '../../base/json.ts';
import {
  isCustomToolCall,
  isFunctionCall,
  type FunctionCall,
  type FunctionCallOutput,
  type Item,
} from '../../model/items.ts';
import { builtInCallOf, callOutputOf } from '../built-in-calls.ts';
import type { ToolMap, ToolTarget, Uncarried } from './tool-map.ts';

/** The items of a request as an upstream can read them that only knows functions. */
export interface MappedInput {
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
  if (isFunctionCall(item)) return callItem(item, map, targetOf('function', item), item.arguments);
  if (isCustomToolCall(item))
    return callItem(item, map, targetOf('custom', item), JSON.stringify({ input: item.input }));
  const fields = item as JsonObject;
  switch (item.type) {
    case undefined: // the short form of a message: role and content
      return typeof fields.role === 'string' ? { ...fields, type: 'message' } : undefined;
    case 'message':
    case 'reasoning':
      return item;
    case 'function_call_output':
    case 'custom_tool_call_output':
    case 'local_shell_call_output':
    case 'shell_call_output':
    case 'apply_patch_call_output':
      return outputItem(fields, callOutputOf(item));
    case 'tool_search_output':
      return outputItem(fields, toolNames(map, fields.tools));
    case 'local_shell_call':
      return localShellCall(map, fields);
    case 'shell_call':
    case 'apply_patch_call':
      return builtInCall(map, item);
    case 'tool_search_call':
      return callItem(fields, map, { kind: 'tool_search', name: 'tool_search' }, jsonText(fields.arguments));
    case 'agent_message':
      return agentMessage(fields);
    case 'additional_tools': // the map has its tools already
      return 'silent';
    default:
      return undefined;
  }
}

function targetOf(kind: 'function' | 'custom', call: { name: string; namespace?: string }): ToolTarget {
  const namespace = nonEmpty(call.namespace);
  return { kind, name: call.name, ...(namespace === undefined ? {} : { namespace }) };
}

function callItem(item: Item, map: ToolMap, target: ToolTarget, args: string): FunctionCall | undefined {
  const fields = item as JsonObject;
  const callId = nonEmpty(fields.call_id) ?? nonEmpty(fields.id);
  if (callId === undefined) return undefined;
  return {
    type: 'function_call',
    call_id: callId,
    name: map.functionNameOf(target),
    arguments: args,
    status: 'completed',
  };
}

function outputItem(fields: JsonObject, output: unknown): FunctionCallOutput | undefined {
  const callId = nonEmpty(fields.call_id) ?? nonEmpty(fields.id);
  if (callId === undefined) return undefined;
  const text = typeof output === 'string' || Array.isArray(output) ? output : jsonText(output);
  return { type: 'function_call_output', call_id: callId, output: text as FunctionCallOutput['output'] };
}

function localShellCall(map: ToolMap, fields: JsonObject): FunctionCall | undefined {
  const action = isObject(fields.action) ? fields.action : {};
  const args = Object.fromEntries(
    ['command', 'working_directory', 'timeout_ms', 'env'].flatMap((key) => {
      const value = action[key];
      return value === undefined || value === null ? [] : [[key, value]];
    }),
  );
  return callItem(fields, map, { kind: 'local_shell', name: 'local_shell' }, JSON.stringify(args));
}

function builtInCall(map: ToolMap, item: Item): FunctionCall | undefined {
  const call = builtInCallOf(item);
  return call && callItem(item, map, { kind: call.name, name: call.name }, call.arguments);
}

/** What a search found, by the names under which the upstream now has those tools. */
function toolNames(map: ToolMap, tools: unknown): string {
  const names: string[] = [];
  for (const tool of Array.isArray(tools) ? tools : []) {
    if (!isObject(tool)) continue;
    const inner: unknown[] = tool.type === 'namespace' && Array.isArray(tool.tools) ? tool.tools : [tool];
    const namespace = tool.type === 'namespace' ? nonEmpty(tool.name) : undefined;
    for (const one of inner) {
      const name = isObject(one) ? nonEmpty(one.name) : undefined;
      if (name === undefined) continue;
      names.push(map.functionNameOf({ kind: 'function', name, ...(namespace === undefined ? {} : { namespace }) }));
    }
  }
  return JSON.stringify({ found: names });
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

function jsonText(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === undefined ? '' : JSON.stringify(value);
}
