import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import { MockUsageError } from '../errors.ts';
import { aliasesOf, faultAliases } from './aliases.ts';
import { showsOn, type Fault, type FaultSpec, type FaultWire } from './fault.ts';
import { besideTextFaults } from './beside-text.ts';
import { dialectFaults } from './dialects.ts';
import { endingFaults } from './ending.ts';
import { errorFaults } from './errors.ts';
import { framingFaults } from './framing.ts';
import { messagesFaults } from './messages.ts';
import { paceFaults } from './pace.ts';
import { reasoningFaults } from './reasoning.ts';
import { refusedHistoryFaults } from './refused-history.ts';
import { requestFaults } from './requests.ts';
import { responsesDialectFaults } from './responses-dialects.ts';
import { responsesShapeFaults } from './responses-shape.ts';
import { toolFaults } from './tools.ts';
import { transportFaults } from './transport.ts';
import { usageFaults } from './usage.ts';
import { websocketFaults } from './websocket.ts';
import { wordingFaults } from './wordings.ts';
import { wrongWireFaults } from './wrong-wire.ts';
import { nearest } from '@turnwire/wire/internal/base/nearest';

const specs: readonly FaultSpec[] = [
  ...endingFaults,
  ...framingFaults,
  ...toolFaults,
  ...reasoningFaults,
  ...usageFaults,
  ...errorFaults,
  ...wordingFaults,
  ...refusedHistoryFaults,
  ...requestFaults,
  ...responsesShapeFaults,
  ...responsesDialectFaults,
  ...paceFaults,
  ...transportFaults,
  ...websocketFaults,
  ...dialectFaults,
  ...besideTextFaults,
  ...messagesFaults,
  ...wrongWireFaults,
];

const byName: ReadonlyMap<string, FaultSpec> = new Map(specs.map((spec) => [spec.name, spec]));

/** A fault as a list shows it. */
export interface FaultInfo {
  readonly name: string;
  readonly args?: string;
  /** What the argument may be, where that is a list. */
  readonly choices?: readonly string[];
  readonly summary: string;
  readonly wires: readonly FaultWire[];
  /** Other names that are understood. */
  readonly aliases: readonly string[];
}

/** Every fault that can be asked for, by family; with a wire, those that can show on it. */
export function listFaults(wire?: ProtocolId): readonly FaultInfo[] {
  const shown = specs.filter(({ wires }) => wire === undefined || showsOn(wires, wire));
  return shown.map(({ name, args, choices, summary, wires }) => ({
    name,
    ...(args === undefined ? {} : { args }),
    ...(choices === undefined ? {} : { choices }),
    summary,
    wires,
    aliases: aliasesOf(name),
  }));
}

/**
 * Reads `NAME`, `NAME:ARG` or `NAME:ARG@N` (only the N-th request). A name may be an alias: `spec.name` is the fault's own.
 *
 * @throws MockUsageError for a name or an argument that does not exist, naming the nearest.
 */
export function parseFault(text: string): Fault {
  const at = /@(\d+)$/.exec(text);
  const body = at === null ? text : text.slice(0, at.index);
  const colon = body.indexOf(':');
  const name = (colon < 0 ? body : body.slice(0, colon)).trim();
  const arg = colon < 0 ? undefined : body.slice(colon + 1);
  const spec = byName.get(faultAliases[name] ?? name);
  if (spec === undefined) throw new MockUsageError(unknownFault(name));
  if (arg !== undefined && spec.args === undefined) throw new MockUsageError(`fault ${name} takes no argument`);
  spec.create(arg); // a bad argument is told now, not at the first request
  return { spec, text, ...(at === null ? {} : { only: Number(at[1]) }), create: () => spec.create(arg) };
}

function unknownFault(name: string): string {
  const near = nearest(name, [...byName.keys(), ...Object.keys(faultAliases)]);
  const hint = near === undefined ? 'turnwire mock --faults lists them all' : `did you mean ${near}?`;
  return `unknown fault "${name}": ${hint}`;
}
