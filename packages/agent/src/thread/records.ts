import type { Usage } from '@turnwire/wire/internal/model/events';
import type {
  CustomToolCall,
  CustomToolCallOutput,
  FunctionCall,
  FunctionCallOutput,
  InputMessage,
  Item,
} from '@turnwire/wire/internal/model/items';
import type { PlanStep } from '../events.ts';
import type { PatchStore } from '../patch/undo.ts';
import type { ModelServer } from './model-server.ts';
import type { Told, ToldCall } from './told.ts';

/** A call of one of the client's own tools. */
export type ToolCall = FunctionCall | CustomToolCall;
/** What a tool gave back, for the model. */
export type ToolCallOutput = FunctionCallOutput | CustomToolCallOutput;

/**
 * One line of a thread file. Lines are only ever appended.
 *
 * A call is on disk before its tool runs (`tool.started`) and its output right after (`tool.finished`), so that a
 * process killed between the two never runs a tool twice: the process that resumes finds the start without an end,
 * and reports that to the model.
 */
export type ThreadRecord =
  | ThreadHeader
  | { readonly type: 'turn.started'; readonly turn: number; readonly at: string; readonly server?: ModelServer }
  | { readonly type: 'input'; readonly item: InputMessage }
  | { readonly type: 'tool.started'; readonly call: ToolCall; readonly told?: ToldCall }
  /** Of a call that was started, `told` is what the start did not say. */
  | { readonly type: 'tool.finished'; readonly output: ToolCallOutput; readonly told?: ToldCall }
  /** What one request to the model brought, in order, without the outputs of its calls. */
  | { readonly type: 'response'; readonly items: readonly Item[] }
  /**
   * The history is replaced by these; `told` of the calls among them, by their place; the plan, the files that were changed, and the
   * totals until then, so that nobody has to read what stands before it.
   */
  | {
      readonly type: 'compacted';
      readonly items: readonly Item[];
      readonly told?: Readonly<Record<string, ToldCall>>;
      readonly plan?: readonly PlanStep[];
      readonly changed?: readonly string[];
      readonly totals?: ThreadTotals;
    }
  | {
      readonly type: 'turn.ended';
      readonly status: 'completed' | 'failed' | 'interrupted';
      readonly at: string;
      readonly usage?: Usage;
    };

/** What adds up over the turns of a thread, and would else have to be gathered from its beginning. */
export interface ThreadTotals {
  /** Turns so far. */
  readonly turns: number;
  /** Sum over the turns that have ended, as far as servers told it. */
  readonly usage: Usage | undefined;
  /** That of the last turn, where it is known. */
  readonly server: ModelServer | undefined;
}

/** The first line of a thread file. */
export interface ThreadHeader {
  readonly type: 'thread';
  readonly version: 1;
  readonly id: string;
  /** ISO 8601. */
  readonly created_at: string;
  /** Absolute. */
  readonly cwd: string;
  /** Folders that belonged to the work beside it when the thread was begun; absolute. Absent: none. */
  readonly additional_directories?: readonly string[];
  /** The thread that this one was forked from. */
  readonly parent?: string;
  /** The beginning of the first message of the thread that it was forked from. */
  readonly title?: string;
}

/** Where a session writes down what happened. */
export interface Journal {
  /** Ends when the record is written; `durable`: when it would survive a power cut. Records keep their order. */
  append(record: ThreadRecord, options?: { durable?: boolean }): Promise<void>;
}

/** A conversation that is kept: `ThreadStore` makes, resumes and forks it. */
export interface AgentThread extends Journal {
  readonly id: string;
  /** The history so far. */
  readonly items: readonly Item[];
  /** Turns so far. */
  readonly turns: number;
  /** That of the last turn, where it is known. */
  readonly server?: ModelServer;
  /** What people were told of its calls. Absent: nothing is known of them. */
  readonly told?: Told;
  /** Its patches, for `Agent.undo`. Absent: they are kept in memory. */
  readonly patches?: PatchStore;
  /** The model's plan at the last summary. Absent: there was none. */
  readonly plan?: readonly PlanStep[];
  /** Files that its patches had changed at the last summary. Absent: none. */
  readonly changed?: readonly string[];
  /** Sum over its turns, as far as servers told it. */
  readonly usage?: Usage | undefined;
}

/** A journal that keeps nothing. */
export const noJournal: Journal = { append: () => Promise.resolve() };
