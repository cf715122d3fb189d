import { matchesKey } from './pi-tui.ts';

/** One of the answers to a question. */
export interface PromptChoice {
  readonly key: string;
  readonly label: string;
}

/** Keys pressed before a person can have read the question are no answer to it. Milliseconds. */
export const GUARD_MS = 400;

/** What a key means where answers are listed; nothing: it is none of theirs. */
export function meaningOf(
  data: string,
  choices: readonly PromptChoice[],
  selected: number,
): { readonly type: 'select' | 'choose'; readonly at: number } | undefined {
  const count = choices.length;
  if (matchesKey(data, 'up')) return { type: 'select', at: (selected - 1 + count) % count };
  if (matchesKey(data, 'down')) return { type: 'select', at: (selected + 1) % count };
  if (matchesKey(data, 'enter')) return { type: 'choose', at: selected };
  const at = choices.findIndex(({ key }) => key === data.toLowerCase());
  return at < 0 ? undefined : { type: 'choose', at };
}
