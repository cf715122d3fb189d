import type { ApprovalDecision, ApprovalRequest, Approver } from '@turnwire/agent';
import { visible, visibleLines } from '@turnwire/wire/internal/base/printable';
import { shownDiff } from '@turnwire/agent/internal/patch/diff';
import { nextTurn } from '@turnwire/client/internal/platform/wait';
import { askLine, canAsk } from './ask-line.ts';
import type { CliContext } from './context.ts';

/**
 * Asks on stderr and reads the answer from the terminal; `undefined` where there is none. Ctrl-C at the question calls
 * `interrupt`, the end of the input is a no.
 */
export function createTerminalApprover(cli: CliContext, interrupt: () => void): Approver | undefined {
  if (!canAsk(cli)) return undefined;
  return async (request, { signal }) => {
    await nextTurn(); // What happened before the question is printed before it.
    return parseDecision(await askLine(cli, questionFor(request), { signal, onInterrupt: interrupt }));
  };
}

function questionFor(request: ApprovalRequest): string {
  const diffs = (request.changes ?? []).map((change) => shownDiff(change.diff)).join('');
  const what = `${visible(request.name)}: ${visible(request.title)}\n${visibleLines(diffs)}${visible(request.reason)}`;
  return `\n${what}\nRun it? [y]es, yes for this [s]ession, [n]o, or say why not: `;
}

/** Anything but a clear yes is a no; more than a word is the reason. */
function parseDecision(answer: string): ApprovalDecision {
  const word = answer.trim().toLowerCase();
  if (word === 'y' || word === 'yes') return { type: 'once' };
  if (word === 's' || word === 'session') return { type: 'session' };
  return word === '' || word === 'n' || word === 'no' ? { type: 'deny' } : { type: 'deny', reason: answer.trim() };
}
