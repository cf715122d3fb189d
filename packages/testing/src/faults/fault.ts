import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import { protocolIds, protocols } from '@turnwire/wire/internal/protocols';
import type { Frame, Head, Step } from '../answer.ts';
import type { RequestView } from '../scenario/request-view.ts';
import type { Reply } from '../scenario/scenario.ts';

/** Where a fault can show. */
export type FaultWire = ProtocolId | 'websocket';

/** The wires of a fault that any HTTP answer can have. */
export const overHttp: readonly FaultWire[] = protocolIds;

/** The wires of OpenAI's APIs: Messages has other errors, usage and calls. */
export const onOpenAiWires: readonly FaultWire[] = ['chat', 'responses', 'websocket'];

/** The wires of a fault that any answer can have. */
export const everywhere: readonly FaultWire[] = [...protocolIds, 'websocket'];

/** Whether a mock that serves a wire alone can show what these wires have; the WebSocket is a part of its wire. */
export function showsOn(wires: readonly FaultWire[], wire: ProtocolId): boolean {
  return wires.some((own) => own === wire || (own === 'websocket' && protocols[wire].overWebSocket));
}

/** The request whose answer a fault changes. */
export interface FaultContext {
  readonly wire: FaultWire;
  readonly request: RequestView;
  /** Query of the request's URL, without the question mark. */
  readonly query: string;
}

/**
 * What a fault does, at the levels of an answer from the outside in; faults given together are applied in
 * their order at each level. One value serves one mock and may count.
 */
export interface FaultHooks {
  /** The response head, or a whole other answer. */
  head?(head: Head, context: FaultContext): void;
  /** What the scripted model says. */
  reply?(reply: Reply, context: FaultContext): Reply;
  /** The events of the stream. */
  frames?(frames: Frame[], context: FaultContext): Frame[];
  /** The SSE text of each event: as many texts as came in. */
  text?(events: string[], context: FaultContext): string[];
  /** Bytes, pauses, and the end of the connection. */
  steps?(steps: Step[], context: FaultContext): Step[];
  /** A WebSocket handshake: an HTTP status to refuse it with, `silent` to swallow it. */
  upgrade?(): number | 'silent' | undefined;
}

/** One entry of the catalogue. */
export interface FaultSpec {
  readonly name: string;
  /** What may follow the name, e.g. `MS` or `CODE[:TIMES]`; square brackets mark what has a default. */
  readonly args?: string;
  /** What the argument may be, where that is a list. */
  readonly choices?: readonly string[];
  /** One sentence: which real server does it. */
  readonly summary: string;
  readonly wires: readonly FaultWire[];
  /** Over HTTP, with its argument by default: the answer is cut, refused, failed or garbled, and no client can have it whole. */
  readonly lossy?: true;
  /** Throws `MockUsageError` for an argument it cannot read. */
  create(arg: string | undefined): FaultHooks;
}

/** A fault as it was asked for. */
export interface Fault {
  readonly spec: FaultSpec;
  /** The text it was parsed from, e.g. `drip:20`. */
  readonly text: string;
  /** Only these requests (counted from 1) show it; absent: all. */
  readonly only?: number;
  create(): FaultHooks;
}

/** A fault of some answers. */
export interface FaultUse {
  /** By name, e.g. `status:503`, or one of your own. */
  readonly fault: string | Fault;
  /** Only on this wire. Default: on each that the fault can show on. */
  readonly wire?: FaultWire | undefined;
  /** Only for the next so many requests that it can show on. Default: until the faults are set anew. */
  readonly requests?: number | undefined;
}

/** A fault of every answer, or of some. */
export type FaultLike = string | Fault | FaultUse;
