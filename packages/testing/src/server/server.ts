import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import { systemClock } from '@turnwire/client/internal/platform/system-clock';
import { defaultScenario } from '../scenario/default.ts';
import { MockUsageError } from '../errors.ts';
import { showsOn, type Fault } from '../faults/fault.ts';
import { parseFault } from '../faults/list.ts';
import { Exchange, type ExchangeContext } from './exchange.ts';
import { Expectations, type Expectation } from './expectations.ts';
import { LocalServer } from './local-server.ts';
import { protocolOf } from './paths.ts';
import { Recorder, type RecordedRequest } from './recorder.ts';
import { WebSocketSide } from './websocket.ts';
import type { Match, Scenario } from '../scenario/scenario.ts';
import { toScenario, type ScenarioInput } from '../load/scenario-input.ts';

/** What a mock serves, and where. */
export interface MockOptions {
  /** Serve this wire alone; the others answer 404. Default: all. */
  readonly wire?: ProtocolId | undefined;
  /** A scenario, a builder, or the name of a built-in one. Default: says that it is scripted. */
  readonly scenario?: ScenarioInput | undefined;
  /** Faults of every answer, e.g. `finish-then-hold`, `status:503:2`, `drip:20@1` (only request 1). Default: none. */
  readonly faults?: readonly (string | Fault)[] | undefined;
  /** TCP port. Default 0: a free one. */
  readonly port?: number | undefined;
  /** Default `127.0.0.1`. */
  readonly host?: string | undefined;
  /** Names that a `Host` header may have beside the loopback names and `host`; `*` allows all. Default: none. */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Milliseconds between two events of an answer whose reply sets no pace. Default: none. */
  readonly paceMs?: number | undefined;
  /** Number of model requests that have to arrive: `verify()` checks it. Default: any number. */
  readonly expect?: number | undefined;
  /** Unix time in seconds that answers carry. Default 1767225600. */
  readonly createdAt?: number | undefined;
  /** Number of requests kept for `requests`; the oldest go first. Default 10,000. */
  readonly keepRequests?: number | undefined;
  /** Default: the clock of the system. */
  readonly clock?: Clock | undefined;
}

/** A running mock server. */
export interface MockServer extends AsyncDisposable {
  /** e.g. `http://127.0.0.1:41234`. */
  readonly url: string;
  /** `url` with `/v1`: what clients take as base URL. */
  readonly baseUrl: string;
  readonly port: number;
  /** Model requests that arrived, oldest first. */
  readonly requests: readonly RecordedRequest[];
  /** Expects this many model requests, or some that match: see {@link Expectation}. */
  expect(expectation: number | Expectation): void;
  /** Expects requests that match, in this order; others may stand between them. */
  expectInOrder(matches: readonly Match[]): void;
  /** Takes every expectation back. */
  forgetExpectations(): void;
  /** Throws `MockVerificationError` when something expected did not come, or something else did. */
  verify(): void;
  /** Waits until this many model requests arrived. Ends with an error when the signal aborts. */
  waitForRequests(n: number, signal?: AbortSignal): Promise<void>;
  /** Stops serving and drops every connection. */
  close(): Promise<void>;
}

/**
 * Starts a scripted model server on a loopback port: Chat Completions, Responses over SSE and WebSocket, Messages, and JSON.
 *
 * Rejects with `MockUsageError` for an unknown fault or scenario, and with Node's error for a port in use. Leaving
 * the scope closes it, and throws when an expectation is not met.
 *
 * @example
 * ```ts
 * await using server = await startMock({ wire: 'chat', scenario: 'tool-call', faults: ['finish-then-hold'] });
 * server.expect(2);
 * await runMyClient(server.baseUrl);
 * ```
 */
export async function startMock(options: MockOptions = {}): Promise<MockServer> {
  const mock = new Mock(options, await toScenario(options.scenario ?? defaultScenario));
  await mock.listen();
  return mock;
}

class Mock implements MockServer {
  readonly #server: LocalServer;
  readonly #context: ExchangeContext;
  readonly #expectations: Expectations;
  readonly #closing = new AbortController();
  readonly #webSockets: WebSocketSide;

  constructor(options: MockOptions, scenario: Scenario) {
    const clock = options.clock ?? systemClock;
    const recorder = new Recorder(options.keepRequests ?? 10_000);
    const faults = (options.faults ?? []).map((fault) => (typeof fault === 'string' ? parseFault(fault) : fault));
    refuseForeignFaults(faults, options.wire);
    this.#expectations = new Expectations(recorder, clock, options.expect);
    this.#context = {
      clock,
      recorder,
      wire: options.wire,
      scenario,
      faults: faults.map((fault) => ({ fault, hooks: fault.create() })),
      paceMs: options.paceMs,
      createdAt: options.createdAt ?? 1_767_225_600,
      startedAt: clock.now(),
      closing: this.#closing.signal,
      responses: new Map(),
    };
    this.#webSockets = new WebSocketSide(this.#context);
    this.#server = new LocalServer(options, {
      http: (req, res) => void this.#serve(req, res),
      upgrade: (req, socket, head) => void this.#webSockets.upgrade(req, socket, head),
    });
  }

  get url(): string {
    return this.#server.url;
  }

  get baseUrl(): string {
    return this.#server.baseUrl;
  }

  get port(): number {
    return this.#server.port;
  }

  get requests(): readonly RecordedRequest[] {
    return this.#context.recorder.requests.filter((request) => request.view !== undefined);
  }

  async listen(): Promise<void> {
    await this.#server.listen();
  }

  expect(expectation: number | Expectation): void {
    this.#expectations.add(expectation);
  }

  expectInOrder(matches: readonly Match[]): void {
    this.#expectations.addOrder(matches);
  }

  forgetExpectations(): void {
    this.#expectations.clear();
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

  async close(): Promise<void> {
    this.#closing.abort();
    this.#webSockets.close();
    await this.#server.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#expectations.freeze();
    await this.close();
    this.verify();
  }

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    try {
      await new Exchange(this.#context, req, res).run();
    } catch (error) {
      // A bug of the mock or of a scenario function: told to the client, or the connection is dropped.
      if (res.headersSent) res.destroy();
      else {
        const body = protocolOf(req).errorBody({ message: String(error), type: 'server_error', status: 500 });
        res.writeHead(500, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      }
    }
  }
}

/** A fault that cannot show on the only wire there is would be a test that tests nothing. */
function refuseForeignFaults(faults: readonly Fault[], wire: ProtocolId | undefined): void {
  for (const { spec } of faults) {
    if (wire === undefined || showsOn(spec.wires, wire)) continue;
    throw new MockUsageError(`fault ${spec.name} exists on: ${spec.wires.join(', ')}; not on ${wire}`);
  }
}
