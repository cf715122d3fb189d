import { expect, it } from 'vitest';
import { remembered } from '../../packages/wire/src/base/remembered.ts';
import { chatQuirksOf } from '../../packages/wire/src/quirks.ts';

it('asks once for a text, forgets all when there is one more than is kept, and keeps nothing for a long one', () => {
  const asked: string[] = [];
  const isShort = remembered((text) => (asked.push(text), text.length < 2), { most: 2, longest: 3 });
  expect(['a', 'bb', 'a', 'bb', 'long', 'long'].map(isShort)).toEqual([true, false, true, false, false, false]);
  expect(asked).toEqual(['a', 'bb', 'long', 'long']);
  expect(['c', 'a'].map(isShort)).toEqual([true, true]);
  expect(asked.slice(4)).toEqual(['c', 'a']);
});

it('keeps the quirks of servers apart whose addresses and models read the same side by side', () => {
  expect(chatQuirksOf('', 'kimi-k2 y').reasoningOnEveryCall).toBe(true);
  expect(chatQuirksOf(' kimi-k2', 'y').reasoningOnEveryCall).toBe(false);
});
