import { withoutSequences } from '@turnwire/wire/internal/base/printable';
import { lastStates } from '@turnwire/wire/internal/base/last-states';

const NO_OUTPUT = '(no output)';

/** What the model gets of a command: how it ended, then what it printed, as a terminal would have left it there. */
export function commandText(headline: string, printed: string): string {
  return `${headline}\n${printed === '' ? NO_OUTPUT : lastStates(withoutSequences(printed))}`;
}

/** The first line of a command that ended by itself. */
export function exitHeadline(code: number): string {
  return `exit code ${code}`;
}

/** What a command printed, for people: they are told of its exit code otherwise. */
export function printedOf(output: string, exitCode: number | undefined): string {
  const head = exitCode === undefined ? undefined : `${exitHeadline(exitCode)}\n`;
  if (head === undefined || !output.startsWith(head)) return output;
  const printed = output.slice(head.length);
  return printed === NO_OUTPUT ? '' : printed;
}
