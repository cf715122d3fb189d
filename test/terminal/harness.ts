import { onTestFinished } from 'vitest';
import { Agent, type AgentTool, type Elicitor } from '../../packages/agent/src/index.ts';
import type { Clock } from '../../packages/wire/src/base/clock.ts';
import { ChatApp, type ChatBackend, type ChatEnd } from '../../turnwire/src/terminal/index.ts';
import { systemClock } from '../../packages/client/src/platform/system-clock.ts';
import { ScriptedModel, type Step } from '../agent/scripted-model.ts';
import { VirtualTerminal } from './virtual-terminal.ts';

/** Longer than the chat waits for more after Enter. */
const BURST_MS = 20;
const BEGUN_MS = 200;

export const keys = {
  enter: '\r',
  escape: '\x1b',
  up: '\x1b[A',
  down: '\x1b[B',
  newLine: '\n',
  tab: '\t',
  ctrlC: '\x03',
  ctrlD: '\x04',
  ctrlO: '\x0f',
  ctrlT: '\x14',
} as const;

/** Nobody is there to be asked. */
export const noElicitor: Elicitor = { modes: [], ask: () => Promise.resolve({ action: 'cancel' }) };

/** The system's clock, and a way to let time pass at once. */
export class TestClock implements Clock {
  #ahead = 0;
  readonly #timers = new Set<{ readonly at: number; readonly fire: () => void }>();

  now(): number {
    return systemClock.now() + this.#ahead;
  }

  after(ms: number, callback: () => void): { cancel(): void } {
    const real = systemClock.after(ms, () => timer.fire());
    const cancel = (): void => {
      real.cancel();
      this.#timers.delete(timer);
    };
    const fire = (): void => {
      cancel();
      callback();
    };
    const timer = { at: this.now() + ms, fire };
    this.#timers.add(timer);
    return { cancel };
  }

  pass(ms: number): void {
    this.#ahead += ms;
    for (const timer of [...this.#timers].sort((a, b) => a.at - b.at)) if (timer.at <= this.now()) timer.fire();
  }
}

export interface ChatSetup {
  readonly columns?: number;
  readonly rows?: number;
  /** What the terminal does with lines when it becomes narrower. */
  readonly reflow?: 'breaks' | 'cuts';
  /** The terminal tells its size when it is asked. Default false. */
  readonly tellsSize?: boolean;
  readonly tools?: readonly AgentTool[];
  readonly backend?: Partial<ChatBackend>;
  readonly before?: string;
  readonly colour?: boolean;
  readonly links?: boolean;
  /** What is in the clipboard. */
  readonly clipboardImage?: () => Promise<string | undefined>;
  /** Instead of a pager. */
  readonly page?: (text: string) => Promise<void>;
  /** What comes first of all. */
  readonly typedBefore?: string;
  /** Stands in the status line once the chat is open. */
  readonly ready?: string;
}

export interface RunningChat {
  readonly app: ChatApp;
  readonly terminal: VirtualTerminal;
  readonly model: ScriptedModel;
  readonly agents: readonly Agent[];
  readonly clock: TestClock;
  readonly end: Promise<ChatEnd>;
  /** Types a line and sends it. */
  say(text: string): void;
  /** Waits until the turn is over and drawn. */
  idle(): Promise<void>;
}

/** A chat on a virtual terminal, with a model that plays scripts. */
export async function startChat(scripts: readonly Step[][], setup: ChatSetup = {}): Promise<RunningChat> {
  const terminal = new VirtualTerminal(setup.columns, setup.rows, setup.reflow, setup.tellsSize);
  if (setup.before !== undefined) await terminal.prefill(setup.before);
  const model = new ScriptedModel(...scripts);
  const agents: Agent[] = [];
  const clock = new TestClock();
  const backend: ChatBackend = {
    open: (_what, approver, elicitor) => {
      const agent = new Agent({ model, tools: setup.tools ?? [], approver, elicitor });
      agents.push(agent);
      return Promise.resolve({ agent, notes: [] });
    },
    openProvider: (name) => Promise.resolve({ name, port: model, model: `${name}-model` }),
    models: () => Promise.resolve([]),
    runCommand: (command) => Promise.resolve({ output: `exit code 0\nran ${command}`, ok: true, exitCode: 0 }),
    providers: () => Promise.resolve(['one', 'two']),
    threads: () => Promise.resolve([]),
    provider: 'test',
    model: 'tiny',
    cwd: import.meta.dirname,
    greeting: [],
    ...setup.backend,
  };
  const { page, clipboardImage } = setup;
  const app = new ChatApp({
    terminal,
    backend,
    clock,
    colour: setup.colour ?? true,
    links: setup.links ?? false,
    ...(clipboardImage && { clipboardImage }),
    ...(page && { page }),
  });
  const end = app.run();
  if (setup.typedBefore !== undefined) terminal.type(setup.typedBefore);
  onTestFinished(async () => {
    app.leave('done');
    await end;
  });
  await terminal.until(setup.ready ?? 'tiny at test');
  // What is typed from now on was not typed before the chat began.
  clock.pass(BEGUN_MS);
  return {
    app,
    terminal,
    model,
    agents,
    clock,
    end,
    say(text) {
      terminal.type(text);
      terminal.press(keys.enter);
      // No more comes at once: it was no paste.
      clock.pass(BURST_MS);
    },
    async idle() {
      clock.pass(BURST_MS);
      while (app.isBusy || app.view.phase !== 'idle') await new Promise(setImmediate);
      do app.screen.renderNow();
      while (app.isBehind);
      await terminal.parsed();
    },
  };
}

/** Something that a script waits for, and the test lets go. */
export function gate(): { readonly wait: () => Promise<void>; readonly open: () => void } {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  return { wait: () => promise, open: () => resolve(undefined) };
}

/** The rows of the transcript: without blank ones, the status and the input line below it. */
export function transcript(all: readonly string[]): string[] {
  const rows = all.map((row) => row.trimEnd());
  const end = rows.lastIndexOf('›');
  return rows.slice(0, end < 0 ? undefined : end - 1).filter((row) => row !== '');
}
