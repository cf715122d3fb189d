import { isObject, type JsonObject } from '@turnwire/wire/internal/base/json';
import type { Frame } from '../answer.ts';
import { hasFinish, withChoices, withFields } from '../frames.ts';
import { oneOf } from './args.ts';
import type { FaultSpec } from './fault.ts';

const source = { url: 'https://example.com/weather', title: 'Weather', start_index: 0, end_index: 5 };
const pixel = { url: 'data:image/png;base64,iVBORw0KGgo=' };

/** What stands on the last chunk of an answer: in its delta, in its choice, or beside the choices. */
const places = {
  annotations: inDelta({ annotations: [{ type: 'url_citation', url_citation: source }] }),
  citations: (frame) => withFields(frame, { citations: [source.url] }),
  logprobs: (frame) =>
    withChoices(frame, (choice) => ({
      ...choice,
      logprobs: { content: [{ token: '.', logprob: -0.1, bytes: [46], top_logprobs: [] }] },
    })),
  audio: inDelta({ audio: { id: 'audio_1', data: 'UklGRg==' } }),
  images: inDelta({ images: [{ type: 'image_url', image_url: pixel }] }),
  references: inDelta({ content: [{ type: 'reference', reference_ids: [1] }] }),
} as const satisfies Readonly<Record<string, (frame: Frame) => Frame>>;

const kinds = Object.keys(places) as (keyof typeof places)[];

/** Faults of answers that are more than text, reasoning and calls. */
export const besideTextFaults: readonly FaultSpec[] = [
  {
    name: 'beside-text',
    args: '[WHAT]',
    choices: kinds,
    summary:
      'The answer has something beside its text: annotations (default; OpenRouter, search models), citations (Perplexity), logprobs, audio, images (OpenRouter), references (Mistral).',
    wires: ['chat'],
    create: (arg) => {
      const put = places[oneOf('beside-text', arg, kinds, 'annotations')];
      return { frames: (frames) => frames.map((frame) => (hasFinish(frame) ? put(frame) : frame)) };
    },
  },
];

function inDelta(members: JsonObject): (frame: Frame) => Frame {
  return (frame) =>
    withChoices(frame, (choice) => ({
      ...choice,
      delta: { ...(isObject(choice.delta) ? choice.delta : {}), ...members },
    }));
}
