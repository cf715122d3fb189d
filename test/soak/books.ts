import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** How an exchange ended, by its trace. */
interface Traced {
  readonly route: string;
  readonly outcome: string;
  readonly tag: string | undefined;
}

/**
 * Holds what the bridge says of its exchanges against what its clients saw: each trace is read once and deleted, for a
 * run writes many thousands of them.
 */
export class Books {
  readonly #folder: string;
  readonly #onProblem: (problem: string) => void;
  /** How each request ended for its client, until its trace is read. */
  readonly #seen = new Map<string, string>();
  /** By route and outcome. */
  readonly #traced = new Map<string, number>();
  asked = 0;
  #left = 0;

  constructor(folder: string, onProblem: (problem: string) => void) {
    this.#folder = folder;
    this.#onProblem = onProblem;
  }

  /** A client is done with its request. */
  close(tag: string, end: string): void {
    this.asked++;
    if (end === 'left') this.#left++;
    this.#seen.set(tag, end);
  }

  /** The text of the trace of a request, where it is still there. */
  async traceOf(tag: string): Promise<string> {
    for (const file of await this.#files()) {
      const text = await textOf(join(this.#folder, file));
      if (text.slice(0, text.indexOf('\n')).includes(`soak ${tag} `)) return text;
    }
    return 'there is no trace of it';
  }

  /** Reads the traces of exchanges that are over, on both sides. */
  async read(): Promise<void> {
    for (const file of await this.#files()) {
      const path = join(this.#folder, file);
      const traced = parse(await textOf(path));
      if (traced === undefined || !this.#check(traced)) continue;
      await rm(path, { force: true });
    }
  }

  /** None behind the end of the bridge, with which its folder goes. */
  async #files(): Promise<readonly string[]> {
    return readdir(this.#folder).catch(() => []);
  }

  /** False while its client has not told how it ended. */
  #check({ route, outcome, tag }: Traced): boolean {
    if (tag !== undefined) {
      const seen = this.#seen.get(tag);
      if (seen === undefined) return false;
      this.#seen.delete(tag);
      const isWhole = seen === 'completed';
      if (seen !== 'left' && isWhole !== (outcome === 'completed'))
        this.#onProblem(`${tag} ended as ${seen} for its client, and as ${outcome} in its trace`);
    }
    const key = `${route} ${outcome}`;
    this.#traced.set(key, (this.#traced.get(key) ?? 0) + 1);
    return true;
  }

  /** What is left when all is over: the metrics have to count the same exchanges as the traces, and the clients as many. */
  async settle(metrics: string): Promise<void> {
    await this.read();
    const counted = countsIn(metrics);
    for (const [key, count] of counted) {
      const traced = this.#traced.get(key) ?? 0;
      // What is refused before it is read has no trace.
      if (traced !== count && isAnswer(key) && !key.endsWith(' refused'))
        this.#onProblem(`the metrics count ${count} of ${key}, the traces ${traced}`);
    }
    const answers = [...counted].reduce((sum, [key, count]) => (isAnswer(key) ? sum + count : sum), 0);
    // Who left at once may have asked nothing.
    if (answers > this.asked || answers < this.asked - this.#left)
      this.#onProblem(`the clients asked ${this.asked} times, the metrics count ${answers}`);
    const lost = [...this.#seen].filter(([, end]) => !end.startsWith('http:') && end !== 'left');
    if (lost.length > 0) this.#onProblem(`no trace of ${lost.length} requests: ${JSON.stringify(lost.slice(0, 5))}`);
  }
}

/** Not the routes of those who come back for the rest of an answer. */
function isAnswer(key: string): boolean {
  return !/get|stored/i.test(key);
}

/** Empty for a file that was read and deleted meanwhile. */
async function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}

function parse(text: string): Traced | undefined {
  const outcome = /^\{"ms":[\d.]+,"outcome":"([^"]+)".*\}$/m.exec(text)?.[1];
  if (outcome === undefined) return undefined;
  const first = text.slice(0, text.indexOf('\n'));
  return {
    outcome,
    route: /"route":"([^"]+)"/.exec(first)?.[1] ?? '',
    tag: /soak (\S+) /.exec(first)?.[1],
  };
}

function countsIn(metrics: string): Map<string, number> {
  const rows = metrics.matchAll(/^turnwire_requests_total\{route="([^"]+)",outcome="([^"]+)"\} (\d+)$/gm);
  return new Map(Array.from(rows, ([, route, outcome, count]) => [`${route} ${outcome}`, Number(count)]));
}

/** The value of a gauge, all labels together. */
export function gaugeIn(metrics: string, name: string): number {
  const rows = metrics.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'));
  return Array.from(rows, ([, value]) => Number(value)).reduce((sum, value) => sum + value, 0);
}
