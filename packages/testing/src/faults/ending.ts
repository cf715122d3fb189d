import type { Frame, Step } from '../answer.ts';
import { overHttp, type FaultSpec, type FaultWire } from './fault.ts';
import { chatFrame, endIndex, isSentinel, isUsageOnly, messagesErrorFrame, responsesFrame } from '../frames.ts';
import { count } from './args.ts';

const HOLD: Step = { do: 'hold' };

/** Faults of how an answer ends. */
export const endingFaults: readonly FaultSpec[] = [
  {
    name: 'finish-then-hold',
    summary:
      'Finished, then no sentinel and an open socket: WireMock on Windows, proxies that keep the upstream connection.',
    wires: overHttp,
    create: () => ({ frames: upToEnd, steps: holdInstead }),
  },
  {
    name: 'done-then-hold',
    summary:
      'The whole answer with its sentinel, then an open socket: keep-alive proxies that never end the chunked body.',
    wires: overHttp,
    create: () => ({ steps: holdInstead }),
  },
  {
    name: 'comment-only-life',
    args: '[MS]',
    summary:
      'Finished, then a comment every MS (default 50) and never a close: gateways whose keep-alive outlives the answer.',
    wires: overHttp,
    create: (arg) => {
      const everyMs = Math.max(1, count('comment-only-life', arg, 50));
      return {
        frames: upToEnd,
        steps: (steps) => [...withoutEnd(steps), { do: 'pulse', text: ': ping\n\n', everyMs }],
      };
    },
  },
  {
    name: 'bare-done',
    summary: 'No finish_reason, and the sentinel is DONE without brackets: older test stubs, home-made servers.',
    wires: ['chat'],
    create: () => ({ frames: (frames) => withoutFinish(frames).map(bareSentinel) }),
  },
  {
    name: 'bare-done-hold',
    summary: 'No finish_reason, a bare DONE, then an open socket: the test stub with which this project began.',
    wires: ['chat'],
    create: () => ({ frames: (frames) => withoutFinish(frames).map(bareSentinel), steps: holdInstead }),
  },
  {
    name: 'no-sentinel',
    summary:
      'The body ends after the finish without [DONE] or message_stop: gateways that translate from APIs without one.',
    wires: ['chat', 'messages'],
    create: () => ({ frames: (frames) => frames.filter((frame) => !isSentinel(frame)) }),
  },
  {
    name: 'no-finish-close',
    summary: 'The body ends properly in mid-answer, without finish or sentinel: a backend restarted behind a proxy.',
    wires: overHttp,
    lossy: true,
    create: () => ({ frames: beforeEnd }),
  },
  {
    name: 'no-finish-done',
    summary:
      'The sentinel comes without any finish_reason (Messages: message_stop without message_delta): test stubs, home-made servers.',
    wires: ['chat', 'messages'],
    create: () => ({ frames: withoutFinish }),
  },
  {
    name: 'no-last-blank-line',
    summary: 'The last event lacks its blank line: servers that join events with separators instead of ending each.',
    wires: overHttp,
    create: () => ({
      frames: upToEnd,
      text: (events) => events.map((text, i) => (i === events.length - 1 ? text.trimEnd() : text)),
    }),
  },
  {
    name: 'late-error',
    summary: 'An error event follows the finished answer: gateways whose accounting fails after the answer was sent.',
    wires: overHttp,
    create: () => ({ frames: lateError }),
  },
  {
    name: 'late-delta',
    summary: 'More text follows the finish: gateways that append a notice of their own.',
    wires: ['chat'],
    create: () => ({ frames: lateDelta }),
  },
  {
    name: 'sentinel-on-responses',
    summary: 'A [DONE] that the protocol does not have ends a Responses stream: many self-made Responses servers.',
    wires: ['responses', 'websocket'],
    create: () => ({ frames: (frames) => [...frames, { kind: 'data', event: 'done', data: '[DONE]' }] }),
  },
  {
    name: 'slow-close',
    args: '[MS]',
    summary: 'The body ends MS (default 2000) after the last event: proxies with a linger time.',
    wires: overHttp,
    create: (arg) => {
      const ms = count('slow-close', arg, 2000);
      return {
        steps: (steps) => steps.flatMap((step): Step[] => (step.do === 'end' ? [{ do: 'wait', ms }, step] : [step])),
      };
    },
  },
  {
    name: 'empty-stream',
    summary: 'Status 200, the right content type, and a body without any event: a worker that died after the head.',
    wires: overHttp,
    lossy: true,
    create: () => ({ frames: () => [] }),
  },
];

/** Leaves the connection open where the body would end. */
export function holdInstead(steps: Step[]): Step[] {
  return [...withoutEnd(steps), HOLD];
}

export function withoutEnd(steps: Step[]): Step[] {
  return steps.filter((step) => step.do !== 'end');
}

/** Everything to the finish, and nothing after it. */
export function upToEnd(frames: Frame[]): Frame[] {
  const at = endIndex(frames);
  return at < 0 ? frames : frames.slice(0, at + 1);
}

/** Everything before the finish. */
export function beforeEnd(frames: Frame[]): Frame[] {
  const at = endIndex(frames);
  return at < 0 ? frames : frames.slice(0, at);
}

/** The answer without its finish chunk: on the chat wire the sentinel stays. */
export function withoutFinish(frames: Frame[]): Frame[] {
  const at = endIndex(frames);
  return frames.filter((frame, i) => i !== at && !isUsageOnly(frame));
}

function bareSentinel(frame: Frame): Frame {
  return isSentinel(frame) ? { kind: 'data', event: '', data: 'DONE' } : frame;
}

const accountingFailed = { message: 'accounting failed', code: 'server_error', type: 'server_error' };
const responseFailed = responsesFrame({
  type: 'response.failed',
  response: { id: 'late', status: 'failed', error: accountingFailed },
});

const lateErrors: Readonly<Record<FaultWire, Frame>> = {
  chat: { kind: 'json', event: '', value: { error: accountingFailed } },
  responses: responseFailed,
  messages: messagesErrorFrame(accountingFailed.message, 'req_late'),
  websocket: responseFailed,
};

function lateError(frames: Frame[], { wire }: { wire: FaultWire }): Frame[] {
  const at = endIndex(frames);
  return [...frames.slice(0, at + 1), lateErrors[wire], ...frames.slice(at + 1)];
}

function lateDelta(frames: Frame[]): Frame[] {
  const at = endIndex(frames);
  const late = chatFrame(frames, { choices: [{ index: 0, delta: { content: ' [notice]' }, finish_reason: null }] });
  return [...frames.slice(0, at + 1), late, ...frames.slice(at + 1)];
}
