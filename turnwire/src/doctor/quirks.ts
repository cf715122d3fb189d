import type { ProbeWire } from './wires.ts';
import { wasTried } from './quirks/clients.ts';
import type { Quirk, QuirkOnWire, QuirkTable } from './quirks/quirk.ts';
import { chatQuirks } from './quirks/chat.ts';
import { dialectQuirks } from './quirks/dialects.ts';
import { endingQuirks } from './quirks/ending.ts';
import { errorQuirks } from './quirks/errors.ts';
import { framingQuirks } from './quirks/framing.ts';
import { messagesQuirks } from './quirks/messages.ts';
import { onMessages } from './quirks/on-messages.ts';
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

/** What is different on a wire whose clients are others. */
const onWires: Readonly<Partial<Record<ProbeWire, Readonly<Record<string, QuirkOnWire>>>>> = { messages: onMessages };

/**
 * The row of a quirk, as it is on a wire: what was seen of clients on another wire is left out. Throws for a name that no
 * check may use: a bug of a check.
 */
export function quirkOn(name: string, wire: ProbeWire): Quirk {
  const quirk = quirks[name];
  if (quirk === undefined) throw new TypeError(`no quirk ${name}`);
  const own = onWires[wire];
  if (own === undefined || messagesQuirks[name] !== undefined) return quirk;
  return { ...quirk, stumbles: quirk.stumbles.filter((stumble) => !wasTried(stumble)), ...own[name] };
}
