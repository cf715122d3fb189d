import { askAnswer } from './ask.ts';
import { canAsk } from './ask-line.ts';
import type { CliContext } from './context.ts';
import { TrustStore, type TrustedFile, type TrustState } from './trust-store.ts';

/** Something that came with a folder, for the person who decides. */
export interface TrustSubject extends TrustedFile {
  /** All that it would do; empty: nothing, so there is nothing to decide. `undefined`: more than can be asked about. */
  readonly describe: () => string | undefined;
  readonly question: (what: string, why: string) => string;
  /** One line, when it is not used. */
  readonly note: (why: string, isTooLong: boolean) => string;
}

export type TrustDecision =
  | { readonly isTrusted: true; readonly notes: readonly string[] }
  | {
      readonly isTrusted: false;
      /** What the person has not been told yet, one line each. Who said no needs no note of it. */
      readonly notes: readonly string[];
      /** Why it is not used, in one line. */
      readonly note: string;
    };

const trusted: TrustDecision = { isTrusted: true, notes: [] };

/**
 * Whether something that came with a folder may be used: it was trusted as it is, or the person says yes now.
 *
 * @throws ModelError of kind `aborted` for Ctrl-C at the question
 */
export async function decideTrust(subject: TrustSubject, cli: CliContext): Promise<TrustDecision> {
  const store = new TrustStore(cli);
  const state = await store.stateOf(subject);
  if (state === 'trusted') return trusted;
  const what = subject.describe();
  if (what === '') return trusted;
  const note = subject.note(ignoredWhy[state], what === undefined);
  if (what === undefined || !canAsk(cli)) return { isTrusted: false, notes: [note], note };
  const answer = await askAnswer(cli, subject.question(what, askedWhy[state]));
  if (!['y', 'yes'].includes(answer.toLowerCase())) return { isTrusted: false, notes: [], note };
  const problem = await store.trust(subject);
  return problem === undefined ? trusted : { isTrusted: true, notes: [`the answer is not kept: ${problem}`] };
}

type Untrusted = Exclude<TrustState, 'trusted'>;

const askedWhy: Readonly<Record<Untrusted, string>> = {
  changed: 'has changed since you said yes to it',
  unknown: 'came with this folder, not from you',
};

const ignoredWhy: Readonly<Record<Untrusted, string>> = {
  changed: 'it has changed since you said yes to it',
  unknown: 'this folder is not trusted',
};
