import { createInterface } from 'node:readline/promises';
import { ReadStream } from 'node:tty';
import { nextTurn } from '@turnwire/client/internal/platform/wait';
import type { CliContext, InputStream } from './context.ts';
import { rawStream } from './output.ts';

export interface AskOptions {
  /** When it aborts, the question is taken away and the promise rejects. */
  readonly signal?: AbortSignal;
  /** Ctrl-C at the question; the answer is then empty. */
  readonly onInterrupt: () => void;
}

/** Whatever was printed before (by a tool that has the terminal too, say): a question is never invisible. */
const RESET = '\x1b[0m';

/** Is there a person at a terminal who can read stderr and answer? */
export function canAsk(cli: CliContext): boolean {
  return cli.stdin.isTTY === true && cli.stderr.isTTY === true && !cli.stdin.readableEnded;
}

/** Asks on stderr and reads one line of the terminal. The end of the input is an empty answer. What is asked is clean. */
export async function askLine(cli: CliContext, question: string, { signal, onInterrupt }: AskOptions): Promise<string> {
  await dropTypedAhead(cli.stdin);
  if (cli.stdin.readableEnded) return '';
  const terminal = rawStream(cli.stderr);
  // Line editing draws its prompt again and again: a long one would be drawn over itself on a small screen.
  const lineStart = question.lastIndexOf('\n') + 1;
  terminal.write(`${RESET}${question.slice(0, lineStart)}`);
  const lines = createInterface({ input: cli.stdin, output: terminal });
  const ended = Promise.withResolvers<string>();
  // The terminal is in raw mode while a question stands: no signal comes from it.
  lines.on('close', () => ended.resolve(''));
  lines.on('SIGINT', () => {
    onInterrupt();
    lines.close();
  });
  try {
    const answer = lines.question(question.slice(lineStart), signal === undefined ? {} : { signal });
    return await Promise.race([answer, ended.promise]);
  } finally {
    lines.close();
  }
}

/**
 * A line that was typed before the question stood there answers something else: a question that a model drew, say. What
 * waits in the terminal is read within one round of the event loop.
 */
async function dropTypedAhead(stdin: InputStream): Promise<void> {
  if (!(stdin instanceof ReadStream)) return;
  const drop = (): void => undefined;
  stdin.on('data', drop).resume();
  for (let round = 0; round < 3; round += 1) await nextTurn();
  stdin.off('data', drop).pause();
}
