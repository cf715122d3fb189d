import type { JsonObject } from '@turnwire/wire/internal/base/json';
import type { FaultSpec } from './fault.ts';
import { withDelta } from '../frames.ts';
import { oneOf } from './args.ts';

const shapes = ['reasoning', 'reasoning-text', 'reasoning-content', 'reasoning_content', 'details', 'both'] as const;

type Shape = (typeof shapes)[number];

/** Faults of where the chat wire carries reasoning. */
export const reasoningFaults: readonly FaultSpec[] = [
  {
    name: 'reasoning-shape',
    args: '[SHAPE]',
    summary:
      'Reasoning as delta.reasoning (Groq, vLLM), an object with text or content, reasoning_content (DeepSeek), reasoning_details (OpenRouter), or two of them at once.',
    wires: ['chat'],
    create: (arg) => {
      const shape = oneOf('reasoning-shape', arg, shapes, 'reasoning');
      return { frames: (frames) => frames.map((frame) => withDelta(frame, (delta) => reshape(delta, shape))) };
    },
  },
];

function reshape(delta: JsonObject, shape: Shape): JsonObject {
  const { reasoning_content: text, ...rest } = delta;
  if (typeof text !== 'string') return delta;
  switch (shape) {
    case 'reasoning':
      return { ...rest, reasoning: text };
    case 'reasoning-text':
      return { ...rest, reasoning: { text } };
    case 'reasoning-content':
      return { ...rest, reasoning: { content: text } };
    case 'reasoning_content':
      return delta;
    case 'details':
      return { ...rest, reasoning_details: [{ type: 'reasoning.text', text }] };
    case 'both':
      return { ...rest, reasoning: text, reasoning_content: text };
  }
}
