import process from 'node:process';
import { systemClock } from '@turnwire/client/internal/platform/system-clock';
import type { Timer } from '@turnwire/wire/internal/base/clock';
import type { CliContext } from './context.ts';

/** Who has the terminal while the process runs. */
export interface TerminalOwner {
  /** Gives it to the shell, as it was, once nothing that was asked of it can come any more. */
  suspend(): Promise<void>;
  /** Takes it again. */
  resume(): void;
}

/** A process that nobody can wake does not stop: the kernel leaves it out (POSIX, orphaned process groups). */
const STOPPED_MS = 200;
/** The timer and the signal both tell that the process goes on: how long behind the timer the signal may come. */
const SIGNAL_MS = 100;

/**
 * Ctrl-Z, `fg` and the signals behind them. A process that is stopped by `SIGSTOP` has no say in it: it finds the terminal as the
 * shell left it when it goes on.
 */
export class JobControl {
  readonly #cli: CliContext;
  readonly #owner: TerminalOwner;
  readonly #offContinue: () => void;
  #offStop: () => void = () => undefined;
  #isSuspending = false;
  #stopping: Timer | undefined;
  /** Until then the next signal tells what the timer has told already. */
  #toldUntil = -Infinity;

  constructor(cli: CliContext, owner: TerminalOwner) {
    this.#cli = cli;
    this.#owner = owner;
    this.#offContinue = cli.onSignal('SIGCONT', () => this.#onContinue());
    this.#listen();
  }

  /** Stops the processes of the job, this one among them, as Ctrl-Z does in a terminal that is not raw. */
  stop(): void {
    // No jobs there.
    if (process.platform === 'win32' || this.#isSuspending || this.#stopping !== undefined) return;
    this.#isSuspending = true;
    void this.#owner.suspend().then(() => this.#stopNow());
  }

  close(): void {
    this.#isSuspending = false;
    this.#offContinue();
    this.#offStop();
    this.#stopping?.cancel();
  }

  #stopNow(): void {
    // Else it was closed meanwhile.
    if (!this.#isSuspending) return;
    this.#isSuspending = false;
    // Without a listener the signal does what it does by itself.
    this.#offStop();
    this.#stopping = systemClock.after(STOPPED_MS, () => {
      this.#toldUntil = systemClock.now() + SIGNAL_MS;
      this.#resume();
    });
    process.kill(0, 'SIGTSTP');
  }

  #listen(): void {
    this.#offStop = this.#cli.onSignal('SIGTSTP', () => this.stop());
  }

  #onContinue(): void {
    const isTold = systemClock.now() < this.#toldUntil;
    this.#toldUntil = -Infinity;
    if (!isTold) this.#resume();
  }

  #resume(): void {
    if (this.#stopping !== undefined) this.#listen();
    this.#stopping?.cancel();
    this.#stopping = undefined;
    this.#owner.resume();
  }
}
