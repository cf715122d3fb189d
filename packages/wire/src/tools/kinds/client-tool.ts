import { isObject, type JsonObject } from '../../base/json.ts';
import type { Item, OutputItem } from '../../model/items.ts';
import type { FunctionTool } from '../../model/request.ts';

/** Tools of the API itself that the client runs; they have no name but their type. */
export type BuiltInKind = 'local_shell' | 'tool_search' | 'shell' | 'apply_patch';

/** Every kind of tool that a client runs. */
export type ToolKind = 'function' | 'custom' | BuiltInKind;

/** The client's tool that a function of the upstream stands for. */
export interface ToolTarget {
  readonly kind: ToolKind;
  readonly name: string;
  readonly namespace?: string;
}

/** Stands in for the output of a call that never got one: every server wants each call answered. */
export const ABORTED = 'aborted';

/** All that sets one kind of client-run tool apart, on wires that have it and on wires that have functions only. */
export interface ClientTool {
  readonly kind: ToolKind;
  /** The `type` of an item that calls it. */
  readonly callType: string;
  /** The `type` of an item that answers such a call. */
  readonly outputType: string;
  /** How the id of a call begins. */
  readonly idPrefix: string;
  /** The tool as a function called `name`, of its declaration in a request. */
  asFunction(tool: JsonObject, name: string): FunctionTool;
  /** A call as the arguments of that function. */
  toArguments(call: JsonObject): string;
  /** What an output says, as the output of that function: text, parts of content, or a value to be written as JSON. */
  outputText(output: JsonObject, functionNameOf: (target: ToolTarget) => string): unknown;
  /** The output of a call that has none. */
  aborted(callId: string): Item;
  /** Its name in a chat history that no tool map rewrote. Absent: the call's own `name`; a call without one is left out. */
  readonly chatName?: string;
  /** Its arguments in such a history, where they differ from {@link toArguments}. */
  chatArguments?(call: JsonObject): string;
  /** Its items may have an `id` and no `call_id`; then the `id` pairs them. */
  readonly pairsById?: true;
  /** Whether the client ran it, by its call or output. Absent: always. */
  ranAtClient?(item: JsonObject): boolean;
}

export interface BuiltInTool extends ClientTool {
  readonly kind: BuiltInKind;
  /** Whether the client runs it and not the server, by its declaration. Absent: always. */
  runsAtClient?(tool: JsonObject): boolean;
  /** The call that a model means by a function's arguments; undefined where it stays a function call, for the client to refuse. */
  toCall(args: string, head: CallHead): OutputItem | undefined;
}

/** What the calls of all built-in tools have in common. */
export interface CallHead {
  readonly id?: string;
  readonly call_id: string;
  readonly status: string;
}

/** The output of a tool that says it in text or parts of content. */
export function outputField({ output }: JsonObject): unknown {
  return output;
}

/** Those fields of an action that have a value, as JSON text. */
export function fieldsAsJson(action: unknown, names: readonly string[]): string {
  const fields = isObject(action) ? action : {};
  const given = names.filter((name) => (fields[name] ?? null) !== null);
  return JSON.stringify(Object.fromEntries(given.map((name) => [name, fields[name]])));
}
