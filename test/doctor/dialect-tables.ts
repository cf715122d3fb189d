import { uncarriedFields } from '../../packages/wire/src/dialects/answer-extras.ts';
import { errorShapes } from '../../packages/wire/src/dialects/error-shapes.ts';
import { finishRows } from '../../packages/wire/src/dialects/finish-reasons.ts';
import { fullContextWordings } from '../../packages/wire/src/dialects/full-context.ts';
import { moneyWordings } from '../../packages/wire/src/dialects/money.ts';
import { reasoningFields } from '../../packages/wire/src/dialects/reasoning-shapes.ts';
import { thinkTags } from '../../packages/wire/src/dialects/think-tags.ts';

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
    rows: finishRows.map((row) => [row.class, row.reasons.map(code).join(', '), row.source]),
  },
  {
    title: 'Shapes of errors (`error-flat`, `base-resp`, `choice-error`, `error-mid-stream`)',
    head: ['shape', 'whose'],
    rows: errorShapes.map(({ name, source }) => [name, source]),
  },
  {
    title: 'A full context (`context-wording`)',
    head: ['server', 'what it says', 'seen in'],
    rows: fullContextWordings.map(({ server, example, source }) => [server, code(example), source]),
  },
  {
    title: 'Money that is gone (`quota-wording`)',
    head: ['server', 'status', 'seen in'],
    rows: moneyWordings.map(({ server, status, source }) => [server, String(status), source]),
  },
  {
    title: 'Reasoning (`reasoning-shape`, `mistral-thinking`)',
    head: ['member', 'whose'],
    rows: reasoningFields.map(({ field, source }) => [code(field), source]),
  },
  {
    title: 'Think tags (`think-tags`, `think-tags-opened`)',
    head: ['tag', 'whose'],
    rows: thinkTags.map(({ open, source }) => [code(open), source]),
  },
  {
    title: 'What no item has a place for (`beside-text`)',
    head: ['member', 'whose'],
    rows: uncarriedFields.map(({ field, source }) => [code(field), source]),
  },
];
