import { ModelError } from '@turnwire/wire/internal/model/errors';
import { askLine } from './ask-line.ts';
import type { CliContext } from './context.ts';

/**
 * A question that an empty line says yes to.
 *
 * @throws as {@link askAnswer}
 */
export async function askYes(cli: CliContext, question: string): Promise<boolean> {
  const answer = await askAnswer(cli, `${question} [Y/n] `);
  return ['', 'y', 'yes'].includes(answer.toLowerCase());
}

/**
 * One of several, by its number; asks again until it is one. The end of the input is an interrupt: there is no default.
 *
 * @throws as {@link askAnswer}
 */
export async function askWhich<T>(
  cli: CliContext,
  intro: string,
  choices: readonly T[],
  describe: (choice: T) => string,
): Promise<T> {
  const lines = choices.map((choice, at) => `  ${at + 1}  ${describe(choice)}\n`);
  let question = `${intro}\n${lines.join('')}Which one? `;
  for (;;) {
    const answer = await askAnswer(cli, question);
    const chosen = /^\d+$/.test(answer) ? choices[Number(answer) - 1] : undefined;
    if (chosen !== undefined) return chosen;
    if (answer === '' && cli.stdin.readableEnded) throw interrupted();
    question = `A number from 1 to ${choices.length}: `;
  }
}

/**
 * The line that a person answers with, without the blanks around it; empty at the end of the input.
 *
 * @throws ModelError of kind `aborted` for Ctrl-C
 */
export async function askAnswer(cli: CliContext, question: string): Promise<string> {
  const stop = new AbortController();
  const answer = await askLine(cli, question, { onInterrupt: () => stop.abort() });
  if (stop.signal.aborted) throw interrupted();
  return answer.trim();
}

function interrupted(): ModelError {
  return new ModelError({ kind: 'aborted', message: 'interrupted' });
}
