import type { Quirk, QuirkTable } from './quirks/quirk.ts';
import { chatQuirks } from './quirks/chat.ts';
import { dialectQuirks } from './quirks/dialects.ts';
import { endingQuirks } from './quirks/ending.ts';
import { errorQuirks } from './quirks/errors.ts';
import { framingQuirks } from './quirks/framing.ts';
import { messagesQuirks } from './quirks/messages.ts';
import { responsesDialectQuirks } from './quirks/responses-dialects.ts';
import { responsesQuirks } from './quirks/responses.ts';
import { transportQuirks } from './quirks/transport.ts';

/** Everything that the doctor can find, by name. */
export const quirks: QuirkTable = {
  ...endingQuirks,
  ...framingQuirks,
  ...chatQuirks,
  ...errorQuirks,
  ...responsesQuirks,
  ...messagesQuirks,
  ...responsesDialectQuirks,
  ...transportQuirks,
  ...dialectQuirks,
};

/** The row of a quirk. Throws for a name that no check may use: a bug of a check. */
export function quirkOf(name: string): Quirk {
  const quirk = quirks[name];
  if (quirk === undefined) throw new TypeError(`no quirk ${name}`);
  return quirk;
}
