import { checkEnding } from './check-ending.ts';
import { checkFraming } from './check-framing.ts';
import { checkHead } from './check-head.ts';
import { checkThinkTags } from './check-think-tags.ts';
import { checkWire } from './check-wire.ts';
import type { Finding } from './finding.ts';
import type { Sample } from './sample.ts';
import { wireChecks } from './wire-checks.ts';

/** What the events of an answer say. */
export function checkEvents(sample: Sample): readonly Finding[] {
  const wrong = checkWire(sample);
  return wrong.length > 0 ? wrong : [...wireChecks[sample.wire].check(sample), ...checkThinkTags(sample)];
}

/** Everything that one answer shows. */
export function checkSample(sample: Sample): readonly Finding[] {
  return [...checkHead(sample), ...checkFraming(sample), ...checkEnding(sample), ...checkEvents(sample)];
}
