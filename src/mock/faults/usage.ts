import type { JsonObject } from '../../base/json.ts';
import type { FaultSpec } from '../fault.ts';
import type { Frame, Step } from '../answer.ts';
import { chatFrame, hasFinish, isUsageOnly } from '../frames.ts';
import { count } from './args.ts';

/** Faults of when the token counts come. */
export const usageFaults: readonly FaultSpec[] = [
  {
    name: 'usage-late',
    args: '[MS]',
    summary:
      'The usage chunk comes this long after the finish (default 100): gateways that count the tokens themselves.',
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
    create: () => ({ frames: (frames) => onFinish(frames) }),
  },
];

function isUsageStep(step: Step): boolean {
  return step.do === 'write' && step.mark === 'usage';
}

const someUsage = { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 };

/** The usage that the stream carries, or one made up where it was not asked for. */
export function usageIn(frames: readonly Frame[]): JsonObject {
  const found = frames.find(isUsageOnly);
  const usage = found?.kind === 'json' ? found.value.usage : undefined;
  return (usage ?? someUsage) as JsonObject;
}

function onFinish(frames: Frame[]): Frame[] {
  const usage = usageIn(frames);
  return frames
    .filter((frame) => !isUsageOnly(frame))
    .map((frame) =>
      hasFinish(frame) && frame.kind === 'json' ? { ...frame, value: { ...frame.value, usage } } : frame,
    );
}

/** A usage chunk of its own. */
export function usageChunk(frames: readonly Frame[], usage: JsonObject): Frame {
  return chatFrame(frames, { usage });
}
