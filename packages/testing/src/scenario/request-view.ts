import { isObject, nonEmpty, stringOf, type JsonObject } from '@turnwire/wire/internal/base/json';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import { mockWires } from './wires.ts';

/** A request as scenarios and matchers see it, the same for every wire. */
export interface RequestView {
  readonly wire: ProtocolId;
  readonly transport: 'http' | 'websocket';
  /** Counts the model requests of this mock, from 1. */
  readonly n: number;
  readonly body: JsonObject;
  readonly model: string;
  readonly stream: boolean;
  /** Chat: `stream_options.include_usage`. The Responses wire always has usage. */
  readonly usageAsked: boolean;
  readonly systemText: string;
  readonly lastUserText: string;
  /** User messages, several in a row counted once. */
  readonly userTurns: number;
  /** Groups of tool outputs after the last user message. */
  readonly rounds: number;
  readonly toolOutputs: readonly ToolOutputView[];
  readonly toolNames: readonly string[];
  readonly previousResponseId?: string;
}

/** The output of one tool call in a request. */
export interface ToolOutputView {
  readonly callId: string;
  readonly text: string;
}

export interface ViewContext {
  readonly wire: ProtocolId;
  readonly transport: 'http' | 'websocket';
  readonly n: number;
  /** Responses: what stands before `input`, for a request that names an earlier response. */
  readonly earlier?: readonly unknown[];
}

/** Reads a request body; whatever is malformed in it counts as absent. */
export function viewRequest(body: JsonObject, context: ViewContext): RequestView {
  const wire = mockWires[context.wire];
  const entries = wire.entries(body, context.earlier ?? []);
  const previous = nonEmpty(body.previous_response_id);
  return {
    wire: context.wire,
    transport: context.transport,
    n: context.n,
    body,
    model: stringOf(body.model) ?? '',
    stream: context.transport === 'websocket' || body.stream === true,
    usageAsked: wire.usageAsked(body),
    systemText: [stringOf(body.instructions) ?? '', ...textsOf(entries, ['system', 'developer'])].join('\n').trim(),
    ...readConversation(entries),
    toolNames: toolNamesOf(body.tools),
    ...(previous === undefined ? {} : { previousResponseId: previous }),
  };
}

/** The id of a request at this server, which its answer names. */
export function requestIdOf({ n }: Pick<RequestView, 'n'>): string {
  return `req_mock_${n}`;
}

/** The text of a content value: a string, or parts of either wire. */
export function contentText(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part: unknown) => (isObject(part) ? (stringOf(part.text) ?? '') : '')).join('');
}

type Conversation = Pick<RequestView, 'lastUserText' | 'userTurns' | 'rounds' | 'toolOutputs'>;

function readConversation(entries: readonly unknown[]): Conversation {
  let [lastUserText, userTurns, rounds, before] = ['', 0, 0, ''];
  let toolOutputs: ToolOutputView[] = [];
  for (const entry of entries) {
    if (!isObject(entry)) continue;
    const kind = kindOf(entry);
    if (kind === 'user') {
      if (before !== 'user') userTurns++;
      [lastUserText, rounds, toolOutputs] = [contentText(entry.content), 0, []];
    }
    if (kind === 'output') {
      if (before !== 'output') rounds++;
      toolOutputs.push(toOutput(entry));
    }
    before = kind;
  }
  return { lastUserText, userTurns, rounds, toolOutputs };
}

function kindOf(entry: JsonObject): 'user' | 'output' | 'other' {
  const type = stringOf(entry.type) ?? 'message';
  if (entry.role === 'tool' || type.endsWith('_call_output')) return 'output';
  return type === 'message' && entry.role === 'user' ? 'user' : 'other';
}

function toOutput(entry: JsonObject): ToolOutputView {
  return {
    callId: stringOf(entry.call_id) ?? stringOf(entry.tool_call_id) ?? '',
    text: contentText(entry.output ?? entry.content),
  };
}

function textsOf(entries: readonly unknown[], roles: readonly string[]): string[] {
  return entries.flatMap((entry) =>
    isObject(entry) && roles.includes(stringOf(entry.role) ?? '') ? [contentText(entry.content)] : [],
  );
}

function toolNamesOf(tools: unknown): string[] {
  if (!Array.isArray(tools)) return [];
  return tools.flatMap((tool: unknown) => {
    if (!isObject(tool)) return [];
    const inner = tool.function ?? tool.custom;
    const name = nonEmpty(tool.name) ?? (isObject(inner) ? nonEmpty(inner.name) : undefined);
    return [...(name === undefined ? [] : [name]), ...toolNamesOf(tool.tools)];
  });
}
