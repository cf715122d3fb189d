import { isObject, type JsonObject } from '@turnwire/wire/internal/base/json';
import type { Frame, Step } from '../answer.ts';
import type { FaultSpec } from './fault.ts';
import { chatFrame, choicesOf, hasFinish, isUsageOnly, withChoices } from '../frames.ts';
import { count } from './args.ts';
import { refuse } from './refuse.ts';

/** Faults of when the token counts come on the chat wire. */
export const usageFaults: readonly FaultSpec[] = [
  {
    name: 'usage-late',
    args: '[MS]',
    summary: 'The usage chunk comes MS (default 100) after the finish: gateways that count the tokens themselves.',
    wires: ['chat'],
    create: (arg) => {
      const ms = count('usage-late', arg, 100);
      return { steps: (steps) => steps.flatMap((step) => (isUsageStep(step) ? [{ do: 'wait', ms }, step] : [step])) };
    },
  },
  {
    name: 'usage-never',
    summary: 'Usage was asked for and never comes: servers that ignore stream_options.',
    wires: ['chat'],
    create: () => ({ frames: (frames) => frames.filter((frame) => !isUsageOnly(frame)) }),
  },
  {
    name: 'usage-on-finish',
    summary: 'The usage rides on the finish chunk: DeepSeek, vLLM.',
    wires: ['chat'],
    create: () => ({ frames: (frames) => onFinish(frames, (frame, usage) => withUsage(frame, usage)) }),
  },
  {
    name: 'usage-in-choice',
    summary: 'The usage is inside the choice of the finish chunk: Moonshot.',
    wires: ['chat'],
    create: () => ({
      frames: (frames) => onFinish(frames, (frame, usage) => withChoices(frame, (choice) => ({ ...choice, usage }))),
    }),
  },
  {
    name: 'usage-every-chunk',
    summary: 'Every chunk has a usage, all zeros until the last one: CLIProxyAPI, vLLM with continuous statistics.',
    wires: ['chat'],
    create: () => ({ frames: onEveryChunk }),
  },
  {
    name: 'usage-zeros',
    summary: 'The usage chunk holds only zeros, which means unknown: several local servers.',
    wires: ['chat'],
    create: () => ({
      frames: (frames) => frames.map((frame) => (isUsageOnly(frame) ? withUsage(frame, zeros) : frame)),
    }),
  },
  {
    name: 'usage-refused',
    summary: 'HTTP 400 for a request with stream_options, an answer without: older Mistral and Azure versions.',
    wires: ['chat'],
    create: () => ({
      head: (head, context) => {
        if (!isObject(context.request.body.stream_options)) return;
        refuse(head, context, 400, { message: 'Unrecognized request argument supplied: stream_options' });
      },
    }),
  },
];

const zeros = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };
const someUsage = { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 };

function isUsageStep(step: Step): boolean {
  return step.do === 'write' && step.mark === 'usage';
}

function withUsage(frame: Frame, usage: JsonObject): Frame {
  return frame.kind === 'json' ? { ...frame, value: { ...frame.value, usage } } : frame;
}

/** The usage that the stream carries, or one made up where it was not asked for. */
function usageIn(frames: readonly Frame[]): JsonObject {
  const found = frames.find(isUsageOnly);
  const usage = found?.kind === 'json' ? found.value.usage : undefined;
  return isObject(usage) ? usage : someUsage;
}

function onFinish(frames: Frame[], put: (frame: Frame, usage: JsonObject) => Frame): Frame[] {
  const usage = usageIn(frames);
  return frames.filter((frame) => !isUsageOnly(frame)).map((frame) => (hasFinish(frame) ? put(frame, usage) : frame));
}

function onEveryChunk(frames: Frame[]): Frame[] {
  const last = chatFrame(frames, { usage: usageIn(frames) });
  return frames.flatMap((frame): Frame[] => {
    if (isUsageOnly(frame)) return [];
    if (hasFinish(frame)) return [withUsage(frame, zeros), last];
    return [choicesOf(frame).length > 0 ? withUsage(frame, zeros) : frame];
  });
}
