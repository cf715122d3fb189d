import { protocols } from '@turnwire/wire';
import { isSentinel } from './check-framing.ts';
import { checkWire } from './check-wire.ts';
import { ms, when, type Finding } from './finding.ts';
import type { Sample } from './sample.ts';
import { wireChecks, type Over } from './wire-checks.ts';

/** Close later than this after the last event is late, in milliseconds. */
const LATE_CLOSE = 500;

/** How an answer and its body ended. */
export function checkEnding(sample: Sample): readonly Finding[] {
  if (sample.answer.status !== 200 || sample.body.stream !== true) return [];
  if (/^\s*[{<]/.test(sample.text) || sample.answer.end === 'too-large' || checkWire(sample).length > 0) return [];
  const over = wireChecks[sample.wire].over(sample);
  if (sample.reading.events.length === 0) return checkEmpty(sample);
  return [
    ...(over.at === undefined ? checkUnfinished(sample, over) : checkClose(sample, over)),
    ...checkLastEvent(sample),
  ];
}

function checkEmpty({ answer }: Sample): readonly Finding[] {
  if (answer.end === 'end') return [{ quirk: 'empty-stream', seen: '200, and a body without any event' }];
  return [{ quirk: brokenBy(answer.end), seen: `no event; ${howEnded(answer.end, answer.endMs)}` }];
}

/** No finish and no terminal event came. */
function checkUnfinished(sample: Sample, { sentinel }: Over): readonly Finding[] {
  const { answer, reading } = sample;
  const last = reading.events.at(-1);
  const held = answer.end === 'left';
  if (sentinel === 'bare') {
    const seen = 'DONE without brackets, and no finish_reason';
    return [{ quirk: 'bare-done', seen }, ...when(held, 'bare-done-hold', `${seen}; held open ${ms(sample.stayedMs)}`)];
  }
  const { finish, sentinel: word } = wireChecks[sample.wire];
  if (sentinel === 'bracketed') return [{ quirk: 'no-finish-done', seen: `${word ?? ''}, and no ${finish}` }];
  // It was still on its way when our time was over.
  if (answer.end === 'timeout' && answer.endMs - (last?.ms ?? 0) < LATE_CLOSE) return [];
  if (answer.end !== 'end') {
    return [
      { quirk: brokenBy(answer.end), seen: `${reading.events.length} events; ${howEnded(answer.end, answer.endMs)}` },
    ];
  }
  const inside = last?.whole === false && last.json === undefined;
  return inside
    ? [{ quirk: 'cut-mid-event', seen: `the body ends inside an event: …${last.data.slice(-20)}` }]
    : [{ quirk: 'no-finish-close', seen: 'the body ends in the middle of the answer' }];
}

/** It was over: what became of the body? */
function checkClose(sample: Sample, over: Over): readonly Finding[] {
  const { answer, reading, wire } = sample;
  const last = reading.events.at(-1)?.ms ?? 0;
  const after = answer.endMs - last;
  if (answer.end === 'left' || answer.end === 'idle' || answer.end === 'timeout') return checkHeld(sample, over);
  const word = wireChecks[wire].sentinel;
  const missing = word !== undefined && over.sentinel === 'none' && !over.failed && answer.end === 'end';
  return [
    ...when(over.sentinel === 'bare', 'bare-done', 'the sentinel is DONE without brackets'),
    ...when(missing, 'no-sentinel', `the body ends without ${word ?? ''}`),
    ...when(
      answer.end === 'end' && after > LATE_CLOSE,
      'slow-close',
      `the body ends ${ms(after)} after the last event`,
    ),
    ...when(answer.end === 'cut' || answer.end === 'reset', 'unclean-close', howEnded(answer.end, answer.endMs)),
  ];
}

function checkHeld(sample: Sample, over: Over): readonly Finding[] {
  const { reading, stayedMs, wire } = sample;
  // Whoever leaves at once cannot tell a held connection from one that is about to be closed.
  if (stayedMs < LATE_CLOSE / 2) return [];
  const pulse = reading.comments.filter((at) => at > (over.at?.ms ?? 0) + 1).length > 1;
  const seen = `over after ${ms(over.at?.ms ?? 0)}, then held open ${ms(stayedMs)}`;
  const { sentinel, heldAfterError } = wireChecks[wire];
  const same =
    sentinel !== undefined ? '' : ` (the ${protocols[wire].title} wire has no sentinel: done-then-hold is the same)`;
  if (over.failed) return [{ quirk: heldAfterError, seen }];
  if (pulse) return [{ quirk: 'comment-only-life', seen: `${seen} with comments` }];
  return [{ quirk: over.sentinel === 'none' ? 'finish-then-hold' : 'done-then-hold', seen: seen + same }];
}

function checkLastEvent({ reading, answer }: Sample): readonly Finding[] {
  const last = reading.events.at(-1);
  if (last === undefined || last.whole || !['end', 'left'].includes(answer.end)) return [];
  return when(last.json !== undefined || isSentinel(last), 'no-last-blank-line', 'the last event lacks its blank line');
}

function brokenBy(end: Sample['answer']['end']): string {
  if (end === 'reset') return 'reset-after';
  return end === 'cut' || end === 'refused' ? 'cut-after' : 'stall-after';
}

function howEnded(end: Sample['answer']['end'], after: number): string {
  switch (end) {
    case 'reset':
      return `the connection was reset after ${ms(after)}`;
    case 'cut':
    case 'refused':
      return `the connection was closed without the end of the body after ${ms(after)}`;
    case 'idle':
    case 'timeout':
    case 'left':
    case 'too-large':
    case 'end':
      return `nothing more came until we left after ${ms(after)}`;
  }
}
