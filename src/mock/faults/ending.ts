import type { Frame, Step } from '../answer.ts';
import type { FaultSpec } from '../fault.ts';
import { endIndex, isSentinel, isUsageOnly } from '../frames.ts';

const HOLD: Step = { do: 'hold' };

/** Faults of how an answer ends. */
export const endingFaults: readonly FaultSpec[] = [
  {
    name: 'finish-then-hold',
    summary:
      'The answer is finished, no sentinel follows and the socket stays open: WireMock on Windows, and proxies that keep the upstream connection.',
    wires: ['chat', 'responses'],
    create: () => ({ frames: upToEnd, steps: holdInstead }),
  },
  {
    name: 'done-then-hold',
    summary:
      'The whole answer with [DONE] comes and the socket stays open: servers behind keep-alive proxies that never end the chunked body.',
    wires: ['chat', 'responses'],
    create: () => ({ steps: holdInstead }),
  },
  {
    name: 'bare-done',
    summary: 'The sentinel is DONE without brackets: older test stubs and home-made servers.',
    wires: ['chat'],
    create: () => ({ frames: (frames) => frames.map(bareSentinel) }),
  },
  {
    name: 'bare-done-hold',
    summary:
      'No finish_reason, then a bare DONE, and the socket stays open: the test stub with which this project began.',
    wires: ['chat'],
    create: () => ({ frames: (frames) => withoutFinish(frames).map(bareSentinel), steps: holdInstead }),
  },
  {
    name: 'no-sentinel',
    summary: 'The body ends after the finish without [DONE]: Azure deployments and several gateways.',
    wires: ['chat'],
    create: () => ({ frames: (frames) => frames.filter((frame) => !isSentinel(frame)) }),
  },
  {
    name: 'no-finish-close',
    summary:
      'The body ends properly in mid-answer, without finish or sentinel: a backend that was restarted behind a proxy.',
    wires: ['chat', 'responses'],
    create: () => ({ frames: beforeEnd }),
  },
];

export function holdInstead(steps: Step[]): Step[] {
  return [...steps.filter((step) => step.do !== 'end'), HOLD];
}

/** Everything to the finish, and nothing after it. */
function upToEnd(frames: Frame[]): Frame[] {
  const at = endIndex(frames);
  return at < 0 ? frames : frames.slice(0, at + 1);
}

/** Everything before the finish. */
export function beforeEnd(frames: Frame[]): Frame[] {
  const at = endIndex(frames);
  return at < 0 ? frames : frames.slice(0, at);
}

function withoutFinish(frames: Frame[]): Frame[] {
  const at = endIndex(frames);
  return frames.filter((frame, i) => i !== at && !isUsageOnly(frame));
}

function bareSentinel(frame: Frame): Frame {
  return isSentinel(frame) ? { kind: 'data', event: '', data: 'DONE' } : frame;
}
