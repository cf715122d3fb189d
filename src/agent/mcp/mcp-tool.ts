import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { isObject, stringOf, type JsonObject } from '../../base/json.ts';
import { HeadTail } from '../tools/head-tail.ts';
import { ToolInputError, type AgentTool, type ToolResult } from '../tool.ts';

/** A tool as its server lists it. */
export interface ListedTool {
  readonly name: string;
  readonly description?: string | undefined;
  readonly inputSchema: object;
}

const KEPT_BYTES = 32 * 1024;
/** What model servers take as a name. */
const MAX_NAME = 64;

/** A tool of an MCP server. Every call needs approval: what a server says of its own tools is no proof. */
export function mcpTool(server: string, tool: ListedTool, client: Client, timeoutMs: number): AgentTool {
  const name = toolName(server, tool.name);
  return {
    name,
    description: tool.description ?? `${tool.name} of the MCP server ${server}`,
    kind: 'other',
    parallel: true,
    parameters: { ...tool.inputSchema },
    plan(input) {
      if (input.type !== 'json' || !isObject(input.value)) throw new ToolInputError(`${name} takes a JSON object`);
      const args = input.value;
      return Promise.resolve({
        title: `${server}: ${tool.name} ${JSON.stringify(args)}`,
        approval: { reason: `it calls the MCP server ${server}`, rules: [`mcp:${server}/${tool.name}`] },
        run: async ({ signal }) => {
          const request = { name: tool.name, arguments: args };
          return resultOf(await client.callTool(request, undefined, { signal, timeout: timeoutMs }));
        },
      });
    },
  };
}

/** `mcp__SERVER__TOOL`, with nothing in it that a model server refuses. */
function toolName(server: string, tool: string): string {
  return `mcp__${server}__${tool}`.replaceAll(/[^a-zA-Z0-9_-]/g, '_').slice(0, MAX_NAME);
}

function resultOf(result: JsonObject): ToolResult {
  const parts = Array.isArray(result.content) ? result.content.map(textOf).join('\n') : '';
  const text =
    parts === '' && result.structuredContent !== undefined ? JSON.stringify(result.structuredContent) : parts;
  const kept = new HeadTail(KEPT_BYTES, KEPT_BYTES);
  kept.append(new TextEncoder().encode(text));
  return { output: text === '' ? '(no output)' : kept.toString(), ok: result.isError !== true };
}

function textOf(part: unknown): string {
  if (!isObject(part)) return '';
  if (part.type === 'text') return stringOf(part.text) ?? '';
  if (part.type === 'resource' && isObject(part.resource)) return stringOf(part.resource.text) ?? '[resource]';
  return `[${stringOf(part.type) ?? 'something'}, not shown]`;
}
