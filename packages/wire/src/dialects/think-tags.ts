/** Whether a text is read for tags: `'opened'` where the prompt ends in the opening tag, so that the text begins within. */
export type ThinkTags = boolean | 'opened';

/** A pair of tags between which some models think aloud, in the text of their answer. */
export interface ThinkTag {
  readonly open: string;
  readonly close: string;
  /** Whose answers begin with it. */
  readonly source: string;
}

/**
 * The tags that are read on request (docs/contract.md section 3.15): servers without a reasoning parser hand them through.
 * Exactly as the models write them, so that a text about tags in another spelling stays a text.
 */
export const thinkTags: readonly ThinkTag[] = [
  {
    open: '<think>',
    close: '</think>',
    source: 'DeepSeek R1, QwQ, Qwen3, MiniMax-M2 (MiniMax-M2#105, qwen-code#3411)',
  },
  { open: '<thinking>', close: '</thinking>', source: 'MiniMax-M2.5 and M3 (qwen-code#3228, opencode#36569)' },
  { open: '<thought>', close: '</thought>', source: 'Gemini behind gateways, with include_thoughts (hajimi#292)' },
  { open: '<reasoning>', close: '</reasoning>', source: 'Reka Flash 3, and models tuned like it' },
  { open: '<mm:think>', close: '</mm:think>', source: 'MiniMax, where its template has tags of its own' },
];
