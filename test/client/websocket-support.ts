import type { ModelEvent } from '../../packages/wire/src/model/events.ts';
import type { Item } from '../../packages/wire/src/model/items.ts';
import type { ModelRequest } from '../../packages/wire/src/model/request.ts';
import { toModelStream } from '../../packages/wire/src/read/model-stream.ts';
import type { BatchSource } from '../../packages/wire/src/read/model-stream.ts';
import type { TurnState } from '../../packages/client/src/turn-state.ts';
import { TURN_STATE_HEADER, turnStateOf } from '../../packages/wire/src/responses/headers.ts';
import type { ServerSocket } from '../transport/support/websocket-server.ts';
import { messageEvents, outcomeOf, type Outcome } from './support.ts';

export const user = (text: string): Item => ({
  type: 'message',
  role: 'user',
  content: [{ type: 'input_text', text }],
});

export const call = (call_id: string): Item => ({
  type: 'function_call',
  id: `fc_${call_id}`,
  call_id,
  name: 'run',
  arguments: '{}',
  status: 'completed',
});

export const output = (call_id: string): Item => ({ type: 'function_call_output', call_id, output: 'ok' });

export const asking = (...input: readonly Item[]): ModelRequest => ({ model: 'm', instructions: 'be brief', input });

export type Frame = Record<string, unknown>;

/** The next request that arrives on a socket. */
export async function received(peer: ServerSocket): Promise<Frame> {
  return JSON.parse(await peer.message()) as Frame;
}

export function send(peer: ServerSocket, ...events: readonly unknown[]): void {
  for (const event of events) peer.ws.send(typeof event === 'string' ? event : JSON.stringify(event));
}

/** The events of a whole good answer with one message. */
export function answer(id: string, text = 'hello'): unknown[] {
  return [
    { type: 'response.created', response: { id } },
    ...messageEvents(text, `msg_${id}`),
    { type: 'response.completed', response: { id, usage: null } },
  ];
}

/** The events of an answer with one function call. */
export function callAnswer(id: string, item: Item): unknown[] {
  return [
    { type: 'response.created', response: { id } },
    { type: 'response.output_item.done', output_index: 0, item },
    { type: 'response.completed', response: { id } },
  ];
}

/** The message that {@link answer} brings, as it stands in a history. */
export function saidBy(id: string, text = 'hello'): Item {
  return {
    type: 'message',
    id: `msg_${id}`,
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'output_text', text, annotations: [] }],
  };
}

/** Everything that a call gives, and how it ended. */
export function all(source: BatchSource): Promise<Outcome> {
  return outcomeOf(toModelStream(source));
}

export const typesOf = (events: readonly ModelEvent[]): string[] => events.map((event) => event.type);

/** A turn's state as a turn keeps it. */
export function turnState(): TurnState & { readonly value: string | undefined } {
  let value: string | undefined;
  return {
    get value() {
      return value;
    },
    offer: (offered) => (value ??= turnStateOf(offered)),
    headers: () => (value === undefined ? {} : { [TURN_STATE_HEADER]: value }),
  };
}
