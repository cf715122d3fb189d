import { thinkTags } from '@turnwire/wire/internal/dialects/think-tags';
import { when, type Finding } from './finding.ts';
import type { Sample } from './sample.ts';

/** Reasoning that the server leaves in the text of its answer, between tags of which the prompt may have the first. */
export function checkThinkTags({ ours }: Sample): readonly Finding[] {
  const text = ours.text.trimStart();
  const opened = thinkTags.find(({ open }) => text.startsWith(open));
  const closed = thinkTags.find(({ open, close }) => text.includes(close) && !text.includes(open));
  return [
    ...when(opened !== undefined, 'think-tags', `the text begins with ${opened?.open ?? ''}`),
    ...when(
      opened === undefined && closed !== undefined,
      'think-tags-opened',
      `${closed?.close ?? ''} alone in the text`,
    ),
  ];
}
