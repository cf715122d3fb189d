import type { DestinationStream } from 'pino';
import { isObject, parseOwnJson } from '@turnwire/wire/internal/base/json';
import { visible } from '@turnwire/wire/internal/base/printable';

/** Routes that a model answers, as docs/bridge/operations.md has them: each in the form of its answer. */
const ANSWERS = /_(?:sse|json|ws)$/;

/** Counts what a bridge did, from the lines of its log, for the one line at its end. */
export class Tally implements DestinationStream {
  readonly #file: DestinationStream | undefined;
  #requests = 0;
  #tokensIn = 0;
  #tokensOut = 0;
  #refused = 0;
  readonly #servers = new Set<string>();
  readonly #failed = new Map<string, number>();
  readonly #repairs = new Map<string, number>();

  /** @param file - where the lines are written to as well */
  constructor(file?: DestinationStream) {
    this.#file = file;
  }

  write(line: string): void {
    this.#file?.write(line);
    const entry = parseOwnJson(line);
    if (!isObject(entry)) return;
    // Claude Code asks by HEAD whether somebody is there, without its token.
    if (entry.msg === 'refused' && entry.method !== 'HEAD') this.#refused += 1;
    if (entry.msg === 'refused again') this.#refused += numberOf(entry.times);
    if (entry.msg === 'response' && isAnswer(entry)) this.#answer(entry);
    // Usage comes in a line of its own where it was late.
    if (entry.msg === 'response' || entry.msg === 'usage came late') {
      this.#tokensIn += numberOf(entry.input_tokens);
      this.#tokensOut += numberOf(entry.output_tokens);
    }
  }

  /** The addresses of the servers that answered. */
  get servers(): readonly string[] {
    return [...this.#servers];
  }

  #answer(entry: Readonly<Record<string, unknown>>): void {
    this.#requests += 1;
    const { outcome, repairs, upstream } = entry;
    if (typeof upstream === 'string') this.#servers.add(upstream);
    if (typeof outcome === 'string' && outcome !== 'completed') add(this.#failed, outcome, 1);
    for (const [name, times] of Object.entries(isObject(repairs) ? repairs : {})) {
      add(this.#repairs, name, numberOf(times));
    }
  }

  /** e.g. `3 requests, 5,321 tokens in, 240 out; healed: no_finish_reason 2`. */
  toString(): string {
    const requests = `${figure(this.#requests)} ${this.#requests === 1 ? 'request' : 'requests'}`;
    return [
      `${requests}, ${figure(this.#tokensIn)} tokens in, ${figure(this.#tokensOut)} out`,
      ...listOf('healed', this.#repairs),
      ...listOf('not completed', this.#failed),
      ...(this.#refused === 0 ? [] : [`refused: ${this.#refused}`]),
    ].join('; ');
  }
}

/** Codex' first message on a socket wants no answer, and no server is asked for it. */
function isAnswer({ route, upstream, outcome }: Readonly<Record<string, unknown>>): boolean {
  return typeof route === 'string' && ANSWERS.test(route) && (upstream !== undefined || outcome !== 'completed');
}

function add(counts: Map<string, number>, name: string, times: number): void {
  counts.set(name, (counts.get(name) ?? 0) + times);
}

function listOf(title: string, counts: ReadonlyMap<string, number>): string[] {
  if (counts.size === 0) return [];
  return [`${title}: ${[...counts].map(([name, times]) => `${visible(name)} ${figure(times)}`).join(', ')}`];
}

const figure = (count: number): string => count.toLocaleString('en-US');

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
