import { isObject, nonEmpty, stringOf, type JsonObject } from '../base/json.ts';
import type { Item } from '../model/items.ts';
import type { FunctionTool, ToolChoice } from '../model/request.ts';
import type { ToolTarget } from './kinds/client-tool.ts';
import { builtInTools, clientTools, isBuiltInKind } from './client-tools.ts';
import { createNameAllocator, type NameAllocator } from './names.ts';

/** Something of the request that the upstream cannot be given. */
export interface Uncarried {
  /** The tool's or item's type. */
  readonly type: string;
  readonly name?: string;
  readonly reason: string;
}

/** The tools of one request, as functions, and the way back. */
export interface ToolMap {
  readonly tools: readonly FunctionTool[];
  readonly toolChoice: ToolChoice | undefined;
  readonly uncarried: readonly Uncarried[];
  /** False when every tool is a plain function under its own name: nothing is to be restored. */
  readonly changed: boolean;
  /** The client's tool behind a function name; undefined for names that no tool of the request has. */
  targetOf(functionName: string): ToolTarget | undefined;
  /** The function name of a client's tool; one that the request does not list gets a legal name all the same. */
  functionNameOf(target: ToolTarget): string;
}

/** The parts of a Responses request in which tools are named. */
export interface ToolMapInput {
  /** The request's `tools`. Default: none. */
  readonly tools?: readonly unknown[];
  /**
   * The request's `input`. Items may bring tools too: `additional_tools`, and the results of a tool search. Default:
   * none.
   */
  readonly input?: readonly Item[];
  /** The request's `tool_choice`. Default: the model decides. */
  readonly toolChoice?: unknown;
}

/** The namespace that Codex gives to tools that are called by their bare name. */
const BARE_NAMESPACE = 'functions';

interface Found {
  readonly target: ToolTarget;
  readonly tool: JsonObject;
}

interface Draft {
  readonly found: Map<string, Found>;
  readonly uncarried: Uncarried[];
}

/**
 * Flattens the tools of a request to functions, for an upstream that only knows those.
 *
 * @example
 * ```ts
 * const map = createToolMap({ tools: request.tools, input: request.input, toolChoice: request.tool_choice });
 * const restorer = createToolRestorer(map); // one per response
 * ```
 */
export function createToolMap(request: ToolMapInput): ToolMap {
  const draft: Draft = { found: new Map(), uncarried: [] };
  for (const tool of request.tools ?? []) collect(draft, tool, undefined);
  for (const item of request.input ?? []) collectFromItem(draft, item);
  return finish(draft, request.toolChoice);
}

function collectFromItem(draft: Draft, item: Item): void {
  if (item.type !== 'additional_tools' && item.type !== 'tool_search_output') return;
  const tools = item.tools;
  for (const tool of Array.isArray(tools) ? tools : []) collect(draft, tool, undefined);
}

function collect(draft: Draft, tool: unknown, namespace: string | undefined): void {
  if (!isObject(tool)) return void draft.uncarried.push({ type: 'unknown', reason: 'not an object' });
  const type = nonEmpty(tool.type) ?? 'unknown';
  switch (type) {
    case 'function':
    case 'custom': {
      collectNamed(draft, tool, type, namespace);
      return;
    }
    case 'namespace': {
      collectNamespace(draft, tool);
      return;
    }
    default:
      collectBuiltIn(draft, tool, type);
  }
}

function collectBuiltIn(draft: Draft, tool: JsonObject, type: string): void {
  if (isBuiltInKind(type) && builtInTools[type].runsAtClient?.(tool) !== false)
    add(draft, { kind: type, name: type }, tool);
  else leaveOut(draft, tool, 'the upstream cannot run it');
}

function collectNamed(
  draft: Draft,
  tool: JsonObject,
  kind: 'function' | 'custom',
  namespace: string | undefined,
): void {
  const fields = isObject(tool[kind]) ? tool[kind] : tool; // the chat wire nests them under the type's name
  const name = nonEmpty(fields.name);
  if (name === undefined) {
    leaveOut(draft, tool, 'it has no name');
    return;
  }
  add(draft, { kind, name, ...(namespace === undefined ? {} : { namespace }) }, fields);
}

function collectNamespace(draft: Draft, tool: JsonObject): void {
  const name = nonEmpty(tool.name);
  if (name === undefined || !Array.isArray(tool.tools)) {
    leaveOut(draft, tool, 'it has no name or no tools');
    return;
  }
  for (const inner of tool.tools) collect(draft, inner, name === BARE_NAMESPACE ? undefined : name);
}

/** A tool that is listed twice counts once: servers refuse two functions of one name. */
function add(draft: Draft, target: ToolTarget, tool: JsonObject): void {
  const key = keyOf(target);
  if (!draft.found.has(key)) draft.found.set(key, { target, tool });
}

function leaveOut(draft: Draft, tool: JsonObject, reason: string): void {
  const name = nonEmpty(tool.name) ?? nonEmpty(tool.server_label);
  draft.uncarried.push({ type: nonEmpty(tool.type) ?? 'unknown', ...(name === undefined ? {} : { name }), reason });
}

function finish(draft: Draft, toolChoice: unknown): ToolMap {
  const allocator = createNameAllocator();
  const names = new Map<string, string>();
  const targets = new Map<string, ToolTarget>();
  let changed = false;
  const register = (target: ToolTarget, name: string): string => {
    if (target.kind !== 'function' || target.namespace !== undefined || name !== target.name) changed = true;
    names.set(keyOf(target), name);
    targets.set(name, target);
    return name;
  };
  reserveBareNames(draft, allocator, register);
  const ownNameOf = (target: ToolTarget): string =>
    names.get(keyOf(target)) ?? register(target, allocator.assign(flatName(target), keyOf(target)));
  const functionNameOf = (target: ToolTarget): string => {
    const known = names.get(keyOf(target)) ?? names.get(builtInKeyOf(target) ?? '');
    return known ?? ownNameOf(target);
  };
  const tools = [...draft.found.values()].map(({ target, tool }) => ({
    target,
    tool: clientTools[target.kind].asFunction(tool, ownNameOf(target)),
  }));
  const choice = chooseTools(toolChoice, tools, functionNameOf, draft);
  return {
    tools: choice.tools,
    toolChoice: choice.toolChoice,
    uncarried: draft.uncarried,
    get changed() {
      return changed;
    },
    targetOf: (name) => targets.get(name),
    functionNameOf,
  };
}

/** Plain functions with a legal name keep it, whatever else would flatten to the same one. */
function reserveBareNames(
  draft: Draft,
  allocator: NameAllocator,
  register: (target: ToolTarget, name: string) => string,
): void {
  for (const { target } of draft.found.values()) {
    if (target.kind === 'function' && target.namespace === undefined && allocator.reserve(target.name)) {
      register(target, target.name);
    }
  }
}

function flatName(target: ToolTarget): string {
  return target.namespace === undefined ? target.name : `${target.namespace}__${target.name}`;
}

/**
 * Functions and freeform tools share their names on purpose: a client knows them by namespace and name. A built-in tool
 * is known by its type, and may stand beside a function of the same name.
 */
function keyOf(target: ToolTarget): string {
  if (isBuiltInKind(target.kind)) return `\u0000${target.kind}`;
  const namespace = target.namespace === BARE_NAMESPACE ? undefined : target.namespace;
  return namespace === undefined ? target.name : `${namespace}\u0000${target.name}`;
}

/** The key of the built-in tool that a function's name may mean where there is no such function. */
function builtInKeyOf({ name, namespace }: ToolTarget): string | undefined {
  return namespace === undefined && isBuiltInKind(name) ? keyOf({ kind: name, name }) : undefined;
}

interface Candidate {
  readonly target: ToolTarget;
  readonly tool: FunctionTool;
}

interface Choice {
  readonly tools: readonly FunctionTool[];
  readonly toolChoice: ToolChoice | undefined;
}

function chooseTools(
  choice: unknown,
  candidates: readonly Candidate[],
  functionNameOf: (target: ToolTarget) => string,
  draft: Draft,
): Choice {
  const tools = candidates.map((candidate) => candidate.tool);
  if (tools.length === 0) return { tools, toolChoice: undefined };
  if (choice === 'auto' || choice === 'none' || choice === 'required') return { tools, toolChoice: choice };
  if (!isObject(choice)) return { tools, toolChoice: undefined };
  if (choice.type === 'allowed_tools') return allowedTools(choice, candidates, draft);
  const chosen = findCandidate(choice, byKey(candidates));
  if (chosen !== undefined) return { tools, toolChoice: { type: 'function', name: functionNameOf(chosen.target) } };
  draft.uncarried.push({
    type: 'tool_choice',
    name: stringOf(choice.name) ?? String(choice.type),
    reason: 'the tool it names is not carried',
  });
  return { tools, toolChoice: 'auto' };
}

/** Servers of the chat wire know no allow-list: only the allowed tools are sent. */
function allowedTools(choice: JsonObject, candidates: readonly Candidate[], draft: Draft): Choice {
  const nested = isObject(choice.allowed_tools) ? choice.allowed_tools : choice;
  const wanted: unknown[] = Array.isArray(nested.tools) ? nested.tools : [];
  const known = byKey(candidates);
  const allowed = new Set(wanted.map((one) => (isObject(one) ? findCandidate(one, known) : undefined)));
  const tools = candidates.filter((candidate) => allowed.has(candidate)).map((candidate) => candidate.tool);
  if (tools.length === 0) {
    draft.uncarried.push({
      type: 'tool_choice',
      name: 'allowed_tools',
      reason: 'none of the allowed tools is carried',
    });
    return { tools, toolChoice: undefined };
  }
  return { tools, toolChoice: nested.mode === 'required' ? 'required' : 'auto' };
}

function byKey(candidates: readonly Candidate[]): ReadonlyMap<string, Candidate> {
  return new Map(candidates.map((candidate) => [keyOf(candidate.target), candidate]));
}

function findCandidate(choice: JsonObject, known: ReadonlyMap<string, Candidate>): Candidate | undefined {
  const nested = isObject(choice.function) ? choice.function : isObject(choice.custom) ? choice.custom : choice;
  const type = nonEmpty(choice.type) ?? '';
  const name = nonEmpty(nested.name) ?? '';
  const namespace = nonEmpty(choice.namespace);
  const kind = isBuiltInKind(type) ? type : 'function';
  const target: ToolTarget = { kind, name, ...(namespace === undefined ? {} : { namespace }) };
  return known.get(keyOf(target)) ?? known.get(builtInKeyOf(target) ?? '');
}
