import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import { MockUsageError } from '../errors.ts';
import {
  showsOn,
  type Fault,
  type FaultHooks,
  type FaultLike,
  type FaultUse,
  type FaultWire,
} from '../faults/fault.ts';
import { parseFault } from '../faults/list.ts';

interface ActiveFault {
  readonly fault: Fault;
  readonly hooks: FaultHooks;
  readonly wires: readonly FaultWire[];
  /** Requests that are still to see it. */
  left: number;
}

/** The faults that a mock shows now. */
export class ActiveFaults {
  readonly #served: ProtocolId | undefined;
  #active: readonly ActiveFault[] = [];

  /** @param served - the only wire of the mock, if it has one alone */
  constructor(served: ProtocolId | undefined) {
    this.#served = served;
  }

  /** The faults, as they were asked for. */
  get names(): readonly string[] {
    return this.#active.map(({ fault }) => fault.text);
  }

  /** Puts these in the place of those before. @throws MockUsageError for one that does not exist, or cannot show here */
  set(faults: readonly FaultLike[]): void {
    this.#active = faults.map((input) => activate(input, this.#served));
  }

  /** What changes the answer to the n-th request, in the order of the faults. */
  ofRequest(wire: FaultWire, n: number): readonly FaultHooks[] {
    return this.#active.filter((active) => isShown(active, wire, n)).map((active) => taken(active));
  }

  /** What becomes of a WebSocket handshake, when a fault refuses it. */
  ofUpgrade(): number | 'silent' | undefined {
    for (const active of this.#active) {
      const answer = active.left > 0 && active.wires.includes('websocket') ? active.hooks.upgrade?.() : undefined;
      if (answer === undefined) continue;
      taken(active);
      return answer;
    }
    return undefined;
  }
}

function activate(input: FaultLike, served: ProtocolId | undefined): ActiveFault {
  const use: FaultUse = typeof input === 'string' || 'spec' in input ? { fault: input } : input;
  const fault = typeof use.fault === 'string' ? parseFault(use.fault) : use.fault;
  const { spec } = fault;
  const on = (wire: string): MockUsageError =>
    new MockUsageError(`fault ${spec.name} exists on: ${spec.wires.join(', ')}; not on ${wire}`);
  // A fault that cannot show would be a test that tests nothing.
  if (served !== undefined && !showsOn(spec.wires, served)) throw on(served);
  if (use.wire !== undefined && !spec.wires.includes(use.wire)) throw on(use.wire);
  const wires = use.wire === undefined ? spec.wires : [use.wire];
  return { fault, hooks: fault.create(), wires, left: use.requests ?? Infinity };
}

function isShown({ fault, wires, left }: ActiveFault, wire: FaultWire, n: number): boolean {
  return left > 0 && wires.includes(wire) && (fault.only === undefined || fault.only === n);
}

function taken(active: ActiveFault): FaultHooks {
  active.left--;
  return active.hooks;
}
