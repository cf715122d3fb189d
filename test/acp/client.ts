import {
  client,
  type ClientApp,
  type CreateElicitationRequest,
  type CreateElicitationResponse,
  type RequestPermissionRequest,
  type SessionNotification,
  type SessionUpdate,
} from '@agentclientprotocol/sdk';

/** An option, or how the question ends without one. */
export type Answer = 'once' | 'session' | 'deny' | 'never' | 'done' | 'not_done' | 'no answer' | 'cancelled';

/** An editor: keeps what it is told, and answers questions as the test says. */
export class Editor {
  readonly updates: SessionUpdate[] = [];
  readonly questions: RequestPermissionRequest[] = [];
  /** How many updates had come when each question came. */
  readonly questionAt: number[] = [];
  answer: Answer | ((request: RequestPermissionRequest) => Answer) = 'deny';
  readonly elicitations: CreateElicitationRequest[] = [];
  /** How many updates had come when each came. */
  readonly elicitationAt: number[] = [];
  elicit: (request: CreateElicitationRequest) => Promise<CreateElicitationResponse> = () =>
    Promise.resolve({ action: 'decline' });
  /** Ids of elicitations that are done. */
  readonly completed: string[] = [];
  onCompleted: () => void = () => undefined;
  onUpdate: (update: SessionUpdate, notification: SessionNotification) => void = () => undefined;
  readonly app: ClientApp;

  constructor() {
    this.app = client({ name: 'editor' })
      .onNotification('session/update', ({ params }) => {
        this.updates.push(params.update);
        this.onUpdate(params.update, params);
      })
      .onRequest('session/request_permission', async ({ params }) => {
        this.questions.push(params);
        this.questionAt.push(this.updates.length);
        const answer = typeof this.answer === 'function' ? this.answer(params) : this.answer;
        if (answer === 'no answer') return new Promise<never>(() => undefined);
        if (answer === 'cancelled') return { outcome: { outcome: 'cancelled' as const } };
        return { outcome: { outcome: 'selected' as const, optionId: answer } };
      })
      .onRequest('elicitation/create', ({ params }) => {
        this.elicitations.push(params);
        this.elicitationAt.push(this.updates.length);
        return this.elicit(params);
      })
      .onNotification('elicitation/complete', ({ params }) => {
        this.completed.push(params.elicitationId);
        this.onCompleted();
      });
  }

  /** The text of all chunks of a kind. */
  text(kind: 'agent_message_chunk' | 'agent_thought_chunk' | 'user_message_chunk' = 'agent_message_chunk'): string {
    return this.updates
      .map((update) => (update.sessionUpdate === kind && update.content.type === 'text' ? update.content.text : ''))
      .join('');
  }

  /** `tool_call` and `tool_call_update` in short: id and status. */
  toolSteps(): string[] {
    return this.updates.flatMap((update) =>
      update.sessionUpdate === 'tool_call' || update.sessionUpdate === 'tool_call_update'
        ? [`${update.toolCallId} ${String(update.status)}`]
        : [],
    );
  }
}
