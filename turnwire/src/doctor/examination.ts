import type { JsonObject } from '@turnwire/wire/internal/base/json';
import { protocols, type ProtocolId } from '@turnwire/wire';
import type { TapedExchange } from '@turnwire/testing';
import type { Finding } from './finding.ts';
import { exchangeOf } from './proof/exchange-of.ts';
import { exchangeRaw, type RawAgents, type RawAnswer } from './raw-exchange.ts';
import { isAbsent } from './read-answer.ts';
import { questions, type Question, type QuestionName } from './requests.ts';
import { ask, type Adaptation, type Sample } from './sample.ts';
import { wireChecks } from './wire-checks.ts';
import type { ProbeWire } from './wires.ts';

export interface ExaminationOptions {
  /** Base URL: `/chat/completions` is added to its path. */
  readonly baseUrl: URL;
  readonly model: string | undefined;
  /** Those that are examined. */
  readonly wires: readonly ProtocolId[];
  readonly apiKey: string | undefined;
  /** Longest silence within an answer, in milliseconds. */
  readonly timeoutMs: number;
  /** How long a finished answer is watched for its end, in milliseconds. */
  readonly holdMs: number;
  readonly signal: AbortSignal;
}

/** What a probe saw. */
export interface Seen {
  readonly seen: string;
  readonly findings: readonly Finding[];
  /** The model did not do what it was asked, which is nobody's fault. */
  readonly undone?: boolean;
  /** What was sent and what came, for whoever wants to see it. */
  readonly proof?: TapedExchange;
}

/** Why a probe saw nothing: the server does not offer what it looks at, or it could not be looked at. */
export type Unseen = { readonly absent: string } | { readonly skipped: string };

/** What a probe reports. */
export type Outcome = Seen | Unseen;

export interface Probe {
  readonly name: string;
  readonly wire: ProbeWire;
  /** Runs by itself, because others would disturb what it measures. */
  readonly alone?: boolean;
  run(examination: Examination): Promise<Outcome>;
}

/** More of a request that is sent as it is. */
interface RawOptions {
  readonly body?: string;
  readonly agent?: RawAgents;
  readonly onChunk?: (data: Uint8Array) => number | undefined;
  /** Whose headers it has. Default: those of every wire that is examined. */
  readonly wire?: ProtocolId;
}

/** After an answer that is over, other probes than that of its end stay only this long, in milliseconds. */
const SHORT_STAY = 60;

/** One server under examination: each request is sent once, however many probes read its answer. */
export class Examination {
  readonly options: ExaminationOptions;
  readonly adaptation: Adaptation = { noUsage: false, newLimit: false };
  readonly #samples = new Map<string, Promise<Sample>>();
  readonly #done: Sample[] = [];
  /** From the list of models, when none was given. */
  listedModel: string | undefined;

  constructor(options: ExaminationOptions) {
    this.options = options;
  }

  get model(): string {
    return this.options.model ?? this.listedModel ?? 'default';
  }

  /** The answer to one of the questions. */
  sample(wire: ProtocolId, name: QuestionName): Promise<Sample> {
    const key = `${wire} ${name}`;
    let sample = this.#samples.get(key);
    if (sample === undefined) {
      sample = this.ask(wire, questions[name], name === 'answer' ? this.options.holdMs : SHORT_STAY);
      this.#samples.set(key, sample);
    }
    return sample;
  }

  /** Every answer so far on a wire. */
  samples(wire: ProtocolId): readonly Sample[] {
    return this.#done.filter((sample) => sample.wire === wire);
  }

  async ask(wire: ProtocolId, question: Question, stayMs = SHORT_STAY): Promise<Sample> {
    const sample = await ask(this.modelUrl(wire), wire, wireChecks[wire].body(question, this.model), this.adaptation, {
      stayMs,
      timeoutMs: this.options.timeoutMs,
      signal: this.options.signal,
      headers: this.headers(wire),
    });
    this.#done.push(sample);
    return sample;
  }

  /** Sends anything, e.g. what is no request at all. */
  async raw(path: string, method: 'GET' | 'POST', { wire, ...more }: RawOptions = {}): Promise<RawAnswer> {
    const { timeoutMs, signal } = this.options;
    const headers = {
      ...this.headers(wire),
      ...(more.body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    return await exchangeRaw({
      url: this.url(path),
      method,
      headers,
      signal,
      idleMs: timeoutMs,
      totalMs: timeoutMs * 2,
      maxBytes: 1024 * 1024,
      ...more,
    });
  }

  url(path: string): URL {
    const url = new URL(this.options.baseUrl);
    url.pathname = url.pathname.replace(/\/+$/, '') + path;
    return url;
  }

  modelUrl(wire: ProtocolId): URL {
    return this.url(`/${protocols[wire].path}`);
  }

  /** What a wire's servers want on every request, and the key in the way that they know it; without a wire that of all. */
  headers(wire?: ProtocolId): Readonly<Record<string, string>> {
    const { apiKey, wires } = this.options;
    const own = (wire === undefined ? wires : [wire]).map((id) => protocols[id]);
    const keys = apiKey === undefined ? [] : own.map((protocol) => protocol.authHeaders(apiKey));
    const wanted = own.map(({ headers }) => headers);
    return Object.assign({ 'user-agent': 'turnwire-doctor' }, ...wanted, ...keys) as Record<string, string>;
  }

  body(wire: ProtocolId, question: Question): JsonObject {
    return wireChecks[wire].body(question, this.model);
  }

  /** What an answer was asked for with, and all of it. */
  proofOf({ wire, body, answer }: Sample): TapedExchange {
    const headers = { 'content-type': 'application/json', ...this.headers(wire) };
    return exchangeOf({ url: this.modelUrl(wire), method: 'POST', headers, body: JSON.stringify(body) }, answer);
  }

  /** The same of what was sent with `raw`. */
  rawProof(path: string, method: 'GET' | 'POST', answer: RawAnswer, body = ''): TapedExchange {
    return exchangeOf({ url: this.url(path), method, headers: this.headers(), body }, answer);
  }
}

/** Why other probes of a wire make no sense; `undefined` when its plain answer is over as it should be. */
export async function unusable(examination: Examination, wire: ProtocolId): Promise<Unseen | undefined> {
  const { answer, ours } = await examination.sample(wire, 'answer');
  if (isAbsent(answer)) return notServed;
  return ['completed', 'incomplete', 'content_filter'].includes(ours.outcome)
    ? undefined
    : { skipped: `the plain answer ended badly already (${ours.outcome})` };
}

/** What every probe of a wire says that the server does not have. */
export const notServed: Unseen = { absent: 'this wire is not served' };
