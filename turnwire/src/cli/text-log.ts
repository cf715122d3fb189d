import type { DestinationStream } from 'pino';
import { isObject, nonEmpty, parseOwnJson, type JsonObject } from '@turnwire/wire/internal/base/json';
import { visible } from '@turnwire/wire/internal/base/printable';
import { repairs as wordsOfRepairs } from '@turnwire/wire/internal/repairs';
import { createTheme, type Style } from '../terminal/theme.ts';

export interface TextLogOptions {
  readonly write: (text: string) => void;
  readonly colour: boolean;
  /** Breaks a line where the terminal would. Default: a line stays as long as it is. */
  readonly wrap?: ((line: string) => readonly string[]) | undefined;
}

/** Behind the time: `10:11:12 `. */
export const INDENT = ' '.repeat(9);

/** The log of the bridge (docs/bridge/operations.md) as lines for people: written to by pino, a JSON line at a time. */
export function createTextLog({ write, colour, wrap = (line) => [line] }: TextLogOptions): DestinationStream {
  const lines = new LogLines(colour);
  return {
    write: (json) => {
      const entry = parseOwnJson(json);
      if (isObject(entry)) write(`${wrap(lines.lineOf(entry)).join(`\n${INDENT}`)}\n`);
    },
  };
}

const asItIs: Style = (text) => text;
const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });

/** What each message has of its own; the text of any other is its message and its fields. */
type Words = (entry: JsonObject, lines: LogLines) => string;

const wordsOf: Readonly<Partial<Record<string, Words>>> = {
  response: (entry, lines) => lines.answer(entry),
  refused: (entry, { yellow }) =>
    `${whoOf(entry)}  ${textIn(entry.method)} ${textIn(entry.path)}  ${yellow(`refused ${textIn(entry.status)}`)}: ${textIn(entry.error)}`,
  'refused again': ({ times, route, status }, { yellow }) =>
    yellow(`refused ${textIn(status)} ${countOf(times)} more times within a minute (${textIn(route)})`),
  'trying again': (entry, { yellow }) =>
    `${yellow('trying again')}${laterIn(entry.delay_ms)} after ${textIn(entry.upstream)}: ${failureIn(entry)}: ${textIn(entry.error)}`,
};

/** Fields that every entry has, or that say nothing to a person. */
const SILENT = new Set(['level', 'time', 'msg', 'request', 'socket']);
const WARN = 40;
const ERROR = 50;

class LogLines {
  readonly dim: Style;
  readonly yellow: Style;
  readonly red: Style;
  /** Repairs that were told in words, by server. */
  readonly #told = new Set<string>();

  constructor(colour: boolean) {
    const { dim, yellow, red } = createTheme({ colour });
    [this.dim, this.yellow, this.red] = colour ? [dim, yellow, red] : [asItIs, asItIs, asItIs];
  }

  lineOf(entry: JsonObject): string {
    const { time, msg } = entry;
    const words = wordsOf[typeof msg === 'string' ? msg : ''] ?? (() => this.#other(entry));
    return `${this.dim(typeof time === 'number' ? clock.format(time) : '--:--:--')} ${words(entry, this)}`;
  }

  answer(entry: JsonObject): string {
    const asked = nonEmpty(entry.model) ?? nonEmpty(entry.route) ?? 'an answer';
    const upstream = nonEmpty(entry.upstream);
    const parts = [
      whoOf(entry),
      visible(asked) + (upstream === undefined ? '' : ` → ${visible(upstream)}`),
      this.#outcome(entry),
      'input_tokens' in entry ? `${countOf(entry.input_tokens)} in, ${countOf(entry.output_tokens)} out` : '',
      this.dim(timesIn(entry)),
      this.#healed(entry),
    ];
    return parts.filter((part) => part !== '').join('  ') + this.#why(entry);
  }

  #outcome({ outcome, attempts }: JsonObject): string {
    if (outcome === 'completed') return '';
    if (outcome === 'aborted') return 'the client left';
    const tried = typeof attempts === 'number' ? ` after ${attempts} attempts` : '';
    const told = `${textIn(outcome)}${tried}`;
    return outcome === 'incomplete' ? told : this.red(told);
  }

  #why({ error, request }: JsonObject): string {
    return typeof error === 'string' ? `: ${visible(error)} ${this.dim(textIn(request))}` : '';
  }

  /** In words the first time that a server needs it; what it needs each time is not said each time. */
  #healed({ repairs, upstream }: JsonObject): string {
    const names = Object.keys(isObject(repairs) ? repairs : {});
    if (names.length === 0) return '';
    const isNew = (name: string): boolean => !this.#told.has(`${textIn(upstream)} ${name}`);
    const told = names.filter(isNew).map((name) => `${visible(name)} (${inWords(name)})`);
    for (const name of names) this.#told.add(`${textIn(upstream)} ${name}`);
    const before = told.length === names.length ? [] : ['as before'];
    return `healed: ${[...told, ...before].join(', ')}`;
  }

  #other(entry: JsonObject): string {
    const { level, msg } = entry;
    const style = Number(level) >= ERROR ? this.red : Number(level) >= WARN ? this.yellow : asItIs;
    const { error, ...fields } = entry;
    const more = Object.entries(fields)
      .filter(([name]) => !SILENT.has(name))
      .map(([name, value]) => `${name}=${textIn(value)}`);
    return [style(textIn(msg)), ...(error === undefined ? [] : [`(${textIn(error)})`]), this.dim(more.join(' '))]
      .filter((part) => part !== '')
      .join(' ');
  }
}

function inWords(repair: string): string {
  return Object.hasOwn(wordsOfRepairs, repair)
    ? wordsOfRepairs[repair as keyof typeof wordsOfRepairs]
    : visible(repair);
}

/** The program, and whose it is where callers have names. */
function whoOf({ client, caller }: JsonObject): string {
  const program = visible(nonEmpty(client) ?? 'a client');
  return typeof caller === 'string' ? `${program} (${visible(caller)})` : program;
}

function failureIn({ kind, status }: JsonObject): string {
  return status === undefined ? textIn(kind) : `${textIn(status)} ${textIn(kind)}`;
}

function laterIn(delayMs: unknown): string {
  return typeof delayMs === 'number' && delayMs > 0 ? ` in ${durationOf(delayMs)}` : '';
}

function timesIn({ ttft_ms: first, ms }: JsonObject): string {
  const total = typeof ms === 'number' ? durationOf(ms) : '';
  return typeof first === 'number' ? `first ${durationOf(first)}, total ${total}` : total;
}

function durationOf(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

function countOf(value: unknown): string {
  return typeof value === 'number' ? value.toLocaleString('en-US') : '?';
}

/** Whatever a stranger wrote, on one line in which everything can be seen. */
function textIn(value: unknown): string {
  if (value === undefined || value === null) return '';
  return visible(typeof value === 'string' ? value : JSON.stringify(value));
}
