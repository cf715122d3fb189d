import { ModelError, type ErrorKind } from '@turnwire/wire/internal/model/errors';
import type { ModelRequest } from '@turnwire/wire/internal/model/request';
import { protocols } from '@turnwire/wire/internal/protocols';
import type { CallContext } from '../http/model-call.ts';
import type { TurnState } from '../turn-state.ts';
import type { Attempt, AttemptContext } from '../stream/retrying-stream.ts';
import type { WebSocketCall } from './call.ts';
import { createWebSocketConnection } from './connection.ts';

/** Failures in a row after which a session stops trying: the second stall is one too many. */
const MAX_FAILURES = 2;

/** Failures of the way to the server, not of what it says. */
const CONNECTION_KINDS: ReadonlySet<ErrorKind> = new Set<ErrorKind>([
  'connection_failed',
  'timeout',
  'stream_idle',
  'stream_truncated',
  'protocol',
]);

/** Whether a session uses WebSocket, and until when. */
export interface WebSocketFallback {
  /** An attempt over WebSocket, or nothing where HTTP is the way. */
  open(request: ModelRequest, attempt: AttemptContext, state: TurnState): Attempt | undefined;
  /** True when this failure ends the use of WebSocket for the rest of the session. */
  givesUp(error: ModelError, attempt: Attempt): boolean;
  warmUp(request: ModelRequest, signal: AbortSignal | undefined): Promise<void>;
  close(): void;
}

/** WebSocket as long as the provider has it and it works: a refusal (426, 404) or two failures in a row end it. */
export function createWebSocketFallback(context: CallContext): WebSocketFallback {
  const { provider, observer } = context;
  let on = provider.supportsWebsockets && protocols[provider.wireApi].overWebSocket;
  let failures = 0;
  const { proxy } = context.transport;
  const connection = on ? createWebSocketConnection({ ...context, proxy }) : undefined;
  const giveUp = (error: ModelError): void => {
    on = false;
    connection?.close();
    observer?.onFallback?.(error);
  };
  return {
    open(request, { signal, watch, number }, state) {
      if (!on || connection === undefined) return undefined;
      watch?.onAttempt?.(number, 'websocket');
      return countingGood(connection.stream(request, { signal, turnState: state }), () => (failures = 0));
    },
    givesUp(error, attempt) {
      if (!(attempt instanceof Counted)) return false;
      const { refusedWith = 0 } = attempt.call;
      // A gateway that cannot pass an upgrade on answers it with a 502 for ever.
      const failed = CONNECTION_KINDS.has(error.kind) || refusedWith >= 500;
      const broken = failed && ++failures >= MAX_FAILURES;
      if (!attempt.call.noWebSocket && !broken) return false;
      if (on) giveUp(error);
      return true;
    },
    async warmUp(request, signal) {
      if (!on || connection === undefined) return;
      try {
        await connection.warmUp(request, { signal });
      } catch (error) {
        // The first request finds the same out, and has somebody to tell it to.
        if (!(error instanceof ModelError)) throw error;
      }
    },
    close: () => connection?.close(),
  };
}

function countingGood(call: WebSocketCall, onGood: () => void): Counted {
  return new Counted(call, onGood);
}

/** A call that tells when it was answered in full. */
class Counted implements Attempt {
  readonly call: WebSocketCall;
  readonly #onGood: () => void;

  constructor(call: WebSocketCall, onGood: () => void) {
    this.call = call;
    this.#onGood = onGood;
  }

  get started(): boolean {
    return this.call.started;
  }

  get model(): string | undefined {
    return this.call.model;
  }

  async next(): ReturnType<Attempt['next']> {
    const batch = await this.call.next();
    if (batch?.at(-1)?.type === 'completed') this.#onGood();
    return batch;
  }

  cancel(): void {
    this.call.cancel();
  }
}
