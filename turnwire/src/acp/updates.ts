import type { PlanEntry, SessionUpdate, ToolCallContent, ToolKind } from '@agentclientprotocol/sdk';
import type { OutputItemDoneEvent, RetryingEvent } from '@turnwire/wire/internal/model/events';
import type { AgentEvent, FileChange, PlanStep, ToolFinishedEvent, ToolStartedEvent } from '@turnwire/agent';
import {
  isAssistantMessage,
  isFunctionCall,
  isReasoning,
  messageText,
  type InputMessage,
  type OutputItem,
} from '@turnwire/wire/internal/model/items';
import { TranscriptBuilder } from '@turnwire/wire/internal/model/transcript-builder';
import { parseJson } from '@turnwire/wire/internal/base/json';
import { printable, visible } from '@turnwire/wire/internal/base/printable';
import type { EditorAbilities } from './abilities.ts';
import type { ToolIds } from './tool-ids.ts';

/**
 * Turns the agent's events into the editor's updates. Text is sent once, streamed or not; a tool call begins as
 * `pending`, is `in_progress` once it may run, and ends as `completed` or `failed`.
 */
export class UpdateMapper {
  readonly #ids: ToolIds;
  readonly #editor: Pick<EditorAbilities, 'notices' | 'compaction'>;
  /** Knows which text was told as it came, and what a retry makes void. */
  #transcript = new TranscriptBuilder();
  /** Arguments of calls that are done, until their tool starts. */
  readonly #arguments = new Map<string, unknown>();
  readonly #running = new Map<string, RunningTool>();

  /** The summary that is being made, where the editor shows such. */
  #compaction: string | undefined;
  #compactions = 0;

  constructor(ids: ToolIds, editor: Pick<EditorAbilities, 'notices' | 'compaction'>) {
    this.#ids = ids;
    this.#editor = editor;
  }

  take(event: AgentEvent): readonly SessionUpdate[] {
    switch (event.type) {
      case 'output_text.delta':
      case 'refusal.delta':
        this.#transcript.take(event);
        return [chunk('agent_message_chunk', event.delta, event.item_id)];
      case 'reasoning_text.delta':
      case 'reasoning_summary_text.delta':
        this.#transcript.take(event);
        return [chunk('agent_thought_chunk', event.delta, event.item_id)];
      case 'reasoning_summary_part.added':
        return event.summary_index === 0 ? [] : [chunk('agent_thought_chunk', '\n\n', event.item_id)];
      case 'output_item.done':
        return this.#itemDone(event);
      case 'retrying':
        return this.#retrying(event);
      case 'turn.started':
        this.#transcript = new TranscriptBuilder();
        return [];
      case 'created':
      case 'completed':
        this.#transcript.take(event);
        return [];
      case 'tool.started':
        return this.#toolStarted(event);
      case 'tool.output':
        return this.#toolOutput(event.call_id, event.delta);
      case 'approval.resolved':
        return event.decision === 'once' || event.decision === 'session' ? this.#inProgress(event.call_id) : [];
      case 'tool.finished':
        return this.#toolFinished(event);
      case 'warning':
        return [...this.#endCompaction('failed'), this.notice('warning', event.message)];
      case 'plan.updated':
        return [{ sessionUpdate: 'plan', entries: event.steps.map(toPlanEntry) }];
      case 'project_doc.told':
        return [this.notice('info', `The model is told ${event.name}.`)];
      case 'history.compacting':
        return [this.#beginCompaction()];
      case 'history.compacted':
        return this.#endCompaction('completed');
      case 'turn.failed':
        return this.#endCompaction('failed');
      case 'turn.interrupted':
        return this.#endCompaction('cancelled');
      default:
        return [];
    }
  }

  /** Something the person should know: beside the answer where the editor has a place for it, else among the thoughts. */
  notice(severity: 'info' | 'warning', message: string): SessionUpdate {
    if (this.#editor.notices) return { sessionUpdate: 'notice', severity, title: visible(message) };
    return chunk('agent_thought_chunk', `\n[${printable(message)}]\n`);
  }

  #beginCompaction(): SessionUpdate {
    if (!this.#editor.compaction) return this.notice('info', 'The conversation is being summarised to make room.');
    this.#compaction = `compaction_${++this.#compactions}`;
    return { sessionUpdate: 'compaction_update', compactionId: this.#compaction, status: 'in_progress' };
  }

  #endCompaction(status: 'completed' | 'failed' | 'cancelled'): readonly SessionUpdate[] {
    const compactionId = this.#compaction;
    this.#compaction = undefined;
    return compactionId === undefined ? [] : [{ sessionUpdate: 'compaction_update', compactionId, status }];
  }

  #itemDone(event: OutputItemDoneEvent): readonly SessionUpdate[] {
    const { item } = event;
    const decision = this.#transcript.take(event);
    if (isFunctionCall(item)) this.#arguments.set(item.call_id, parseJson(item.arguments) ?? item.arguments);
    if (item.type === 'custom_tool_call' && typeof item.call_id === 'string')
      this.#arguments.set(item.call_id, item.input);
    const isTold = decision?.type === 'repeated' || (decision?.type !== 'void' && decision?.wasStreamed === true);
    return isTold ? [] : textUpdates(item);
  }

  /** What an editor shows cannot be taken back: it is said that it counts no more. */
  #retrying(event: RetryingEvent): readonly SessionUpdate[] {
    const decision = this.#transcript.take(event);
    const isVoid = decision?.type === 'void' && decision.wasShown;
    const what = isVoid ? ' What was written of this answer is void.' : '';
    const line = `Reconnecting ${event.attempt}/${event.max}: ${event.error.message}.${what}`;
    return [isVoid ? chunk('agent_message_chunk', `\n[${printable(line)}]\n`) : this.notice('info', line)];
  }

  #toolStarted(event: ToolStartedEvent): readonly SessionUpdate[] {
    const id = this.#ids.begin(event.call_id);
    const content = (event.changes ?? []).flatMap(diffOf);
    this.#running.set(event.call_id, { id, content, text: '', toldLength: 0, isInProgress: false });
    const rawInput = this.#arguments.get(event.call_id);
    this.#arguments.delete(event.call_id);
    return [
      {
        sessionUpdate: 'tool_call',
        toolCallId: id,
        title: visible(event.title),
        kind: kindOf(event),
        status: 'pending',
        content,
        locations: (event.locations ?? []).map(({ path, line }) => ({ path, ...(line === undefined ? {} : { line }) })),
        ...(rawInput === undefined ? {} : { rawInput }),
      },
    ];
  }

  #inProgress(callId: string): readonly SessionUpdate[] {
    const tool = this.#running.get(callId);
    if (tool === undefined || tool.isInProgress) return [];
    tool.isInProgress = true;
    return [{ sessionUpdate: 'tool_call_update', toolCallId: tool.id, status: 'in_progress' }];
  }

  /** An update replaces the content, so it is sent each time the text has doubled: the work stays linear. */
  #toolOutput(callId: string, delta: string): readonly SessionUpdate[] {
    const tool = this.#running.get(callId);
    if (tool === undefined) return [];
    tool.text += delta;
    if (tool.text.length < tool.toldLength * 2) return [];
    tool.toldLength = tool.text.length;
    tool.isInProgress = true;
    const content = [...tool.content, textContent(tool.text)];
    return [{ sessionUpdate: 'tool_call_update', toolCallId: tool.id, status: 'in_progress', content }];
  }

  #toolFinished(event: ToolFinishedEvent): readonly SessionUpdate[] {
    const tool = this.#running.get(event.call_id);
    if (tool === undefined) return [];
    this.#running.delete(event.call_id);
    return [
      {
        sessionUpdate: 'tool_call_update',
        toolCallId: tool.id,
        status: event.status === 'completed' ? 'completed' : 'failed',
        content: [...tool.content, textContent(event.output)],
        rawOutput: {
          output: event.output,
          status: event.status,
          ...(event.exit_code === undefined ? {} : { exit_code: event.exit_code }),
        },
      },
    ];
  }
}

interface RunningTool {
  readonly id: string;
  /** The diffs, which stay. */
  readonly content: readonly ToolCallContent[];
  text: string;
  toldLength: number;
  isInProgress: boolean;
}

export type ChunkKind = 'agent_message_chunk' | 'agent_thought_chunk' | 'user_message_chunk';

export function chunk(kind: ChunkKind, text: string, messageId?: string): SessionUpdate {
  return {
    sessionUpdate: kind,
    content: { type: 'text', text },
    ...(messageId === undefined || messageId === '' ? {} : { messageId }),
  };
}

/** The whole text of a finished item: of one that was not streamed, or that comes from the history. */
export function textUpdates(item: OutputItem): readonly SessionUpdate[] {
  if (isAssistantMessage(item)) {
    const text = messageText(item);
    return text === '' ? [] : [chunk('agent_message_chunk', text, item.id)];
  }
  if (!isReasoning(item)) return [];
  const parts = item.content === undefined || item.content.length === 0 ? item.summary : item.content;
  const text = parts.map((part) => part.text).join('\n\n');
  return text === '' ? [] : [chunk('agent_thought_chunk', text, item.id)];
}

/** What a person said, text and images. */
export function userUpdates({ content }: InputMessage): readonly SessionUpdate[] {
  if (typeof content === 'string') return [chunk('user_message_chunk', content)];
  return content.map((part) => {
    if (part.type === 'input_text') return chunk('user_message_chunk', part.text);
    const [, mimeType, data] = /^data:([^;,]+);base64,(.*)$/s.exec(part.image_url) ?? [];
    if (mimeType === undefined || data === undefined) return chunk('user_message_chunk', '[image]');
    return { sessionUpdate: 'user_message_chunk', content: { type: 'image', mimeType, data } };
  });
}

export function textContent(text: string): ToolCallContent {
  return { type: 'content', content: { type: 'text', text } };
}

export function diffOf(change: FileChange): ToolCallContent[] {
  const path = change.moved_to ?? change.path;
  return [{ type: 'diff', path, oldText: change.old_text, newText: change.new_text ?? '' }];
}

/** An editor wants a priority; the model gives none. */
function toPlanEntry({ step, status }: PlanStep): PlanEntry {
  return { content: visible(step), priority: 'medium', status };
}

function kindOf(event: ToolStartedEvent): ToolKind {
  const kinds = new Set(event.changes?.map((change) => change.kind));
  if (kinds.size === 1 && kinds.has('delete')) return 'delete';
  if (kinds.size === 1 && kinds.has('move')) return 'move';
  return event.kind;
}
