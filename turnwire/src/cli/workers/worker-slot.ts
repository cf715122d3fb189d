import { fork } from 'node:child_process';
import { once } from 'node:events';
import { extname, join } from 'node:path';
import type { Logger } from 'pino';
import type { Primary } from '@turnwire/bridge/internal/workers/primary';
import { systemClock } from '@turnwire/client/internal/platform/system-clock';
import { wait } from '@turnwire/client/internal/platform/wait';
import { WORKER_VARIABLE, type CliContext } from '../context.ts';
import { portTo } from '../process-port.ts';

/** The pause before a worker is started again; it doubles with each that ends soon. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;
/** A worker that ran for so long was a good one. */
const GOOD_MS = 60_000;
/** So many in a row that were none, and no more is started. */
const MOST_IN_A_ROW = 10;

const MAIN = join(import.meta.dirname, '..', `main${extname(import.meta.filename)}`);

export interface SlotOptions {
  readonly primary: Primary;
  readonly cli: Pick<CliContext, 'args' | 'env'>;
  /** What was read from stdin, for workers to read it, too. */
  readonly stdin: string;
  readonly log: Logger;
  /** Fires when no more are to be started. */
  readonly closing: AbortSignal;
}

/** The place of one worker: a process, and when that ends another one. */
export class WorkerSlot {
  readonly #options: SlotOptions;
  readonly #started = Promise.withResolvers<undefined>();
  #kill = (): void => undefined;

  constructor(options: SlotOptions) {
    this.#options = options;
  }

  /** Settles when the first process serves. */
  get started(): Promise<undefined> {
    return this.#started.promise;
  }

  /**
   * Keeps a process running. Settles with the exit code of the last one: of the first, when it has never served; of one that was told
   * to close; or of one too many that ended soon.
   */
  async run(): Promise<number> {
    const { log, closing, primary } = this.#options;
    for (let soon = 1; ; soon++) {
      const began = systemClock.now();
      const { code, signal, served } = await this.#runOne();
      if (closing.aborted || (!served && soon === 1)) return code ?? 1;
      if (systemClock.now() - began >= GOOD_MS) soon = 1;
      if (soon >= MOST_IN_A_ROW) {
        log.error({ code, signal, times: soon }, 'workers end again and again: this one is not started any more');
        return code ?? 1;
      }
      const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (soon - 1), LONGEST_PAUSE_MS);
      log.warn(
        { code, signal, pause_ms: pauseMs },
        'a worker has ended, and its streams with it: another one is started',
      );
      if (await this.#isClosingIn(pauseMs)) return code ?? 1;
      primary.restarted();
    }
  }

  async #isClosingIn(ms: number): Promise<boolean> {
    const { closing } = this.#options;
    await wait(systemClock, ms, closing);
    return closing.aborted;
  }

  /** Ends a process that has not ended by itself. */
  kill(): void {
    this.#kill();
  }

  async #runOne() {
    const { cli, primary, stdin } = this.#options;
    const child = fork(MAIN, ['bridge', ...cli.args.slice(1)], {
      env: { ...cli.env, [WORKER_VARIABLE]: '1' },
      stdio: ['pipe', 'ignore', 'inherit', 'ipc'],
    });
    child.stdin?.on('error', () => undefined).end(stdin); // it may end before it has read it
    this.#kill = () => void child.kill('SIGKILL');
    const exit = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
    const member = primary.join(portTo(child));
    const serves = member.started.then(() => this.#started.resolve(undefined));
    const served = await Promise.race([serves.then(() => true), exit.then(() => false)]);
    const [code, signal] = await exit;
    primary.leave(member);
    return { code, signal, served };
  }
}
