import {
  RequestError,
  type AgentContext,
  type ContentBlock,
  type SendRequestOptions,
  type StopReason,
} from '@agentclientprotocol/sdk';
import { randomHex } from '@turnwire/client/internal/platform/random';
import { thrownText } from '@turnwire/wire/internal/base/thrown-text';
import type {
  Agent,
  AgentEvent,
  ApprovalDecision,
  ApprovalRequest,
  ElicitationAnswer,
  ElicitationRequest,
  HistoryCompactedEvent,
} from '@turnwire/agent';
import type { PromptCommand } from '@turnwire/agent/internal/project/prompt-commands';
import { previewOf } from '@turnwire/agent/internal/thread/store';
import { visible } from '@turnwire/wire/internal/base/printable';
import type { InputMessage } from '@turnwire/wire/internal/model/items';
import { findCommand, withPrompt } from './commands.ts';
import { answerOf, answerOfDone, doneQuestion, elicitationQuestion, type AddressRequest } from './elicitation.ts';
import type { Outbox } from './outbox.ts';
import { decisionOf, permissionQuestion } from './permission.ts';
import { messageOf } from './prompt.ts';
import type { ToolIds } from './tool-ids.ts';
import { TurnEndWatch } from './turn-end.ts';
import { chunk, type UpdateMapper } from './updates.ts';

export interface TurnsOptions {
  readonly sessionId: string;
  readonly client: AgentContext;
  readonly agent: Agent;
  readonly outbox: Outbox;
  readonly ids: ToolIds;
  readonly mapper: UpdateMapper;
  /** Commands that are prompts. */
  readonly prompts: readonly PromptCommand[];
  /** Called at the beginning of each prompt. */
  readonly begin: () => Promise<void>;
}

/** The prompts of one session, one after the other. */
export class SessionTurns {
  readonly #options: TurnsOptions;
  /** Questions whose tool call the editor has been told of, and those that wait for it; by their id. */
  readonly #told = new Map<string, PromiseWithResolvers<undefined>>();
  /** The prompt that was taken last, while it is not answered. */
  #taken: AbortController | undefined;
  /** The latest prompt; never rejects. */
  #latest: Promise<unknown> = Promise.resolve();

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /**
   * Ends with why the turn ended; fails with a `RequestError` for a prompt that cannot be taken, and when the model failed.
   * Behind a cancel it waits for the end of the cancelled turn: an editor that shows its stop at once sends the next
   * prompt at once too.
   */
  async prompt(blocks: readonly ContentBlock[], signal: AbortSignal): Promise<StopReason> {
    if (this.#taken?.signal.aborted === false)
      throw RequestError.invalidRequest(undefined, 'a turn of this session is running');
    const work = this.#workOf(blocks);
    const taken = new AbortController();
    this.#taken = taken;
    signal.addEventListener('abort', () => taken.abort(), { once: true });
    const response = this.#latest.then(async () => {
      if (taken.signal.aborted) return 'cancelled';
      await this.#options.begin();
      try {
        return await work(taken.signal);
      } finally {
        await this.#options.outbox.flush();
      }
    });
    this.#latest = response.catch(() => undefined);
    return response.finally(() => {
      if (this.#taken === taken) this.#taken = undefined;
    });
  }

  /** Stops the turn that runs, and the prompt that waits for its end. */
  cancel(): void {
    this.#taken?.abort();
  }

  /** Ends when no turn runs any more, and the last one is written down. */
  async ended(): Promise<void> {
    await this.#latest;
  }

  /** Asks the person at the editor. */
  async ask(request: ApprovalRequest, { signal }: { readonly signal: AbortSignal }): Promise<ApprovalDecision> {
    const { sessionId, client, ids } = this.#options;
    await this.#untilTold(request.approvalId);
    const question = permissionQuestion(sessionId, ids.of(request.callId), request);
    return decisionOf(await client.request('session/request_permission', question, untilTakenBack(signal)));
  }

  /** Asks the person at the editor what an MCP server wants to know. */
  async elicit(request: ElicitationRequest, { signal }: { readonly signal: AbortSignal }): Promise<ElicitationAnswer> {
    const { sessionId, client, ids } = this.#options;
    await this.#untilTold(request.elicitationId);
    const id = randomHex(16);
    const question = elicitationQuestion(id, sessionId, ids.of(request.callId), request);
    const answer = answerOf(await client.request('elicitation/create', question, untilTakenBack(signal)));
    if (request.mode !== 'url' || answer.action !== 'accept') return answer;
    this.#tellCompleted(id, request.completed);
    return request.isRequired ? this.#askDone(request, signal) : answer;
  }

  /** An editor says only that an address is opened: that all is done there is a question of its own. */
  async #askDone(request: AddressRequest, signal: AbortSignal): Promise<ElicitationAnswer> {
    const { sessionId, client, ids } = this.#options;
    const question = doneQuestion(sessionId, ids.of(request.callId), request);
    const { outcome } = await client.request('session/request_permission', question, untilTakenBack(signal));
    return answerOfDone(outcome);
  }

  #tellCompleted(elicitationId: string, completed: AbortSignal): void {
    const { client } = this.#options;
    const tell = (): void => {
      // An editor that is gone shows no page any more.
      client.notify('elicitation/complete', { elicitationId }).catch(() => undefined);
    };
    completed.addEventListener('abort', tell, { once: true });
  }

  /** The editor must know the call before it is asked about it. When the turn is interrupted, the agent does not wait. */
  async #untilTold(questionId: string): Promise<void> {
    await this.#toldOf(questionId).promise;
    this.#told.delete(questionId);
  }

  #workOf(blocks: readonly ContentBlock[]): (signal: AbortSignal) => Promise<StopReason> {
    switch (findCommand(blocks)) {
      case 'compact':
        return (signal) => this.#compact(signal);
      case 'undo':
        return () => this.#undo();
      case undefined: {
        const message = messageOf(withPrompt(blocks, this.#options.prompts));
        return (signal) => this.#run(message, signal);
      }
    }
  }

  async #run(message: InputMessage, signal: AbortSignal): Promise<StopReason> {
    const { agent } = this.#options;
    const before = agent.items;
    const watch = new TurnEndWatch();
    for await (const events of agent.run(message, { signal })) {
      for (const event of events) {
        watch.take(event);
        await this.#tell(event);
      }
    }
    const { stopReason } = watch;
    // The protocol says of a refusal that the prompt and its answer are no part of what comes next.
    if (stopReason === 'refusal') await agent.restore(before);
    return stopReason;
  }

  async #compact(signal: AbortSignal): Promise<StopReason> {
    const { agent, outbox } = this.#options;
    for await (const events of agent.compact({ signal })) {
      for (const event of events) {
        // What a person has cancelled did not fail.
        await this.#tell(event.type === 'warning' && signal.aborted ? { type: 'turn.interrupted' } : event);
        if (event.type === 'history.compacted') await outbox.send(chunk('agent_message_chunk', compactedText(event)));
      }
    }
    return signal.aborted ? 'cancelled' : 'end_turn';
  }

  async #undo(): Promise<StopReason> {
    const { agent, outbox } = this.#options;
    const title = await agent.undo().catch((error: unknown) => {
      throw RequestError.internalError(undefined, thrownText(error));
    });
    const text = title === undefined ? 'There is no patch to take back.' : `Taken back: ${visible(title)}.`;
    await outbox.send(chunk('agent_message_chunk', text));
    return 'end_turn';
  }

  async #tell(event: AgentEvent): Promise<void> {
    const { agent, mapper, outbox } = this.#options;
    for (const update of mapper.take(event)) await outbox.send(update);
    if (event.type === 'approval.requested') this.#toldOf(event.approval_id).resolve(undefined);
    if (event.type === 'elicitation.requested') this.#toldOf(event.elicitation_id).resolve(undefined);
    if (event.type === 'input.accepted' && agent.turns === 1)
      await outbox.send({ sessionUpdate: 'session_info_update', title: previewOf(event.item) });
    const size = agent.contextWindow;
    if (event.type === 'completed' && event.usage !== undefined && size !== undefined)
      await outbox.send({ sessionUpdate: 'usage_update', used: event.usage.total_tokens, size });
  }

  #toldOf(questionId: string): PromiseWithResolvers<undefined> {
    const known = this.#told.get(questionId) ?? Promise.withResolvers<undefined>();
    this.#told.set(questionId, known);
    return known;
  }
}

function untilTakenBack(signal: AbortSignal): SendRequestOptions {
  return { cancellationSignal: signal, stopWaitingOnCancel: true };
}

function compactedText({ items_before: before, items_after: after }: HistoryCompactedEvent): string {
  return `The conversation is summarised: ${before} items became ${after}.`;
}
