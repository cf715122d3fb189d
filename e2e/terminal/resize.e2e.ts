/** Resizes in tmux, which breaks lines: no word of 1,200 is lost or doubled, whatever streams meanwhile. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startMock } from '../../packages/testing/src/index.ts';
import { openChat, skip } from './chat-in-tmux.ts';
import { numberedWords, numberedWordsIn } from './numbered-words.ts';
import type { Tmux } from '../../test/terminal/tmux.ts';

const WORDS = numberedWords(0, 1200);
/** The whole status line is shown. */
const WIDE = [120, 30] as const;

/** An answer of numbered words, `paceMs` between its deltas. */
const words = (paceMs: number) => ({
  turns: [{ replies: [{ parts: [{ type: 'text' as const, text: WORDS.join(' '), chunk: 24 }], paceMs }] }],
});

/** `mayDouble`: words of lines that were on their way to the terminal when it was resized may stand there twice. */
function assertWhole(tmux: Tmux, mayDouble = 0): void {
  const found = numberedWordsIn(tmux.all());
  const missing = WORDS.filter((word) => !found.includes(word));
  const doubled = found.filter((word, at) => found.indexOf(word) !== at);
  assert.equal(missing.join(' '), '', `missing in\n${tmux.all()}`);
  assert.ok(doubled.length <= mayDouble, `doubled: ${doubled.join(' ')} in\n${tmux.all()}`);
  if (doubled.length === 0) assert.deepEqual(found, WORDS);
  assert.equal(tmux.screen().split('tiny at').length, 2);
}

async function resizeAll(tmux: Tmux, sizes: readonly (readonly [number, number])[], betweenMs: number): Promise<void> {
  for (const [columns, rows] of sizes) {
    tmux.resize(columns, rows);
    await sleep(betweenMs);
  }
}

/** The same sizes in every run. */
function randomSizes(count: number, seed: number): [number, number][] {
  let state = seed;
  const next = (from: number, to: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return from + Math.floor((state / 2_147_483_648) * (to - from + 1));
  };
  return Array.from({ length: count }, () => [next(40, 130), next(10, 45)]);
}

await test('single steps from 80 to 70 columns and back', { skip }, async () => {
  await using server = await startMock({ scenario: words(0) });
  using chat = await openChat({ baseUrl: server.baseUrl, rows: 24 });
  const { tmux } = chat;
  tmux.send('go', 'Enter');
  await tmux.until('w1199');
  await tmux.settled();
  const steps = Array.from({ length: 10 }, (_, at) => [79 - at, 24] as const);
  await resizeAll(tmux, [...steps, ...steps.toReversed(), [80, 24]], 350);
  await tmux.settled();
  assertWhole(tmux);
});

await test('any sizes', { skip }, async () => {
  await using server = await startMock({ scenario: words(0) });
  using chat = await openChat({ baseUrl: server.baseUrl, rows: 24 });
  const { tmux } = chat;
  tmux.send('go', 'Enter');
  await tmux.until('w1199');
  for (const [columns, rows] of randomSizes(4, 2)) {
    tmux.resize(columns, rows);
    await tmux.settled();
  }
  // The next size comes just when the chat draws for the one before.
  await resizeAll(tmux, [...randomSizes(12, 1), WIDE], 300);
  await tmux.settled();
  assertWhole(tmux);
});

/** Every word once, in order, and the rows of what is typed once, at the end. */
function assertWholeAbove(tmux: Tmux, typed: readonly string[]): void {
  const [above = '', ...below] = tmux.all().split(typed[0] ?? '');
  assert.deepEqual(numberedWordsIn(above), WORDS, tmux.all());
  assert.equal(below.length, 1, tmux.all());
  for (const text of typed.slice(1)) assert.equal(tmux.screen().split(text).length, 2, `${text} in\n${tmux.all()}`);
}

/** `settledBy`: a letter, what stands before it in its row, and what stands at the end of the screen when nothing moves any more. */
for (const { name, typed, settledBy, open } of [
  {
    name: 'a draft of several lines, typed into above its last one',
    typed: ['first of the draft', 'fourth of the draft'],
    settledBy: ['x', '› first of the draft', 'second,'] as const,
    open: async (tmux: Tmux) => {
      const long = 'and so on until it is wider than the narrowest window of this test';
      tmux.paste(`first of the draft\nsecond, ${long}\nthird, ${long}\nfourth of the draft`);
      await tmux.until('fourth of the draft');
      tmux.send('Up', 'Up', 'Up');
      // Else the first size comes before the cursor is there.
      await tmux.until('20', () => tmux.tell('#{cursor_y}'));
    },
  },
  {
    name: 'an open list of completions',
    typed: ['› /', 'commands and keys'],
    settledBy: ['h', '› /', '(1/'] as const,
    open: async (tmux: Tmux) => {
      tmux.type('/');
      await tmux.until('(1/');
    },
  },
] as const) {
  await test(`any sizes with ${name}`, { skip }, async () => {
    await using server = await startMock({ scenario: words(0) });
    using chat = await openChat({ baseUrl: server.baseUrl, rows: 24 });
    const { tmux } = chat;
    tmux.send('go', 'Enter');
    await tmux.until('w1199');
    await tmux.settled();
    await open(tmux);
    const sizes = [[60, 24], [44, 30], [80, 16], ...randomSizes(4, 3), WIDE] as const;
    for (const [columns, rows] of sizes) {
      tmux.resize(columns, rows);
      const [letter, before, last] = settledBy;
      await tmux.settled(letter, before);
      await tmux.until(last);
    }
    assertWholeAbove(tmux, typed);
  });
}

for (const [name, paceMs, betweenMs, mayDouble] of [
  ['while 400 words a second come', 10, 200, 0],
  ['while an answer bursts, four in a second', 0, 250, 25],
  ['while an answer bursts, many at once', 0, 20, 25],
] as const) {
  await test(name, { skip }, async () => {
    await using server = await startMock({ scenario: words(paceMs) });
    using chat = await openChat({ baseUrl: server.baseUrl, rows: 24 });
    const { tmux } = chat;
    tmux.send('go', 'Enter');
    if (paceMs > 0) await tmux.until('w0030');
    await resizeAll(tmux, [...randomSizes(8, 1), WIDE], betweenMs);
    await tmux.until('w1199');
    await tmux.settled();
    assertWhole(tmux, mayDouble);
  });
}
