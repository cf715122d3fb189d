import { execFileSync } from 'node:child_process';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import {
  defineTool,
  type Agent,
  type AgentEvent,
  type AgentTool,
  type ToolRun,
} from '../../packages/agent/src/index.ts';
import type { Item } from '../../packages/wire/src/model/items.ts';

/** All events of a turn. */
export async function eventsOf(run: AsyncIterable<readonly AgentEvent[]>): Promise<AgentEvent[]> {
  const events: AgentEvent[] = [];
  for await (const batch of run) events.push(...batch);
  return events;
}

export function typesOf(events: readonly AgentEvent[]): string[] {
  return events.map((event) => event.type);
}

export function of<T extends AgentEvent['type']>(
  events: readonly AgentEvent[],
  type: T,
): Extract<AgentEvent, { type: T }>[] {
  return events.filter((event): event is Extract<AgentEvent, { type: T }> => event.type === type);
}

/** The command lines of the processes that run now. */
export function commandLines(): readonly string[] {
  return execFileSync('ps', ['-eo', 'stat=,args='], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => !line.startsWith('Z'));
}

/** A history in short: `user: …`, `assistant: …`, `call NAME ID`, `output ID: …`. */
export function shortHistory(items: readonly Item[] | Agent): string[] {
  return ('items' in items ? items.items : items).map((item) => {
    if (item.type === 'function_call') return `call ${String(item.name)} ${String(item.call_id)}`;
    if (item.type === 'function_call_output') return `output ${String(item.call_id)}: ${String(item.output)}`;
    if (item.type === 'message') return `${String(item.role)}: ${textOf(item.content)}`;
    return String(item.type);
  });
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  return (content as { text?: string }[]).map((part) => part.text ?? '').join('');
}

/** A tool that answers with what `run` says; counts how often it ran. */
export function testTool(
  name: string,
  run: (args: { n?: number | undefined }, toolRun: ToolRun) => Promise<string> | string,
  more: { parallel?: boolean; needsApproval?: boolean } = {},
): AgentTool & { runs: number } {
  const tool = defineTool({
    name,
    description: name,
    kind: 'other',
    schema: z.strictObject({ n: z.number().optional() }),
    parallel: more.parallel ?? true,
    plan: (args) =>
      Promise.resolve({
        title: `${name} ${args.n ?? ''}`.trim(),
        ...(more.needsApproval === true ? { approval: { reason: 'test', rules: [`${name}:${args.n ?? ''}`] } } : {}),
        run: async (toolRun) => {
          counted.runs += 1;
          return { output: await run(args, toolRun), ok: true };
        },
      }),
  });
  const counted = { ...tool, runs: 0 };
  return counted;
}

/** A folder that is removed after the test; its real path. */
export async function temporaryFolder(): Promise<string> {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'turnwire-agent-')));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** A zombie does not count: where nobody reaps orphans it stays for ever. */
export function isAlive(pid: number): boolean {
  try {
    return !execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).startsWith('Z');
  } catch {
    return false;
  }
}
