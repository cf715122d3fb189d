import { isObject, nonEmpty, parseJson, type JsonObject } from '../../base/json.ts';
import type { BuiltInTool, ToolTarget } from './client-tool.ts';
import { functionTool, plainFunction } from './function.ts';

/** The search for deferred tools, where the client and not the server runs it. */
export const toolSearch: BuiltInTool = {
  kind: 'tool_search',
  callType: 'tool_search_call',
  outputType: 'tool_search_output',
  idPrefix: 'tsc_',
  runsAtClient,
  ranAtClient: runsAtClient,
  asFunction: (tool, name) => {
    const parameters = isObject(tool.parameters)
      ? tool.parameters
      : { type: 'object', properties: { query: { type: 'string' } }, required: ['query'] };
    return { ...plainFunction(tool, name), parameters, strict: false };
  },
  toCall: (args, head) => {
    const fields = parseJson(args);
    if (!isObject(fields)) return undefined;
    return { type: 'tool_search_call', ...head, execution: 'client', arguments: fields };
  },
  toArguments: (call) => functionTool.toArguments(call),
  outputText: ({ tools }, functionNameOf) => JSON.stringify({ found: namesOf(tools, functionNameOf) }),
  aborted: (call_id) => ({ type: 'tool_search_output', call_id, status: 'completed', execution: 'client', tools: [] }),
};

function runsAtClient({ execution }: JsonObject): boolean {
  return execution === 'client';
}

/** What a search found, by the names under which the upstream now has those tools. */
function namesOf(tools: unknown, functionNameOf: (target: ToolTarget) => string): string[] {
  const names: string[] = [];
  for (const tool of Array.isArray(tools) ? tools : []) {
    if (!isObject(tool)) continue;
    const inner: unknown[] = tool.type === 'namespace' && Array.isArray(tool.tools) ? tool.tools : [tool];
    const namespace = tool.type === 'namespace' ? nonEmpty(tool.name) : undefined;
    for (const one of inner) {
      const name = isObject(one) ? nonEmpty(one.name) : undefined;
      if (name === undefined) continue;
      names.push(functionNameOf({ kind: 'function', name, ...(namespace === undefined ? {} : { namespace }) }));
    }
  }
  return names;
}
