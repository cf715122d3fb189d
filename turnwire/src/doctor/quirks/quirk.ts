import type { Repair } from '@turnwire/wire/internal/repairs';

/** `broken`: a known client loses, misreads or never gets the answer. `odd`: allowed or harmless, but worth knowing. */
export type QuirkLevel = 'broken' | 'odd';

/** What a server may do, and what it means: one row of the table that the report is made of. */
export interface Quirk {
  readonly level: QuirkLevel;
  /** What a server should do instead, or why this is allowed. */
  readonly right: string;
  /** Who stumbles over it, and how. */
  readonly stumbles: readonly string[];
  /** What turnwire does about it: an option of the client, a heal of the bridge. */
  readonly answer: string;
  /** What the server's maker could change. */
  readonly mend: string;
  /** Under which names the bridge counts what it makes good; absent where that has no name. */
  readonly repairs?: readonly Repair[];
  /** Set where it is no fault of the wire: the model did not do what it was asked, or the server does not offer it. */
  readonly outcome?: 'model' | 'not-offered';
}

/** What is different about a quirk on one wire; what is absent is as everywhere. */
export interface QuirkOnWire extends Partial<Pick<Quirk, 'level' | 'right'>> {
  readonly stumbles: readonly string[];
}

/** Quirks by name; a fault of the mock and what the doctor sees of it have the same name. */
export type QuirkTable = Readonly<Record<string, Quirk>>;

type More = Pick<Quirk, 'repairs' | 'outcome'>;

export function broken(
  right: string,
  stumbles: readonly string[],
  answer: string,
  mend: string,
  more: More = {},
): Quirk {
  return { level: 'broken', right, stumbles, answer, mend, ...more };
}

export function odd(right: string, stumbles: readonly string[], answer: string, mend: string, more: More = {}): Quirk {
  return { level: 'odd', right, stumbles, answer, mend, ...more };
}
