import type { Item } from '../model/items.ts';
import { applyPatch } from './kinds/apply-patch.ts';
import { localShell } from './kinds/local-shell.ts';
import { shell } from './kinds/shell.ts';
import { toolSearch } from './kinds/tool-search.ts';
import type { BuiltInKind, BuiltInTool, ClientTool, ToolKind } from './kinds/client-tool.ts';
import { customTool } from './kinds/custom.ts';
import { functionTool } from './kinds/function.ts';

/** The tools of the API itself that a client may run. */
export const builtInTools = {
  local_shell: localShell,
  tool_search: toolSearch,
  shell,
  apply_patch: applyPatch,
} satisfies Record<BuiltInKind, BuiltInTool>;

/** Every kind of tool that a client runs: a new one is a new row. */
export const clientTools = {
  function: functionTool,
  custom: customTool,
  ...builtInTools,
} satisfies Record<ToolKind, ClientTool>;

const all: readonly ClientTool[] = Object.values(clientTools);
const byCallType: ReadonlyMap<unknown, ClientTool> = new Map(all.map((tool) => [tool.callType, tool]));
const byOutputType: ReadonlyMap<unknown, ClientTool> = new Map(all.map((tool) => [tool.outputType, tool]));

export function isBuiltInKind(kind: string): kind is BuiltInKind {
  return Object.hasOwn(builtInTools, kind);
}

/** The tool that an item calls; undefined for an item of another type. */
export function toolOfCall(item: Item): ClientTool | undefined {
  return byCallType.get(item.type);
}

/** The tool that an item is an output of; undefined for an item of another type. */
export function toolOfOutput(item: Item): ClientTool | undefined {
  return byOutputType.get(item.type);
}
