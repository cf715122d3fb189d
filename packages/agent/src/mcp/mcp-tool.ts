import { createHash } from 'node:crypto';
import { isObject, stringOf, type JsonObject } from '@turnwire/wire/internal/base/json';
import { HeadTail } from '../process/head-tail.ts';
import { withOwnSignal } from './own-signal.ts';
import type { McpCaller } from './server.ts';
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
/** With these the first `__` behind the prefix is the one between the server and its tool. */
const PLAIN_SERVER = /^[a-zA-Z0-9-]+(?:_[a-zA-Z0-9-]+)*$/;
const PLAIN_TOOL = /^[a-zA-Z0-9-][a-zA-Z0-9_-]*$/;
const DIGEST_LENGTH = 8;

/** A tool of an MCP server. Every call needs approval: what a server says of its own tools is no proof. */
export function mcpTool(server: string, tool: ListedTool, caller: McpCaller): AgentTool {
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
        approval: {
          reason: `it calls the MCP server ${server}`,
          rules: [`mcp:${JSON.stringify([server, tool.name])}`],
        },
        run: async (run) => {
          const { signal, elicit } = run;
          const say = (text: string): void => run.output('stderr', text);
          const request = { name: tool.name, arguments: args };
          const call = (own: AbortSignal) => caller(request, { signal: own, say, elicit });
          return toResult(await withOwnSignal(signal, call));
        },
      });
    },
  };
}

/**
 * `mcp__SERVER__TOOL`. A name that a model server refuses, and one that could be another server's as well
 * (`a__b` with `c`, `a` with `b__c`), gets letters of its own at the end.
 */
function toolName(server: string, tool: string): string {
  const name = `mcp__${server}__${tool}`;
  if (name.length <= MAX_NAME && PLAIN_SERVER.test(server) && PLAIN_TOOL.test(tool)) return name;
  const digest = createHash('sha256')
    .update(JSON.stringify([server, tool]))
    .digest('hex')
    .slice(0, DIGEST_LENGTH);
  const readable = name.replaceAll(/[^a-zA-Z0-9_-]/g, '_').slice(0, MAX_NAME - DIGEST_LENGTH - 1);
  return `${readable}_${digest}`;
}

function toResult(result: JsonObject): ToolResult {
  const parts = Array.isArray(result.content) ? result.content.map(toText).join('\n') : '';
  const text =
    parts === '' && result.structuredContent !== undefined ? JSON.stringify(result.structuredContent) : parts;
  const kept = new HeadTail(KEPT_BYTES, KEPT_BYTES);
  kept.append(new TextEncoder().encode(text));
  return { output: text === '' ? '(no output)' : kept.toString(), ok: result.isError !== true };
}

function toText(part: unknown): string {
  if (!isObject(part)) return '';
  if (part.type === 'text') return stringOf(part.text) ?? '';
  if (part.type === 'resource' && isObject(part.resource)) return stringOf(part.resource.text) ?? '[resource]';
  return `[${stringOf(part.type) ?? 'something'}, not shown]`;
}
