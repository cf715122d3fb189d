import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { createBridge, openStore, type Bridge, type BridgeOptions, type ResponseStore } from '@turnwire/bridge';
import { createHandingListener, urlOf, type Listener } from '@turnwire/bridge/internal/front/listener';
import { isOfServer } from '@turnwire/bridge/internal/store/index';
import { newHopId } from '@turnwire/bridge/internal/upstream/hop';
import { Primary } from '@turnwire/bridge/internal/workers/primary';
import { randomHex } from '@turnwire/client/internal/platform/random';
import { systemClock } from '@turnwire/client/internal/platform/system-clock';
import type { CliContext } from '../context.ts';
import { ServerProblem } from '../exit.ts';
import { WorkerSlot } from './worker-slot.ts';

/** A bridge that listens, of one process or several. */
export interface ServedBridge extends Pick<Bridge, 'url' | 'port' | 'models' | 'reach' | 'close'> {
  readonly inspectUrl?: string | undefined;
  /** Rejects when no process of it runs any more. Absent: it is this process. */
  readonly over?: Promise<never>;
}

/** What the command line says. */
export type WorkerOptions = BridgeOptions & {
  readonly host: string;
  readonly port: number;
  readonly store: string;
  readonly drainTimeoutMs: number;
};

/** How long behind the end of the drain workers may take to end, in milliseconds. */
const END_MS = 5000;

/**
 * A bridge of several processes, which listens and whose workers serve.
 *
 * @param stdin - for each worker to read
 * @throws BridgeOptionsError, or Node's error for a port that cannot be had
 * @throws ServerProblem when a worker ends before it serves: it has said why on stderr
 */
export async function startWorkers(
  count: number,
  options: WorkerOptions,
  cli: CliContext,
  stdin: string,
): Promise<ServedBridge> {
  createBridge(options); // says at once, and once, what cannot be served
  const store = isOfServer(options.store) ? undefined : await openStore(options.store, options.storeLimits);
  const bridge = new ManagedBridge(options, store, await mkdtemp(join(tmpdir(), 'turnwire-workers-')));
  try {
    await bridge.start(count, cli, stdin);
    return bridge;
  } catch (error) {
    await bridge.close();
    throw error;
  }
}

class ManagedBridge implements ServedBridge {
  readonly #options: WorkerOptions;
  readonly #store: ResponseStore | undefined;
  readonly #folder: string;
  readonly #listener: Listener = createHandingListener((socket) => this.#primary?.give(socket));
  readonly #closing = new AbortController();
  readonly #over = Promise.withResolvers<never>();
  #primary: Primary | undefined;
  #slots: readonly WorkerSlot[] = [];
  #ended: Promise<unknown> = Promise.resolve();

  constructor(options: WorkerOptions, store: ResponseStore | undefined, folder: string) {
    this.#options = options;
    this.#store = store;
    this.#folder = folder;
    this.#over.promise.catch(() => undefined); // whoever waits for it is told
  }

  get url(): string {
    return urlOf(this.#options.host, this.port);
  }

  get port(): number {
    return this.#listener.port;
  }

  get over(): Promise<never> {
    return this.#over.promise;
  }

  async start(count: number, cli: CliContext, stdin: string): Promise<void> {
    const { host, port, turnStateKey = randomHex(32), logger: log = pino({ level: 'silent' }) } = this.#options;
    await this.#listener.listen(host, port);
    const identity = { port: this.port, turnStateKey, hop: newHopId() };
    const primary = new Primary({ clock: systemClock, identity, folder: this.#folder, store: this.#store });
    this.#primary = primary;
    const closing = this.#closing.signal;
    this.#slots = Array.from({ length: count }, () => new WorkerSlot({ primary, cli, stdin, log, closing }));
    const ends = this.#slots.map((slot) => slot.run());
    this.#ended = Promise.all(ends).then(() => this.#over.reject(new ServerProblem('no worker runs any more')));
    const failed = Promise.race(ends).then((code) => {
      throw new ServerProblem(`a worker ended with exit code ${code} before it served`);
    });
    await Promise.race([Promise.all(this.#slots.map(({ started }) => started)), failed]);
    primary.open();
    failed.catch(() => undefined); // from here on `over` tells
  }

  /** Empty when no worker tells. */
  reach(): ReturnType<Bridge['reach']> {
    return this.#ask((primary) => primary.ask('reach', null));
  }

  models(): ReturnType<Bridge['models']> {
    return this.#ask((primary) => primary.ask('models', MODELS_MS));
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#listener.stop();
    this.#primary?.close();
    const timer = systemClock.after(this.#options.drainTimeoutMs + END_MS, () => {
      for (const slot of this.#slots) slot.kill();
    });
    await this.#ended;
    timer.cancel();
    await this.#store?.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #ask<T>(ask: (primary: Primary) => Promise<readonly T[]>): Promise<readonly T[]> {
    try {
      return this.#primary === undefined ? [] : await ask(this.#primary);
    } catch {
      return [];
    }
  }
}

/** As long as a bridge of one process waits for them before it says where it listens. */
const MODELS_MS = 1000;
