import type { AgentContext, SessionUpdate } from '@agentclientprotocol/sdk';
import { unlessAborted } from '@turnwire/client/internal/platform/wait';
import type { Clock, Timer } from '@turnwire/wire/internal/base/clock';

/** An editor that draws each chunk is asked for 20 frames a second, not for 2,000. */
const FRAME_MS = 50;
/** Of text that waits for the end of its frame, or for an editor that does not read. */
const MAX_WAITING_CHARS = 64 * 1024;

type ChunkUpdate = Extract<SessionUpdate, { sessionUpdate: 'agent_message_chunk' | 'agent_thought_chunk' }>;
type TextChunk = ChunkUpdate & { readonly content: { readonly type: 'text' } };

export interface OutboxOptions {
  readonly client: AgentContext;
  readonly sessionId: string;
  /** Fires when the connection is closed: what is not sent by then is not waited for. */
  readonly gone: AbortSignal;
  readonly clock: Clock;
}

/**
 * What goes to the editor, in order. Pieces of the same text that come within a frame go as one; the first after a pause
 * goes at once. An editor that does not read stops the sender: it waits once `MAX_WAITING_CHARS` have gathered.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  #waiting: TextChunk | undefined;
  #frame: Timer | undefined;
  /** Messages that the editor has not taken yet. */
  #unread = 0;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Fails when the editor is gone. */
  async send(update: SessionUpdate): Promise<void> {
    if (isText(update)) {
      await this.#gather(update);
      return;
    }
    const before = this.flush();
    await this.#write(update);
    await before;
  }

  /** Sends what waits for the end of its frame. */
  async flush(): Promise<void> {
    const update = this.#waiting;
    this.#waiting = undefined;
    if (update !== undefined) await this.#write(update);
  }

  async #gather(update: TextChunk): Promise<void> {
    const joined = join(this.#waiting, update);
    if (joined === undefined) await this.flush();
    this.#waiting = joined ?? update;
    const isFirst = this.#frame === undefined;
    this.#frame ??= this.#options.clock.after(FRAME_MS, () => this.#endFrame());
    if (isFirst || this.#waiting.content.text.length >= MAX_WAITING_CHARS) await this.flush();
  }

  #endFrame(): void {
    this.#frame = undefined;
    if (this.#waiting === undefined) return;
    // Whoever sends next hears that the editor is gone.
    if (this.#unread === 0) this.flush().catch(() => undefined);
    this.#frame = this.#options.clock.after(FRAME_MS, () => this.#endFrame());
  }

  async #write(update: SessionUpdate): Promise<void> {
    const { client, sessionId, gone } = this.#options;
    this.#unread += 1;
    // A pipe that nobody reads takes nothing more, and never says so.
    await unlessAborted(client.notify('session/update', { sessionId, update }), gone);
    gone.throwIfAborted();
    this.#unread -= 1;
  }
}

function isText(update: SessionUpdate): update is TextChunk {
  const { sessionUpdate } = update;
  return (
    (sessionUpdate === 'agent_message_chunk' || sessionUpdate === 'agent_thought_chunk') &&
    update.content.type === 'text'
  );
}

/** Nothing when they are not of the same text. */
function join(waiting: TextChunk | undefined, next: TextChunk): TextChunk | undefined {
  if (waiting?.sessionUpdate !== next.sessionUpdate || waiting.messageId !== next.messageId) return undefined;
  return { ...waiting, content: { ...waiting.content, text: waiting.content.text + next.content.text } };
}
