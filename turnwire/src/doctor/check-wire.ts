import { wrongWireError } from '@turnwire/wire/internal/wrong-wire';
import type { Finding } from './finding.ts';
import type { Sample } from './sample.ts';

/** That an answer is of another wire than the request, as its first event tells: there is no more to say of it. */
export function checkWire({ reading, wire }: Sample): readonly Finding[] {
  const first = reading.events.find(({ json }) => json !== undefined)?.json;
  const wrong = first === undefined ? undefined : wrongWireError(first, wire);
  return wrong === undefined ? [] : [{ quirk: 'wrong-wire', seen: wrong.message }];
}
