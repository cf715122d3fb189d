import { repairs, type Repair } from '../repairs.ts';

/** How the answer to one request ended, and what each means for an app that has no healing. */
export const endings = {
  finished: 'ended as they should',
  held_open: 'were held open after the answer had finished: whoever reads to the end waits',
  cut: 'broke off before the model had finished',
  failed: 'told an error in the middle, or could not be read',
  silent: 'said nothing for 10 seconds and more until they were given up',
  left: 'were left by the app before their end',
  refused: 'were refused, or answered with a web page',
  unreachable: 'got no answer',
} as const;

/** The name of one of them. */
export type Ending = keyof typeof endings;

/** What came of the requests to one server. */
export interface HostReport {
  /** Requests for a model's answer. */
  requests: number;
  /** How often each ending came. */
  readonly endings: Partial<Record<Ending, number>>;
  /** In how many answers each repair was made, or would have been. */
  readonly repairs: Partial<Record<Repair, number>>;
}

/** What `TURNWIRE_REPORT` writes, as JSON. */
export interface Report {
  /** False where `TURNWIRE_HEAL=0` said only to look. */
  readonly healed: boolean;
  /** By the server's origin: `https://api.example.com`. */
  readonly hosts: Readonly<Record<string, HostReport>>;
}

/** What came of all requests of this process, server by server. */
export class Ledger {
  readonly #hosts = new Map<string, HostReport>();

  onRequest(host: string): void {
    this.#of(host).requests++;
  }

  onEnd(host: string, ending: Ending, repaired: Iterable<Repair>): void {
    const report = this.#of(host);
    report.endings[ending] = (report.endings[ending] ?? 0) + 1;
    for (const name of repaired) report.repairs[name] = (report.repairs[name] ?? 0) + 1;
  }

  report(healed: boolean): Report {
    return { healed, hosts: Object.fromEntries(this.#hosts) };
  }

  #of(host: string): HostReport {
    const known = this.#hosts.get(host) ?? { requests: 0, endings: {}, repairs: {} };
    this.#hosts.set(host, known);
    return known;
  }
}

/** The report for people: a few lines. */
export function textOf({ healed, hosts }: Report): string {
  const all = Object.entries(hosts);
  if (all.length === 0) return "turnwire: no request for a model's answer went through fetch\n";
  const lines = all.flatMap(([host, report]) => [
    `  ${host}: ${report.requests} request${report.requests === 1 ? '' : 's'}`,
    ...told(report.endings, endings),
    ...told(report.repairs, repairs),
  ]);
  const head = healed
    ? 'turnwire healed the answers of models'
    : 'turnwire looked at the answers of models, and healed none';
  return `${head}:\n${lines.join('\n')}\n`;
}

function told<K extends string>(counts: Partial<Record<K, number>>, meanings: Readonly<Record<K, string>>): string[] {
  return (Object.keys(counts) as K[]).map((name) => `    ${counts[name] ?? 0} x ${name}: ${meanings[name]}`);
}
