import { createConcealer, type Conceal } from '@turnwire/client/internal/platform/conceal';
import { isSecretParameter } from '@turnwire/client/internal/platform/secret-names';
import { redactTarget } from '@turnwire/client/internal/platform/secret-text';
import { readBaseUrl } from '@turnwire/client/internal/provider/base-url';
import { protocolIds, protocols, type ProtocolId } from '@turnwire/wire';
import { Examination, isAbsent, type Outcome, type Probe, type ProbeWire } from './examination.ts';
import { modelProbes } from './probes-model.ts';
import { serverProbes } from './probes-server.ts';
import { websocketProbes } from './probes-websocket.ts';
import type { Finding } from './finding.ts';
import type { QuirkLevel } from './quirks/quirk.ts';
import { quirkOn } from './quirks.ts';

export interface DoctorOptions {
  /** Base URL, e.g. `http://127.0.0.1:8080/v1`; `/v1` is added to one without a path. */
  readonly url: string;
  /** Default: the first that the server lists. */
  readonly model?: string | undefined;
  /** Sent as each wire's servers know it: a bearer token, or `x-api-key` for Messages. */
  readonly apiKey?: string | undefined;
  /** Default: every wire that the server has. */
  readonly wires?: readonly ProtocolId[] | undefined;
  /** Longest silence of the server, in milliseconds. Default 15,000. */
  readonly timeoutMs?: number | undefined;
  /** How long a finished answer is watched for the end of its body, in milliseconds. Default 3000. */
  readonly holdMs?: number | undefined;
  /** Requests at the same time. Default 3. */
  readonly concurrency?: number | undefined;
  /** Ends the examination early: what was not seen is reported as skipped. */
  readonly signal?: AbortSignal | undefined;
  /** Called for each probe as it ends. Must not throw. */
  readonly onProbe?: ((report: ProbeReport) => void) | undefined;
}

export type Verdict = 'ok' | QuirkLevel | 'skipped';

/** What one probe saw. */
export interface ProbeReport {
  readonly name: string;
  readonly wire: ProbeWire;
  readonly verdict: Verdict;
  /** What was seen, or why the probe was not run. */
  readonly seen: string;
  /** Only those that no probe before it told. */
  readonly findings: readonly ReportedFinding[];
  /** Names of the findings that an earlier probe of this wire told already; they count for the verdict. */
  readonly again: readonly string[];
}

/** A finding with all that is known of it. */
export interface ReportedFinding extends Finding {
  readonly wire: ProbeWire;
  readonly level: QuirkLevel;
  readonly right: string;
  readonly stumbles: readonly string[];
  readonly answer: string;
}

export interface DoctorReport {
  readonly url: string;
  readonly model: string;
  readonly probes: readonly ProbeReport[];
  readonly findings: readonly ReportedFinding[];
  /** Findings of level `broken`. */
  readonly broken: number;
}

/** The base URL is no http URL. */
export class DoctorUsageError extends Error {
  override readonly name = 'DoctorUsageError';
}

/**
 * Examines a model server: over fifty probes over Chat Completions, Responses and its WebSocket, and Messages, each bounded in
 * time. It never rejects for what the server does: that is the report.
 *
 * @throws DoctorUsageError for a URL that is none
 * @example
 * ```ts
 * const { findings, broken } = await examine({ url: 'http://127.0.0.1:8080' });
 * ```
 */
export async function examine(options: DoctorOptions): Promise<DoctorReport> {
  const baseUrl = parseBaseUrl(options.url);
  const wires = options.wires ?? protocolIds;
  const examination = new Examination({
    baseUrl,
    wires,
    model: options.model,
    apiKey: options.apiKey,
    timeoutMs: options.timeoutMs ?? 15_000,
    holdMs: options.holdMs ?? 3000,
    signal: options.signal ?? new AbortController().signal,
  });
  const run = new Run(examination, options, secretsIn(baseUrl, options.apiKey));
  await run.all(serverProbes);
  for (const wire of wires) await run.all(modelProbes(wire));
  if (wires.some((wire) => protocols[wire].overWebSocket)) await run.all(websocketProbes());
  const absent = await checkAbsent(examination, wires, options.wires !== undefined);
  return run.report(baseUrl, absent);
}

function parseBaseUrl(text: string): URL {
  const address = readBaseUrl(text);
  if ('wrong' in address) throw new DoctorUsageError(`the address of the server ${address.wrong}`);
  return address.url;
}

/** A wire that was asked for, or all of them, are not there. */
async function checkAbsent(
  examination: Examination,
  wires: readonly ProtocolId[],
  demanded: boolean,
): Promise<readonly Finding[]> {
  const answers = await Promise.all(wires.map((wire) => examination.sample(wire, 'answer')));
  const absent = answers.filter(({ answer }) => isAbsent(answer));
  if (absent.length === 0 || (!demanded && absent.length < wires.length)) return [];
  return [
    { quirk: 'status', seen: absent.map(({ wire, answer }) => `HTTP ${answer.status} on the ${wire} wire`).join(', ') },
  ];
}

/** The key, and what the address holds of keys and passwords. */
function secretsIn(url: URL, apiKey: string | undefined): readonly string[] {
  const parameters = [...url.searchParams].filter(([name]) => isSecretParameter(name)).map(([, value]) => value);
  return [apiKey ?? '', decodeURIComponent(url.password), ...parameters];
}

class Run {
  readonly #examination: Examination;
  readonly #options: DoctorOptions;
  readonly #conceal: Conceal;
  readonly #reports: ProbeReport[] = [];
  readonly #told = new Set<string>();

  constructor(examination: Examination, options: DoctorOptions, secrets: readonly string[]) {
    this.#examination = examination;
    this.#options = options;
    this.#conceal = createConcealer(secrets);
  }

  /** Runs the probes of one group: some by themselves, in their order, the rest together. */
  async all(probes: readonly Probe[]): Promise<void> {
    const outcomes = new Map<Probe, Outcome>();
    const run = async (probe: Probe): Promise<void> => void outcomes.set(probe, await this.#one(probe));
    const last = probes.filter(({ name }) => name === 'cancel');
    for (const probe of probes) if (probe.alone === true && !last.includes(probe)) await run(probe);
    await inParallel(
      probes.filter(({ alone }) => alone !== true),
      this.#options.concurrency ?? 3,
      run,
    );
    for (const probe of last) await run(probe);
    for (const probe of probes) this.#tell(probe, outcomes.get(probe) ?? { skipped: 'not run' });
  }

  report(url: URL, more: readonly Finding[]): DoctorReport {
    if (more.length > 0) this.#tell({ name: 'wires', wire: 'server' }, { seen: 'a wire is missing', findings: more });
    const findings = this.#reports.flatMap((report) => report.findings);
    return {
      url: redactTarget(url.href),
      model: this.#conceal(this.#examination.model),
      probes: this.#reports,
      findings,
      broken: findings.filter(({ level }) => level === 'broken').length,
    };
  }

  async #one(probe: Probe): Promise<Outcome> {
    if (this.#options.signal?.aborted === true) return { skipped: 'interrupted' };
    return await probe.run(this.#examination);
  }

  #tell({ name, wire }: Pick<Probe, 'name' | 'wire'>, told: Outcome): void {
    const outcome = this.#withoutKey(told);
    const report = 'skipped' in outcome ? skippedReport(name, wire, outcome.skipped) : this.#weigh(name, wire, outcome);
    this.#reports.push(report);
    this.#options.onProbe?.(report);
  }

  /** Some servers quote the key that they refuse. */
  #withoutKey(outcome: Outcome): Outcome {
    const conceal = this.#conceal;
    if ('skipped' in outcome) return { skipped: conceal(outcome.skipped) };
    const findings = outcome.findings.map((finding) => ({ ...finding, seen: conceal(finding.seen) }));
    return { seen: conceal(outcome.seen), findings };
  }

  #weigh(name: string, wire: ProbeWire, { seen, findings }: Extract<Outcome, { seen: string }>): ProbeReport {
    const levels = findings.map(({ quirk }) => quirkOn(quirk, wire).level);
    const verdict = levels.includes('broken') ? 'broken' : levels.length > 0 ? 'odd' : 'ok';
    const fresh = findings.filter(({ quirk }) => {
      const key = `${wire} ${quirk}`;
      return !this.#told.has(key) && this.#told.add(key).has(key);
    });
    const reported = fresh.map((finding) => ({ ...finding, wire, ...quirkOn(finding.quirk, wire) }));
    const names = new Set(findings.filter((finding) => !fresh.includes(finding)).map(({ quirk }) => quirk));
    const again = [...names].filter((name) => !fresh.some(({ quirk }) => quirk === name));
    return { name, wire, verdict, seen, findings: reported, again };
  }
}

function skippedReport(name: string, wire: ProbeWire, seen: string): ProbeReport {
  return { name, wire, verdict: 'skipped', seen, findings: [], again: [] };
}

/** At most `width` at once, in order. */
async function inParallel<T>(values: readonly T[], width: number, run: (value: T) => Promise<void>): Promise<void> {
  const queue = [...values];
  const worker = async (): Promise<void> => {
    for (let value = queue.shift(); value !== undefined; value = queue.shift()) await run(value);
  };
  await Promise.all(Array.from({ length: Math.max(1, width) }, worker));
}
