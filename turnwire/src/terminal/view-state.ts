import type {
  ApprovalRequestedEvent,
  ElicitationRequestedEvent,
  FileChange,
  PlanStep,
  ToolKind,
  ToolStatus,
} from '@turnwire/agent/internal/events';
import type { RetryingEvent, Usage } from '@turnwire/wire/internal/model/events';
import type { Block, Splitter } from './markdown-blocks.ts';

/**
 * What stands in the transcript, top to bottom. A cell keeps its `key` for life; a changed cell is a new object. A cell
 * that is not `open` will not change any more.
 */
export type Cell = StartCell | UserCell | TextCell | ReasoningCell | ToolCell | PlanCell | NoticeCell;

interface CellBase {
  readonly key: number;
  readonly open: boolean;
}

/** One line of what is told about the chat. */
export interface Fact {
  readonly label: string;
  readonly text: string;
}

/** The beginning of the chat; open until all of it is known. */
export interface StartCell extends CellBase {
  readonly type: 'start';
  readonly version: string;
  readonly facts: readonly Fact[];
}

export interface UserCell extends CellBase {
  readonly type: 'user';
  readonly text: string;
}

/** One block of an answer. The last of a streaming answer is open. */
export interface TextCell extends CellBase {
  readonly type: 'text';
  readonly item: string;
  readonly block: Block;
}

export interface ReasoningCell extends CellBase {
  readonly type: 'reasoning';
  readonly item: string;
  readonly text: string;
}

export type ToolState = 'writing' | 'running' | 'asking' | 'dropped' | ToolStatus;

export interface ToolCell extends CellBase {
  readonly type: 'tool';
  readonly item: string;
  readonly callId: string;
  readonly name: string;
  readonly state: ToolState;
  /** The input as the model writes it: its last part. */
  readonly input: string;
  readonly kind: ToolKind;
  /** The person runs it, and not the model. */
  readonly isOwn?: true;
  /** From the agent, once it has understood the call. */
  readonly title?: string;
  readonly changes?: readonly FileChange[];
  /** Bounded. */
  readonly output: string;
  /** What the next piece of the input, then of the output decides on. */
  readonly held: string;
  /** Milliseconds of the view's clock; of a call that runs. */
  readonly runningSince?: number;
  readonly exitCode?: number;
  readonly durationMs?: number;
}

/** The model's plan as it was when it was done, or when the turn ended. */
export interface PlanCell extends CellBase {
  readonly type: 'plan';
  readonly steps: readonly PlanStep[];
}

/** The whole output of a call: what the model got of it. */
export interface ToolOutput {
  /** Name and title. */
  readonly title: string;
  readonly text: string;
}

export interface NoticeCell extends CellBase {
  readonly type: 'notice';
  readonly level: 'info' | 'warning' | 'error';
  readonly text: string;
}

/** An answer that is streaming. */
export interface OpenAnswer {
  /** All deltas so far, as they may be shown. */
  readonly text: string;
  /** What the next delta decides on. */
  readonly held: string;
  readonly splitter: Splitter;
  /** Its cells have this key or a later one. */
  readonly firstKey: number;
}

export interface OpenReasoning {
  readonly key: number;
  /** What the next delta decides on. */
  readonly held: string;
  readonly summary: string;
  readonly content: string;
  /** The latest index of each, to set parts apart. */
  readonly summaryIndex: number;
  readonly contentIndex: number;
}

export type TurnPhase = 'idle' | 'waiting' | 'thinking' | 'answering' | 'calling' | 'compacting';

/** Numbers for the status line. Times in milliseconds of the caller's clock. */
export interface Meter {
  readonly turnStartedAt: number | undefined;
  readonly requestStartedAt: number | undefined;
  readonly firstOutputAt: number | undefined;
  /** Of the latest response. */
  readonly ttftMs: number | undefined;
  /** Characters of the running response; four make about a token. */
  readonly streamedChars: number;
  readonly tokensPerSecond: number | undefined;
}

export interface ViewState {
  readonly cells: readonly Cell[];
  readonly nextKey: number;
  readonly phase: TurnPhase;
  /** When the phase began, in milliseconds of the view's clock. */
  readonly phaseAt: number;
  /** Answers and reasoning that are streaming, by item id. */
  readonly answers: ReadonlyMap<string, OpenAnswer>;
  readonly reasoning: ReadonlyMap<string, OpenReasoning>;
  /** Items of the running response that are done: a second `done` is not shown. */
  readonly doneItems: ReadonlySet<string>;
  /** First key of the running response: a retry makes nothing older void. */
  readonly responseKey: number;
  readonly retry: RetryingEvent | undefined;
  /** What the person is asked. */
  readonly asked: ApprovalRequestedEvent | ElicitationRequestedEvent | undefined;
  /** What the model is about to do, while it may still change: it stands below the transcript. Empty: nothing. */
  readonly plan: readonly PlanStep[];
  /** What the latest tools gave, oldest first, to be read as a whole. Bounded. */
  readonly outputs: readonly ToolOutput[];
  readonly meter: Meter;
  /** Of the latest response: its total is how full the context is. */
  readonly usage: Usage | undefined;
  /** Sum over the turns that this view saw. */
  readonly total: Usage | undefined;
  readonly requests: number;
}

export const emptyMeter: Meter = {
  turnStartedAt: undefined,
  requestStartedAt: undefined,
  firstOutputAt: undefined,
  ttftMs: undefined,
  streamedChars: 0,
  tokensPerSecond: undefined,
};

export const emptyView: ViewState = {
  cells: [],
  nextKey: 1,
  phase: 'idle',
  phaseAt: 0,
  outputs: [],
  answers: new Map(),
  reasoning: new Map(),
  doneItems: new Set(),
  responseKey: 1,
  retry: undefined,
  asked: undefined,
  plan: [],
  meter: emptyMeter,
  usage: undefined,
  total: undefined,
  requests: 0,
};
