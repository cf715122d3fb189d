import { listFaults, parseFault } from '@turnwire/testing';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import type { HealingOptions } from '@turnwire/wire/fetch';
import type { Verdict } from '../../test/fetch/cell.ts';
import type { Outcome } from '../../test/mock/outcome.ts';

/** An SDK of `sdks/`. */
export interface Sdk {
  /** As people know it. */
  readonly title: string;
  /** What its users give the line beside. */
  readonly line?: HealingOptions;
}

export const sdks: Readonly<Record<string, Sdk>> = {
  'openai-6': { title: 'openai 6' },
  'openai-7': { title: 'openai 7' },
  'ai-6': { title: 'AI SDK 6' },
  'ai-7': { title: 'AI SDK 7' },
  agents: { title: '@openai/agents' },
  // It tries nothing again by itself.
  'pi-ai': { title: 'pi-ai', line: { retry: 'default' } },
  langchain: { title: 'LangChain JS' },
  anthropic: { title: 'Anthropic SDK' },
};

/** A client of an SDK by the wire it speaks: its name begins with it, as `chat helper`. */
export function wireOf(client: string): ProtocolId | undefined {
  return (['chat', 'responses', 'messages'] as const).find((wire) => client.startsWith(wire));
}

/** What one client made of one fault. */
export interface Result {
  readonly sdk: string;
  readonly client: string;
  readonly fault: string;
  readonly healed: boolean;
  readonly verdict: Verdict;
  /** What the client threw, or gave instead of the answer. */
  readonly detail: string;
}

/** Numbers of events are such that the answer has begun; times such that nobody has lost patience. */
const argumentsOf: Readonly<Record<string, string>> = {
  status: '503',
  'slow-headers': '300',
  'slow-first-byte': '300',
  drip: '30',
  'stall-after': '5',
  'reset-after': '5',
  'cut-after': '5',
  'turn-state': 'abc',
  'param-refused': 'temperature',
  'endless-line': '20000000',
};

/** Of each family of faults some that are quick: what CI runs. */
export const shortList: readonly string[] = [
  ...['finish-then-hold', 'comment-only-life', 'no-finish-close', 'stall-after', 'cut-after', 'error-mid-stream'],
  ...['html-200', 'status', 'json-instead-of-sse', 'one-byte-chunks', 'usage-never', 'tool-index-reused'],
  ...['delta-without-added', 'only-completed', 'blocks-overlap', 'no-message-start'],
];

export interface Fault {
  readonly name: string;
  /** As the mock takes it. */
  readonly text: string;
  readonly script: 'text' | 'tools' | 'reasoning';
  /** Where the whole answer is not what the script says. */
  readonly differs: Partial<Outcome>;
}

const differs: Readonly<Record<string, Partial<Outcome>>> = {
  // What stands where the parts of a message belong is its text.
  'malformed-item': { text: 'Two.not an array' },
  // Only who runs the server knows whether such tags are marks, or what the model wants to say. They count in the server's usage.
  'think-tags': { text: '<think>\nhm, well\n</think>\n\nHi.', usage: 9 },
};

/** Every fault that shows over HTTP on a wire. */
export function faultsOf(wire: ProtocolId): readonly Fault[] {
  const own = listFaults().filter(({ wires }) => wires.includes(wire));
  return own.map(({ name }) => ({
    name,
    text: withArgument(name),
    script: scriptOf(name),
    differs: differs[name] ?? {},
  }));
}

function withArgument(name: string): string {
  const argument = argumentsOf[name];
  return argument === undefined ? name : `${name}:${argument}`;
}

/** Two calls behind a text show what becomes of either, unless bytes of characters or a reasoning are what it is about. */
function scriptOf(name: string): Fault['script'] {
  if (/reasoning|think/.test(name)) return 'reasoning';
  return name.includes('utf8') ? 'text' : 'tools';
}

/** What cannot be mended below an SDK: the fault, how it ends, the SDKs (absent: all), and why. */
export interface Beyond {
  readonly fault: string;
  readonly verdict: Verdict;
  readonly sdks?: readonly string[];
  readonly why: string;
}

export const beyond: readonly Beyond[] = [
  {
    fault: 'usage-refused',
    verdict: 'told',
    why: 'the server refuses `stream_options`, and `healing` changes no request',
  },
  {
    fault: 'tool-args-invalid',
    verdict: 'silent',
    sdks: ['pi-ai'],
    why: 'the model wrote arguments that are no JSON, and this SDK takes them for `{}`',
  },
  {
    fault: 'length-mid-call',
    verdict: 'silent',
    sdks: ['agents'],
    why: 'the call that was cut is left out and the finish says `length`, which this SDK hands to nobody',
  },
];

/** Whether a cell with the line is as it has to be: nothing waits for ever, nothing is lost in silence, what lost nothing is whole. */
export function isDue({ fault, verdict, sdk }: Result): boolean {
  if (verdict === 'ok' || (verdict === 'told' && parseFault(withArgument(fault)).spec.lossy === true)) return true;
  return beyond.some((each) => each.fault === fault && each.verdict === verdict && (each.sdks?.includes(sdk) ?? true));
}
