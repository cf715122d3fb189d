import type { ModelSession } from '@turnwire/client/internal/session/session';
import type { ModelPort } from './model-port.ts';

/**
 * A model session of the client as the agent's model: retries, turn state and connections included.
 *
 * @example
 * ```ts
 * const agent = new Agent({ model: sessionModel(createModelSession({ provider })) });
 * ```
 */
export function sessionModel(session: Pick<ModelSession, 'turn'>): ModelPort {
  return {
    openTurn(threadId) {
      const turn = session.turn({ conversationId: threadId });
      return {
        stream: (request, options) => turn.stream(request, options).batches(),
        end: () => turn.end(),
      };
    },
  };
}
