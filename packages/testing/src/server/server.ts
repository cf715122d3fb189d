import type { IncomingMessage } from 'node:http';
import { defaultScenario } from '../scenario/default.ts';
import { MockUsageError } from '../errors.ts';
import { LocalServer } from './local-server.ts';
import { MockState } from './mock-state.ts';
import type { MockTest } from './mock-test.ts';
import type { MockOptions } from './options.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { toScenario } from '../load/scenario-input.ts';

/** A running mock server, which is also a test of its own for whoever runs no others beside it. */
export interface MockServer extends MockTest, AsyncDisposable {
  readonly port: number;
  /**
   * What one of several tests that share this server has to itself: it begins as the server did. The name is a piece of its
   * address: `http://127.0.0.1:41234/__test/NAME/v1`. Throws `MockUsageError` for a name with other characters than letters,
   * digits, `.`, `_` and `-`, and beyond {@link MOST_TESTS}.
   */
  test(name: string): MockTest;
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

/** Tests that may share one server. */
export const MOST_TESTS = 1000;

const TEST_PATH = /^\/__test\/([\w.-]{1,100})(?=[/?]|$)/;

class Mock extends MockState implements MockServer {
  readonly #server: LocalServer;
  readonly #begin: (address: () => string) => MockState;
  readonly #closing: AbortController;
  readonly #tests = new Map<string, MockState>();

  constructor(options: MockOptions, scenario: Scenario) {
    const closing = new AbortController();
    super({ options, scenario, closing: closing.signal, address: () => this.#server.url });
    this.#begin = (address) => new MockState({ options, scenario, closing: closing.signal, address });
    this.#closing = closing;
    this.#server = new LocalServer(options, {
      http: (req, res) => void this.#stateFor(req).serve(req, res),
      upgrade: (req, socket, head) => void this.#stateFor(req).upgrade(req, socket, head),
    });
  }

  get port(): number {
    return this.#server.port;
  }

  test(name: string): MockState {
    const known = this.#tests.get(name);
    if (known !== undefined) return known;
    const path = `/__test/${name}`;
    if (TEST_PATH.exec(path)?.[0] !== path) throw new MockUsageError(`"${name}" is no name for a test: ${names}`);
    if (this.#tests.size >= MOST_TESTS) throw new MockUsageError(`this mock has ${MOST_TESTS} tests already`);
    const state = this.#begin(() => this.#server.url + path);
    this.#tests.set(name, state);
    return state;
  }

  async listen(): Promise<void> {
    await this.#server.listen();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    for (const state of [this, ...this.#tests.values()]) state.dropSockets();
    await this.#server.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const states = [this, ...this.#tests.values()];
    for (const state of states) state.freeze();
    await this.close();
    for (const state of states) state.verify();
  }

  /** Whose request it is; its address is then read without the name of the test. */
  #stateFor(req: IncomingMessage): MockState {
    const [path, name] = TEST_PATH.exec(req.url ?? '') ?? [];
    if (path === undefined || name === undefined) return this;
    if (!this.#tests.has(name) && this.#tests.size >= MOST_TESTS) return this;
    req.url = (req.url ?? '').slice(path.length).replace(/^(?!\/)/, '/');
    return this.test(name);
  }
}

const names = 'letters, digits, ".", "_" and "-" make one, up to 100 of them';
