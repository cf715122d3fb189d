import { createInterface } from 'node:readline/promises';
import { setImmediate } from 'node:timers/promises';
import type { ApprovalDecision, ApprovalRequest, Approver } from '../agent/index.ts';
import { visible, visibleLines } from '../base/printable.ts';
import { shownDiff } from '../agent/patch/diff.ts';
import type { CliContext } from './context.ts';
import { rawStream } from './output.ts';

/**
 * Asks on stderr and reads the answer from the terminal; `undefined` where there is none. Ctrl-C at the question calls
 * `interrupt`, the end of the input is a no.
 */
export function createTerminalApprover(cli: CliContext, interrupt: () => void): Approver | undefined {
  if (cli.stdin.isTTY !== true || cli.stderr.isTTY !== true) return undefined;
  return async (request, { signal }) => {
    await setImmediate(); // What happened before the question is printed before it.
    const lines = createInterface({ input: cli.stdin, output: rawStream(cli.stderr) });
    const ended = Promise.withResolvers<string>();
    // The terminal is in raw mode while a question stands: no signal comes from it.
    lines.on('close', () => ended.resolve(''));
    lines.on('SIGINT', () => {
      interrupt();
      lines.close();
    });
    try {
      return decisionOf(await Promise.race([lines.question(questionFor(request), { signal }), ended.promise]));
    } finally {
      lines.close();
    }
  };
}

/** Whatever was printed before (by a tool that has the terminal too, say): a question is never invisible. */
const RESET = '\x1b[0m';

function questionFor(request: ApprovalRequest): string {
  const diffs = (request.changes ?? []).map((change) => shownDiff(change.diff)).join('');
  const what = `${visible(request.name)}: ${visible(request.title)}\n${visibleLines(diffs)}${visible(request.reason)}`;
  return `${RESET}\n${what}\nRun it? [y]es, yes for this [s]ession, [n]o, or say why not: `;
}

/** Anything but a clear yes is a no; more than a word is the reason. */
function decisionOf(answer: string): ApprovalDecision {
  const word = answer.trim().toLowerCase();
  if (word === 'y' || word === 'yes') return { type: 'once' };
  if (word === 's' || word === 'session') return { type: 'session' };
  return word === '' || word === 'n' || word === 'no' ? { type: 'deny' } : { type: 'deny', reason: answer.trim() };
}
