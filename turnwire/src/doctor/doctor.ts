import { isSecretParameter } from '@turnwire/client/internal/platform/secret-names';
import { redactTarget } from '@turnwire/client/internal/platform/secret-text';
import { readBaseUrl } from '@turnwire/client/internal/provider/base-url';
import { protocolIds, protocols, type ProtocolId } from '@turnwire/wire';
import { Examination, type Outcome, type Probe } from './examination.ts';
import { isAbsent } from './read-answer.ts';
import { modelProbes } from './probes-model.ts';
import { serverProbes } from './probes-server.ts';
import { websocketProbes } from './probes-websocket.ts';
import type { Finding } from './finding.ts';
import { inParallel } from './in-parallel.ts';
import type { Rate } from './rates.ts';
import { REPEATED, repeatCalls } from './repeat.ts';
import { ReportBuilder } from './report-builder.ts';
import type { DoctorReport, ProbeReport } from './doctor-report.ts';

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
  /** How often a call is asked for again, streamed and not, to count what is random. Default 0. */
  readonly repeat?: number | undefined;
  /** Called for each of these rounds as it ends. Must not throw. */
  readonly onRound?: ((wire: ProtocolId, done: number, times: number) => void) | undefined;
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
  const rates: Rate[] = [];
  for (const wire of wires) {
    await run.all(modelProbes(wire));
    rates.push(...(await run.repeat(wire)));
  }
  if (wires.some((wire) => protocols[wire].overWebSocket)) await run.all(websocketProbes());
  const absent = await checkAbsent(examination, wires, options.wires !== undefined);
  if (absent.length > 0)
    run.builder.tell({ name: 'wires', wire: 'server' }, { seen: 'a wire is missing', findings: absent });
  return await run.builder.finish(redactTarget(baseUrl.href), examination.model, rates);
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
  readonly builder: ReportBuilder;

  constructor(examination: Examination, options: DoctorOptions, secrets: readonly string[]) {
    this.#examination = examination;
    this.#options = options;
    this.builder = new ReportBuilder(secrets, options.onProbe);
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
    for (const probe of probes) this.builder.tell(probe, outcomes.get(probe) ?? { skipped: 'not run' });
  }

  /** Counts what is random, when that was asked for. */
  async repeat(wire: ProtocolId): Promise<readonly Rate[]> {
    const { repeat: times = 0, concurrency = 3, onRound = () => undefined } = this.#options;
    const { signal } = this.#examination.options;
    if (times === 0 || signal.aborted) return [];
    const { outcome, rates } = await repeatCalls(this.#examination, wire, { times, concurrency, signal, onRound });
    this.builder.tell({ name: REPEATED, wire }, outcome);
    return rates;
  }

  async #one(probe: Probe): Promise<Outcome> {
    if (this.#options.signal?.aborted === true) return { skipped: 'interrupted' };
    return await probe.run(this.#examination);
  }
}
