import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { systemClock } from '@turnwire/client/internal/platform/system-clock';
import { MockUsageError } from '../errors.ts';
import { toScenario, type ScenarioInput } from '../load/scenario-input.ts';
import type { ExpectedRequest } from '../scenario/expected-request.ts';
import type { Match, Scenario } from '../scenario/scenario.ts';
import type { FaultLike } from '../faults/fault.ts';
import { ActiveFaults } from './active-faults.ts';
import { answerControl, isControl, type Controlled } from './control.ts';
import { Exchange, type ExchangeContext } from './exchange.ts';
import { Expectations, type Expectation } from './expectations.ts';
import { protocolOf } from './paths.ts';
import { Recorder, type RecordedRequest } from './recorder.ts';
import type { MockOptions } from './options.ts';
import type { Verdict } from './verdict.ts';
import { WebSocketSide } from './websocket.ts';

/** What a test begins with. */
export interface MockBeginning {
  readonly options: MockOptions;
  readonly scenario: Scenario;
  /** Aborted when the server closes. */
  readonly closing: AbortSignal;
  /** Its `url`; known once the server listens. */
  address(): string;
}

/** The state of one test. */
export class MockState implements Controlled {
  readonly #beginning: MockBeginning;
  readonly #context: ExchangeContext & { scenario: Scenario };
  readonly #expectations: Expectations;
  readonly #webSockets: WebSocketSide;

  constructor(beginning: MockBeginning) {
    const { options, scenario, closing } = beginning;
    const clock = options.clock ?? systemClock;
    const recorder = new Recorder(options.keepRequests ?? 10_000);
    this.#beginning = beginning;
    this.#expectations = new Expectations(recorder, clock);
    this.#context = {
      clock,
      recorder,
      wire: options.wire,
      scenario,
      faults: new ActiveFaults(options.wire),
      paceMs: options.paceMs,
      createdAt: options.createdAt ?? 1_767_225_600,
      startedAt: clock.now(),
      closing,
      responses: new Map(),
    };
    this.#webSockets = new WebSocketSide(this.#context);
    this.reset();
  }

  get url(): string {
    return this.#beginning.address();
  }

  get baseUrl(): string {
    return `${this.url}/v1`;
  }

  get requests(): readonly RecordedRequest[] {
    return this.allRequests.filter((request) => request.view !== undefined);
  }

  get allRequests(): readonly RecordedRequest[] {
    return this.#context.recorder.requests;
  }

  get count(): number {
    return this.#context.recorder.modelRequests;
  }

  get faults(): readonly string[] {
    return this.#context.faults.names;
  }

  expect(expectation: number | Expectation): void {
    this.#expectations.add(expectation);
  }

  expectInOrder(matches: readonly Match[]): void {
    this.#expectations.addOrder(matches);
  }

  expectRequests(expected: readonly ExpectedRequest[]): void {
    this.#expectations.setRequests(expected);
  }

  forgetExpectations(): void {
    this.#expectations.clear();
  }

  verdict(): Verdict {
    return this.#expectations.verdict();
  }

  verify(): void {
    this.#expectations.verify();
  }

  async waitForRequests(n: number, signal?: AbortSignal): Promise<void> {
    const { recorder } = this.#context;
    if (recorder.modelRequests >= n) return;
    await new Promise<void>((resolve, reject) => {
      const settle = (): void => {
        if (recorder.modelRequests < n && signal?.aborted !== true) return;
        stop();
        signal?.removeEventListener('abort', settle);
        if (recorder.modelRequests >= n) resolve();
        else reject(new MockUsageError(`expected ${n} requests, got ${recorder.modelRequests}`));
      };
      const stop = recorder.onChange(settle);
      signal?.addEventListener('abort', settle, { once: true });
      settle();
    });
  }

  async setScenario(input: ScenarioInput): Promise<void> {
    this.#begin(await toScenario(input));
  }

  setFaults(faults: readonly FaultLike[]): void {
    this.#context.faults.set(faults);
  }

  reset(): void {
    const { options, scenario } = this.#beginning;
    this.#expectations.clear();
    if (options.expect !== undefined) this.expect(options.expect);
    this.setFaults(options.faults ?? []);
    this.#begin(scenario);
  }

  /** Keeps the state of every answer as it is now, for the verdict. */
  freeze(): void {
    this.#expectations.freeze();
  }

  /** Answers one HTTP request. */
  async serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    try {
      if (isControl(req)) await answerControl(this, req, res);
      else await new Exchange(this.#context, req, res).run();
    } catch (error) {
      // A bug of the mock or of a scenario function: told to the client, or the connection is dropped.
      if (res.headersSent) res.destroy();
      else {
        const body = protocolOf(req).errorBody({ message: String(error), type: 'server_error', status: 500 });
        res.writeHead(500, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      }
    }
  }

  /** Answers one upgrade request. */
  async upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    await this.#webSockets.upgrade(req, socket, head);
  }

  /** Drops every WebSocket. */
  dropSockets(): void {
    this.#webSockets.close();
  }

  #begin(scenario: Scenario): void {
    this.#expectations.setRequests(scenario.expect);
    this.#context.scenario = scenario;
    this.#context.recorder.clear();
    this.#context.responses.clear();
  }
}
