import { createInterface, type Interface } from 'node:readline';
import { ModelError } from '../model/errors.ts';
import type { Item, OutputItem } from '../model/items.ts';
import { isAssistantMessage } from '../model/items.ts';
import { AnswerText } from './answer-text.ts';
import type { CommandScope } from './command-scope.ts';
import { describeFailure, exitCode } from './exit.ts';
import type { OpenModel } from './model.ts';
import { describeRetry } from './retry-text.ts';

export interface ChatScope extends Pick<CommandScope, 'cli' | 'out'> {
  readonly model: OpenModel;
  readonly instructions: string | undefined;
}

/**
 * A line-based chat that keeps the conversation. Ctrl-C interrupts an answer and keeps what was said; twice without
 * a line in between leaves with 130. The end of input (Ctrl-D) leaves with 0.
 */
export async function chatOnTerminal(scope: ChatScope): Promise<number> {
  const { cli } = scope;
  const terminal = createInterface({ input: cli.stdin, output: cli.stdout, prompt: '> ', historySize: 1000 });
  const interrupts = new Interrupts(terminal, scope);
  const history: Item[] = [];
  try {
    terminal.prompt();
    // Lines typed during an answer wait inside readline: a person types them, so they are few.
    for await (const line of terminal) {
      interrupts.forget();
      if (line.trim() === '/exit') break;
      if (line.trim() !== '') await answer(line, history, scope, interrupts.arm());
      interrupts.disarm();
      if (interrupts.leaving) break;
      // The end of input may have come during the answer; lines before it are still answered.
      if (!interrupts.closed) terminal.prompt();
    }
    return interrupts.leaving ? exitCode.interrupted : exitCode.done;
  } finally {
    interrupts.stop();
    terminal.close();
  }
}

/** Counts Ctrl-C: the first stops the answer, the second leaves. */
class Interrupts {
  /** The second Ctrl-C came. */
  leaving = false;
  /** The terminal takes no more lines. */
  closed = false;
  #strikes = 0;
  #answer: AbortController | undefined;
  readonly #terminal: Interface;
  readonly #scope: ChatScope;
  readonly #stopListening: () => void;

  constructor(terminal: Interface, scope: ChatScope) {
    this.#terminal = terminal;
    this.#scope = scope;
    // A terminal in raw mode sends a key, `kill -INT` a signal.
    terminal.on('SIGINT', this.#strike);
    terminal.once('close', () => (this.closed = true));
    this.#stopListening = scope.cli.onSignal('SIGINT', this.#strike);
  }

  /** A new answer begins; the signal stops it. */
  arm(): AbortSignal {
    this.#answer = new AbortController();
    return this.#answer.signal;
  }

  disarm(): void {
    this.#answer = undefined;
  }

  /** A line was typed: what was pressed before it no longer counts. */
  forget(): void {
    this.#strikes = 0;
  }

  stop(): void {
    this.#terminal.off('SIGINT', this.#strike);
    this.#stopListening();
  }

  readonly #strike = (): void => {
    this.#strikes++;
    this.#answer?.abort();
    if (this.#strikes > 1) {
      this.leaving = true;
      this.#terminal.close();
      return;
    }
    this.#scope.cli.stderr.write('\n(Ctrl-C again to leave)\n');
    if (this.#answer === undefined) this.#terminal.prompt();
  };
}

async function answer(line: string, history: Item[], scope: ChatScope, signal: AbortSignal): Promise<void> {
  const { cli, out, model, instructions } = scope;
  const prompt: Item = { type: 'message', role: 'user', content: line };
  const request = { input: [...history, prompt], ...(instructions === undefined ? {} : { instructions }) };
  const text = new AnswerText();
  const items: OutputItem[] = [];
  try {
    const options = { signal: AbortSignal.any([signal, out.closed]) };
    for await (const events of model.agentModel.openTurn().stream(request, options)) {
      await out.write(events.map((event) => text.take(event)).join(''));
      for (const event of events) {
        if (event.type === 'output_item.done') items.push(event.item);
        if (event.type !== 'retrying') continue;
        cli.stderr.write(`${describeRetry(event)}\n`);
        dropVoid(items, event.discarded_item_ids);
      }
    }
    history.push(prompt, ...items);
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    if (signal.aborted) history.push(prompt, ...items.filter(isAssistantMessage));
    else cli.stderr.write(`${describeFailure(error)}\n`);
  } finally {
    await out.write(text.finish());
  }
}

function dropVoid(items: OutputItem[], ids: readonly string[]): void {
  const kept = items.filter((item) => typeof item.id !== 'string' || !ids.includes(item.id));
  items.splice(0, items.length, ...kept);
}
