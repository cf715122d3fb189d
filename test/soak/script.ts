import { createHash } from 'node:crypto';
import { listFaults, parseFault } from '../../packages/testing/src/index.ts';
import { protocolIds, type ProtocolId } from '../../packages/wire/src/index.ts';
import { faultArgs } from '../bridge/fault-args.ts';

/**
 * What is asked, and what the model says to it: all of it follows from the text of the user, so that a client knows every letter of its
 * answer, and its server which fault to show.
 */
export interface Asked {
  /** Names the request, in its text, its answer and its trace. */
  readonly tag: string;
  /** A fault of the mock with its argument; `none`. */
  readonly fault: string;
  readonly reasons: boolean;
  readonly calls: number;
  /** Words of the answer. */
  readonly words: number;
}

export interface Call {
  readonly name: string;
  readonly arguments: string;
}

export const NO_FAULT = 'none';
/** The model that the servers of each wire have. */
export const modelOf = (wire: ProtocolId): string => `on-${wire}`;
/** The tool that every request offers. */
export const TOOL = 'save';

/** The faults that an answer over HTTP can show, by wire. */
export const faultsOf = Object.fromEntries(
  protocolIds.map((wire) => [
    wire,
    listFaults()
      .filter(({ wires }) => wires.includes(wire))
      .map(({ name }) => name + (faultArgs[name] ?? '')),
  ]),
) as unknown as Readonly<Record<ProtocolId, readonly string[]>>;

/** Whether nobody can have the whole answer of it; some can where it shows but once, which here it never does (`:99`). */
export function isLossy(fault: string): boolean {
  return fault !== NO_FAULT && (parseFault(fault).spec.lossy === true || fault.endsWith(':99'));
}

export function toPrompt({ tag, fault, reasons, calls, words }: Asked): string {
  return `soak ${tag} ${fault} ${reasons ? 1 : 0} ${calls} ${words}`;
}

export function fromPrompt(text: string): Asked | undefined {
  const found = /soak (\S+) (\S+) ([01]) (\d+) (\d+)/.exec(text);
  if (found === null) return undefined;
  const [, tag = '', fault = '', reasons, calls, words] = found;
  return { tag, fault, reasons: reasons === '1', calls: Number(calls), words: Number(words) };
}

const WORDS = ['tide', ' the', 'é', '🙂', '"', '\\', '\n', '{}', ' data: x', '界', ' [DONE]', "'", ' line', '\t'];

/** The answer to a request: the turn of its conversation, words at random, and their checksum. */
export function textOf({ tag, words }: Asked, turn: number): string {
  const bytes = createHash('sha256').update(tag).digest();
  const said = Array.from({ length: words }, (_, n) => WORDS[(bytes[n % bytes.length] ?? 0) % WORDS.length] ?? '');
  const text = `turn ${turn} of ${tag}: ${said.join('')}`;
  return `${text} #${checksum(text)}`;
}

/** The calls of the answer, each with a checksum in its arguments. */
export function callsOf({ tag, calls }: Asked): readonly Call[] {
  return Array.from({ length: calls }, (_, n) => {
    const path = `/tmp/${tag}/é "${n}"\n`;
    return { name: TOOL, arguments: JSON.stringify({ path, n, sum: checksum(path) }) };
  });
}

function checksum(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
