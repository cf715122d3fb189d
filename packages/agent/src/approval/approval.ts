import type { FileChange } from '../events.ts';

/**
 * - `never`: nothing that needs approval is run.
 * - `ask`: the approver decides; without an approver it is `never`.
 * - `always`: everything is approved.
 */
export type ApprovalMode = 'never' | 'ask' | 'always';

/** What a tool must be allowed before it may run. */
export interface ApprovalNeed {
  /** One line for the person: why it is asked. */
  readonly reason: string;
  /**
   * Exact rules, e.g. one command in one folder, or one file to write. "For this session" remembers these strings
   * and nothing wider.
   */
  readonly rules: readonly string[];
}

/** A tool call that waits for a decision. */
export interface ApprovalRequest extends ApprovalNeed {
  readonly approvalId: string;
  readonly callId: string;
  /** The tool's name. */
  readonly name: string;
  /** One line: the command, the file. */
  readonly title: string;
  readonly changes?: readonly FileChange[];
}

/** What the person decided. */
export type ApprovalDecision =
  | { readonly type: 'once' }
  /** The same rules need no further approval in this session. */
  | { readonly type: 'session' }
  /** The reason, if any, is told to the model. `forSession`: what needs one of these rules is not asked again. */
  | { readonly type: 'deny'; readonly reason?: string; readonly forSession?: boolean };

/**
 * Asks a person. The agent calls it for one request at a time, questions of MCP servers included. When `signal` aborts, the answer no longer counts, and
 * the front end should take its prompt away. A rejection counts as a denial.
 */
export type Approver = (request: ApprovalRequest, options: { signal: AbortSignal }) => Promise<ApprovalDecision>;
