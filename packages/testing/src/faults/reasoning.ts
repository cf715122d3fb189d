import type { JsonObject } from '@turnwire/wire/internal/base/json';
import type { FaultSpec } from './fault.ts';
import { withDelta } from '../frames.ts';
import { oneOf } from './args.ts';

const shapes = {
  reasoning: (text) => ({ reasoning: text }),
  'reasoning-text': (text) => ({ reasoning: { text } }),
  'reasoning-content': (text) => ({ reasoning: { content: text } }),
  reasoning_content: (text) => ({ reasoning_content: text }),
  details: (text) => ({ reasoning_details: [{ type: 'reasoning.text', text }] }),
  summary: (text) => ({ reasoning_details: [{ type: 'reasoning.summary', summary: text }] }),
  'thinking-blocks': (thinking) => ({ thinking_blocks: [{ type: 'thinking', thinking }] }),
  thinking: (text) => ({ thinking: text }),
  both: (text) => ({ reasoning: text, reasoning_content: text }),
} as const satisfies Readonly<Record<string, (text: string) => JsonObject>>;

type Shape = keyof typeof shapes;

const names = Object.keys(shapes) as Shape[];

/** Faults of where the chat wire carries reasoning. */
export const reasoningFaults: readonly FaultSpec[] = [
  {
    name: 'reasoning-shape',
    args: '[SHAPE]',
    choices: names,
    summary:
      'Reasoning as delta.reasoning (Groq, vLLM), an object with text or content, reasoning_content (DeepSeek), reasoning_details (OpenRouter), or two of them at once.',
    wires: ['chat'],
    create: (arg) => {
      const shape = oneOf('reasoning-shape', arg, names, 'reasoning');
      return { frames: (frames) => frames.map((frame) => withDelta(frame, (delta) => reshape(delta, shape))) };
    },
  },
];

function reshape(delta: JsonObject, shape: Shape): JsonObject {
  const { reasoning_content: text, ...rest } = delta;
  return typeof text === 'string' ? { ...rest, ...shapes[shape](text) } : delta;
}
