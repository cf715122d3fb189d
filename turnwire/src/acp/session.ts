import {
  RequestError,
  type AgentContext,
  type ContentBlock,
  type PromptResponse,
  type RequestPermissionRequest,
  type RequestPermissionResponse,
  type SessionUpdate,
  type StopReason,
} from '@agentclientprotocol/sdk';
import type {
  Agent,
  AgentEvent,
  ApprovalDecision,
  ApprovalRequest,
  OpenedAgent,
  TurnFailedEvent,
} from '@turnwire/agent';
import { randomHex } from '@turnwire/client/internal/platform/random';
import { visible } from '@turnwire/wire/internal/base/printable';
import { historyUpdates } from './history.ts';
import { defaultMode, modes, type ModeId } from './modes.ts';
import { messageOf } from './prompt.ts';
import { ToolIds } from './tool-ids.ts';
import { diffOf, textContent, UpdateMapper } from './updates.ts';

export interface SessionOptions {
  readonly client: AgentContext;
  /** Belongs to the session; its approver is `ask`. */
  readonly opened: OpenedAgent;
  /** Told at the first prompt: before `session/new` has its answer, no editor knows the session. */
  readonly notes: readonly string[];
}

const permissionOptions = [
  { optionId: 'once', name: 'Allow once', kind: 'allow_once' as const },
  { optionId: 'session', name: 'Allow for this session', kind: 'allow_always' as const },
  { optionId: 'deny', name: 'Deny', kind: 'reject_once' as const },
];

/** One conversation of the editor: its agent, and what the editor has seen of it. */
export class AcpSession {
  readonly id: string;
  readonly #client: AgentContext;
  readonly #opened: OpenedAgent;
  readonly #agent: Agent;
  readonly #ids = new ToolIds();
  readonly #mapper: UpdateMapper;
  /** Questions whose tool call the editor has been told of, and those that wait for it. */
  readonly #told = new Map<string, PromiseWithResolvers<undefined>>();
  #notes: readonly string[];
  #mode: ModeId = defaultMode;
  /** The latest turn; never rejects. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: SessionOptions) {
    this.#client = options.client;
    this.#opened = options.opened;
    this.#agent = options.opened.agent;
    // A conversation that is not kept needs a name all the same.
    this.id = options.opened.thread?.id ?? randomHex(16);
    this.#notes = [...options.notes, ...options.opened.notes];
    this.#mapper = new UpdateMapper(this.#ids);
    this.setMode(defaultMode);
  }

  get mode(): ModeId {
    return this.#mode;
  }

  /** Approvals count at once, tools from the next prompt on. */
  setMode(mode: ModeId): void {
    this.#mode = mode;
    this.#agent.approvals = modes[mode].approvals;
    this.#opened.select(modes[mode].tools);
  }

  /** Sends the editor what was said before. */
  async tellHistory(): Promise<void> {
    for (const update of historyUpdates(this.#agent.items, this.#ids)) await this.#tell(update);
  }

  /** One turn. Ends with why it ended; fails with a `RequestError` when the model failed. */
  async prompt(blocks: readonly ContentBlock[], signal: AbortSignal): Promise<PromptResponse> {
    if (this.#agent.isRunning) throw RequestError.invalidRequest(undefined, 'a turn of this session is running');
    const response = this.#run(blocks, signal);
    this.#turn = response.catch(() => undefined);
    return response;
  }

  async #run(blocks: readonly ContentBlock[], signal: AbortSignal): Promise<PromptResponse> {
    const notes = this.#notes;
    this.#notes = [];
    for (const message of notes) {
      for (const update of this.#mapper.take({ type: 'warning', message })) await this.#tell(update);
    }
    let last: AgentEvent | undefined;
    for await (const events of this.#agent.run(messageOf(blocks), { signal })) {
      for (const event of events) {
        for (const update of this.#mapper.take(event)) await this.#tell(update);
        if (event.type === 'approval.requested') this.#toldOf(event.approval_id).resolve(undefined);
        last = event;
      }
    }
    return { stopReason: stopReasonOf(last) };
  }

  cancel(): void {
    this.#agent.interrupt();
  }

  /** Ends when a running turn has ended and is written down. */
  async close(): Promise<void> {
    this.cancel();
    await this.#turn;
    await this.#opened.close();
  }

  #tell(update: SessionUpdate): Promise<void> {
    return this.#client.notify('session/update', { sessionId: this.id, update });
  }

  #toldOf(approvalId: string): PromiseWithResolvers<undefined> {
    const known = this.#told.get(approvalId) ?? Promise.withResolvers<undefined>();
    this.#told.set(approvalId, known);
    return known;
  }

  /** Asks the person at the editor. */
  async ask(request: ApprovalRequest, { signal }: { readonly signal: AbortSignal }): Promise<ApprovalDecision> {
    // The editor must know the call before it is asked about it. When the turn is interrupted, the agent does not wait
    // for the answer.
    await this.#toldOf(request.approvalId).promise;
    this.#told.delete(request.approvalId);
    const question: RequestPermissionRequest = {
      sessionId: this.id,
      toolCall: {
        toolCallId: this.#ids.of(request.callId),
        title: visible(request.title),
        // Editors show the content; of `_meta` they show nothing.
        content: [textContent(visible(request.reason)), ...(request.changes ?? []).flatMap(diffOf)],
        _meta: { reason: request.reason },
      },
      options: permissionOptions,
    };
    const options = { cancellationSignal: signal, stopWaitingOnCancel: true };
    return decisionOf(await this.#client.request('session/request_permission', question, options));
  }
}

function decisionOf({ outcome }: RequestPermissionResponse): ApprovalDecision {
  if (outcome.outcome !== 'selected') return { type: 'deny' };
  if (outcome.optionId === 'once' || outcome.optionId === 'session') return { type: outcome.optionId };
  return { type: 'deny' };
}

function stopReasonOf(last: AgentEvent | undefined): StopReason {
  switch (last?.type) {
    case 'turn.completed':
      return 'end_turn';
    case 'turn.interrupted':
      return 'cancelled';
    case 'turn.failed':
      return reasonOfFailure(last);
    default:
      throw RequestError.internalError(undefined, 'the turn did not end');
  }
}

function reasonOfFailure({ error }: TurnFailedEvent): StopReason {
  if (error.kind === 'incomplete') return error.code === 'max_requests' ? 'max_turn_requests' : 'max_tokens';
  if (error.kind === 'content_filter' || error.kind === 'policy') return 'refusal';
  throw RequestError.internalError(error, error.message);
}
