import type { ModelErrorJson } from '@turnwire/wire/internal/model/errors';
import type { ModelEvent, Usage } from '@turnwire/wire/internal/model/events';
import type { InputMessage } from '@turnwire/wire/internal/model/items';
import type { SandboxLevel } from './sandbox/sandbox.ts';

/**
 * What a turn of the agent reports to its front end (JSON lines, terminal, editor): one union on `type`. The model's
 * own events are passed through unchanged. Field names are snake_case, as on the wire, because `turnwire exec --json`
 * prints these objects.
 *
 * Contract: `turn.started` is first. Exactly one of `turn.completed`, `turn.failed`, `turn.interrupted` is last.
 * Every `tool.started` has its `tool.finished` before that, every `approval.requested` its `approval.resolved`, every
 * `elicitation.requested` its `elicitation.resolved`. Tool events may stand between the events of a response that is
 * still streaming. `tool.finished` comes when the tool is done; the outputs go to the model in the order of the calls.
 */
export type AgentEvent =
  | ModelEvent
  | TurnStartedEvent
  | InputAcceptedEvent
  | ToolStartedEvent
  | ToolOutputEvent
  | ToolFinishedEvent
  | ApprovalRequestedEvent
  | ApprovalResolvedEvent
  | ElicitationRequestedEvent
  | ElicitationResolvedEvent
  | HistoryCompactingEvent
  | HistoryCompactedEvent
  | ProjectDocEvent
  | PlanUpdatedEvent
  | WarningEvent
  | TurnCompletedEvent
  | TurnFailedEvent
  | TurnInterruptedEvent;

/** The `type` of an event of the agent. */
export type AgentEventType = AgentEvent['type'];

/** A turn begins: its first event. */
export interface TurnStartedEvent {
  readonly type: 'turn.started';
  /** Absent when the thread is not kept on disk. */
  readonly thread_id?: string;
  /** Counts from 1 within the thread. */
  readonly turn: number;
}

/** A message of the user went into the conversation: the prompt, or one that was queued while the agent worked. */
export interface InputAcceptedEvent {
  readonly type: 'input.accepted';
  readonly item: InputMessage;
  /** The queue's id of a steering message; absent for the prompt. */
  readonly queue_id?: string;
}

/** What a tool does, in the Agent Client Protocol's words. */
export type ToolKind = 'read' | 'edit' | 'search' | 'execute' | 'fetch' | 'other';

/** A file that a tool touches. */
export interface ToolLocation {
  /** Absolute. */
  readonly path: string;
  /** Counts from 1. */
  readonly line?: number;
}

/** One file's change, as it is about to be made or was made. */
export interface FileChange {
  readonly kind: 'add' | 'update' | 'delete' | 'move';
  /** Absolute. */
  readonly path: string;
  /** Absolute; only of a move. */
  readonly moved_to?: string;
  /** `null`: the file did not exist. */
  readonly old_text: string | null;
  /** `null`: the file is deleted. */
  readonly new_text: string | null;
  /** Unified diff. */
  readonly diff: string;
}

/** A tool call was understood (or refused); approval, if it needs one, follows. */
export interface ToolStartedEvent {
  readonly type: 'tool.started';
  readonly call_id: string;
  readonly name: string;
  readonly kind: ToolKind;
  /** One line for people: the command, the file. */
  readonly title: string;
  readonly locations?: readonly ToolLocation[];
  readonly changes?: readonly FileChange[];
  /** What a command runs in; absent for tools that run none. */
  readonly sandbox?: SandboxLevel;
}

/** What a running tool printed, as it comes. Bounded: past a limit nothing more is reported until `tool.finished`. */
export interface ToolOutputEvent {
  readonly type: 'tool.output';
  readonly call_id: string;
  readonly stream: 'stdout' | 'stderr';
  readonly delta: string;
}

/** How a tool call ended. `unknown` is only said of the past: the process ended while the tool ran. */
export type ToolStatus = 'completed' | 'failed' | 'denied' | 'interrupted' | 'unknown';

/** A tool call is over: it ran, failed, was denied or was interrupted. */
export interface ToolFinishedEvent {
  readonly type: 'tool.finished';
  readonly call_id: string;
  readonly name: string;
  readonly status: ToolStatus;
  /** The text that the model gets. */
  readonly output: string;
  /** Only of a command that ended by itself. */
  readonly exit_code?: number;
  readonly duration_ms: number;
}

/** A tool waits for a yes. The approver of the agent is asked at the same time. */
export interface ApprovalRequestedEvent {
  readonly type: 'approval.requested';
  readonly approval_id: string;
  readonly call_id: string;
  readonly name: string;
  readonly title: string;
  /** Why it is asked: one line. */
  readonly reason: string;
  /** What "for this session" would allow, exactly. */
  readonly rules: readonly string[];
  readonly changes?: readonly FileChange[];
}

/** A question was decided, or taken back by an interrupt. */
export interface ApprovalResolvedEvent {
  readonly type: 'approval.resolved';
  readonly approval_id: string;
  readonly call_id: string;
  readonly decision: 'once' | 'session' | 'deny' | 'interrupted';
}

/** An MCP server wants to know something. The elicitor of the agent is asked at the same time. */
export interface ElicitationRequestedEvent {
  readonly type: 'elicitation.requested';
  readonly elicitation_id: string;
  /** The call that the server asks in. */
  readonly call_id: string;
  readonly mode: 'form' | 'url';
  readonly server: string;
  /** The server's words. */
  readonly message: string;
}

/** The person has answered, or the question was taken back: `cancel`. */
export interface ElicitationResolvedEvent {
  readonly type: 'elicitation.resolved';
  readonly elicitation_id: string;
  readonly call_id: string;
  readonly action: 'accept' | 'decline' | 'cancel';
}

/** The history is being summarised: this takes a request to the model. */
export interface HistoryCompactingEvent {
  readonly type: 'history.compacting';
  readonly reason: 'window' | 'asked' | 'exceeded';
}

/** A summary took the place of the history. */
export interface HistoryCompactedEvent {
  readonly type: 'history.compacted';
  readonly items_before: number;
  readonly items_after: number;
}

/** A step of the model's plan. */
export interface PlanStep {
  /** What is done in it, in words of the model. */
  readonly step: string;
  readonly status: 'pending' | 'in_progress' | 'completed';
}

/** The model changed its plan: this is all of it. It stays the plan until the next one, also after a summary and in a conversation that is resumed. */
export interface PlanUpdatedEvent {
  readonly type: 'plan.updated';
  /** In order; empty: there is no plan any more. */
  readonly steps: readonly PlanStep[];
}

/** The model was told what an `AGENTS.md` of the project says: at the first turn, or because a tool works beside it. */
export interface ProjectDocEvent {
  readonly type: 'project_doc.told';
  /** Absolute. */
  readonly path: string;
  /** For people: relative to the working directory. */
  readonly name: string;
  /** As many as were told. */
  readonly bytes: number;
  /** The file is longer. */
  readonly is_cut: boolean;
}

/** Something the person should know, and the turn goes on. */
export interface WarningEvent {
  readonly type: 'warning';
  readonly message: string;
}

/** The turn is over, and good: its last event. */
export interface TurnCompletedEvent {
  readonly type: 'turn.completed';
  /** Sum over the requests of the turn; absent when no server reported any. */
  readonly usage?: Usage;
  /** Requests to the model that were answered in this turn. */
  readonly requests: number;
}

/** The turn is over with an error: its last event. What was said before is kept. */
export interface TurnFailedEvent {
  readonly type: 'turn.failed';
  readonly error: ModelErrorJson;
  readonly usage?: Usage;
}

/** The person stopped the turn. What was said is kept. */
export interface TurnInterruptedEvent {
  readonly type: 'turn.interrupted';
  readonly usage?: Usage;
}
