/** Whether a text is read for tags: `'opened'` where the prompt ends in the opening tag, so that the text begins within. */
export type ThinkTags = boolean | 'opened';

/** A pair of tags between which some models think aloud, in the text of their answer. */
interface ThinkTag {
  readonly open: string;
  readonly close: string;
}

/**
 * The tags that are read on request (docs/contract.md section 3.15): servers without a reasoning parser hand them through.
 * Exactly as the models write them, so that a text about tags in another spelling stays a text. Whose answers
 * begin with them: `seen/sources.ts`.
 */
export const thinkTags = [
  { open: '<think>', close: '</think>' },
  { open: '<thinking>', close: '</thinking>' },
  { open: '<thought>', close: '</thought>' },
  { open: '<reasoning>', close: '</reasoning>' },
  { open: '<mm:think>', close: '</mm:think>' },
] as const satisfies readonly ThinkTag[];
