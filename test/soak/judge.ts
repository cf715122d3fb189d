import type { Seen } from './client.ts';
import type { Disturbed } from './disturber.ts';
import type { Plan } from './plan.ts';
import { callsOf, isLossy, textOf } from './script.ts';

/** Faults by which the letters of an answer differ: the mock garbles what it sends, or says more than the script (`think-tags`). */
const GARBLED = /^(?:invalid-utf8|malformed-item|unknown-events|tool-args-invalid|beside-text|think-tags)/;

/** How a request ends that needs a store which does not answer. */
const OF_STORE = /:(?:store_unavailable|previous_response_not_found|not_found)$/;

/**
 * What is wrong with what a client saw; undefined where all is well.
 *
 * @param turn which turn of its conversation it is
 * @param disturbed what died or hung while it was asked
 */
export function verdictOn({ asked }: Plan, seen: Seen, turn: number, disturbed: Disturbed): string | undefined {
  const garbled = GARBLED.test(asked.fault);
  if (seen.problems.length > 0 && !garbled) return seen.problems.join('; ');
  const text = textOf(asked, turn);
  if (seen.end === 'no end') return 'the answer has no end';
  if (seen.end !== 'completed') {
    const ofStore = disturbed.store && OF_STORE.test(seen.end);
    const mayFail =
      seen.end === 'left' || seen.unlucky === true || disturbed.servers || ofStore || isLossy(asked.fault);
    if (!mayFail) return `it ended as ${seen.end}, which its fault does not explain`;
    return garbled || text.startsWith(seen.text) ? undefined : differ('the text so far', seen.text, text);
  }
  if (garbled || isLossy(asked.fault)) return undefined;
  if (seen.text !== text) return differ('the text', seen.text, text);
  const calls = [JSON.stringify(seen.calls), JSON.stringify(callsOf(asked))] as const;
  return calls[0] === calls[1] ? undefined : differ('the calls', ...calls);
}

function differ(what: string, got: string, wanted: string): string {
  return `${what} is\n  ${JSON.stringify(got)}\nand not\n  ${JSON.stringify(wanted)}`;
}
