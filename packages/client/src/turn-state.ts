/**
 * The turn state (`x-codex-turn-state`): the value by which a server keeps the requests of one turn at one replica. The first one
 * that comes is remembered, and sent back with each further request of the turn, retries included; a new turn begins without
 * one. It is opaque, and never shown (docs/contract.md section 7).
 *
 * Who carries it:
 *
 * - HTTP (`http/model-call.ts`): comes in a header of the answer, goes out in a header of the request.
 * - The handshake of a WebSocket (`websocket/socket-pool.ts`): likewise.
 * - A socket that is open (`websocket/call.ts`): comes in the `headers` of any event of the answer, goes out in the
 *   `client_metadata` of each message (`websocket/frame.ts`).
 */
import { TURN_STATE_HEADER, turnStateOf } from '@turnwire/wire/internal/responses/headers';

/** What one turn remembers. */
export interface TurnState {
  /** The header that carries it; empty while there is none. */
  headers(): Readonly<Record<string, string>>;
  /** Takes a value that came; the first one stays. */
  offer(value: string | undefined): void;
}

/** The state of a turn that begins. */
export function createTurnState(): TurnState {
  let value: string | undefined;
  return {
    headers: () => (value === undefined ? {} : { [TURN_STATE_HEADER]: value }),
    offer: (came) => {
      value ??= turnStateOf(came);
    },
  };
}
