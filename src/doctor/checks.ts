import { checkChat } from './check-chat.ts';
import { checkEnding } from './check-ending.ts';
import { checkFraming } from './check-framing.ts';
import { checkHead } from './check-head.ts';
import { checkResponses } from './check-responses.ts';
import type { Finding } from './finding.ts';
import type { Sample } from './sample.ts';

/** What the events of an answer say. */
export function checkEvents(sample: Sample): readonly Finding[] {
  return sample.wire === 'chat' ? checkChat(sample) : checkResponses(sample);
}

/** Everything that one answer shows. */
export function checkSample(sample: Sample): readonly Finding[] {
  return [...checkHead(sample), ...checkFraming(sample), ...checkEnding(sample), ...checkEvents(sample)];
}
