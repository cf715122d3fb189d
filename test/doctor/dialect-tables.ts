import { finishClass } from '../../packages/wire/src/dialects/finish-reasons.ts';
import { seenFullContexts } from '../../packages/wire/src/dialects/seen/full-context.ts';
import { seenUnpaid } from '../../packages/wire/src/dialects/seen/money.ts';
import {
  seenErrorShapes,
  seenFinishWords,
  seenReasoning,
  seenThinkTags,
  seenUncarried,
} from '../../packages/wire/src/dialects/seen/sources.ts';

interface Section {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const code = (text: string): string => `\`${text.replaceAll('`', '')}\``;

/** The tables of docs/doctor.md, as the tables of the code have them. */
export const dialectSections: readonly Section[] = [
  {
    title: 'Reasons to finish (`finish-spelling`)',
    head: ['class', 'words', 'whose'],
    rows: seenFinishWords.map(({ words, source }) => [finishClass(words[0] ?? ''), words.map(code).join(', '), source]),
  },
  {
    title: 'Shapes of errors (`error-flat`, `base-resp`, `choice-error`, `error-mid-stream`)',
    head: ['shape', 'whose'],
    rows: Object.entries(seenErrorShapes),
  },
  {
    title: 'A full context (`context-wording`)',
    head: ['server', 'what it says', 'seen in'],
    rows: Object.entries(seenFullContexts).map(([server, { example, source }]) => [server, code(example), source]),
  },
  {
    title: 'Money that is gone (`quota-wording`)',
    head: ['server', 'status', 'seen in'],
    rows: Object.entries(seenUnpaid).map(([server, { status, source }]) => [server, String(status), source]),
  },
  {
    title: 'Reasoning (`reasoning-shape`, `mistral-thinking`)',
    head: ['member', 'whose'],
    rows: Object.entries(seenReasoning).map(([field, source]) => [code(field), source]),
  },
  {
    title: 'Think tags (`think-tags`, `think-tags-opened`)',
    head: ['tag', 'whose'],
    rows: Object.entries(seenThinkTags).map(([open, source]) => [code(open), source]),
  },
  {
    title: 'What no item has a place for (`beside-text`)',
    head: ['member', 'whose'],
    rows: Object.entries(seenUncarried).map(([field, source]) => [code(field), source]),
  },
];
