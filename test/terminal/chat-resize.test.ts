import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ModelEvent } from '../../packages/wire/src/model/events.ts';
import { answer, completed, done, message, type Step } from '../agent/scripted-model.ts';
import { gate, keys, startChat, transcript, type RunningChat } from './harness.ts';

const SENTENCES = Array.from({ length: 40 }, (_, at) => `Sentence ${at} has some words in it, and 日本語 too.`);
const CLEARS = ['\x1b[3J', '\x1b[2J', '\x1bc', '\x1b[?1049h'];
const SETTLED_MS = 1100;

const delta = (text: string): ModelEvent => ({ type: 'output_text.delta', delta: text, item_id: 'msg_1' });

/** All visible text without the spaces and line ends that depend on the width. */
function textOf(chat: RunningChat): string {
  return transcript(chat.terminal.all()).join('').replaceAll(/\s/g, '');
}

/** Resizes, and waits until the screen was drawn for the new size. */
async function resize(chat: RunningChat, columns: number, rows: number): Promise<void> {
  chat.terminal.resize(columns, rows);
  chat.app.screen.renderNow();
  chat.clock.pass(SETTLED_MS);
  await drawn(chat);
}

async function drawn(chat: RunningChat): Promise<void> {
  await chat.terminal.parsed();
  // The terminal's answer is on its way back.
  await new Promise(setImmediate);
  await chat.terminal.parsed();
  chat.app.screen.renderNow();
  await chat.terminal.parsed();
}

describe('the scrollback', () => {
  it('is never cleared, and keeps what the shell left', async () => {
    const before = Array.from({ length: 30 }, (_, at) => `shell ${at}\r\n`).join('');
    const chat = await startChat([answer(SENTENCES.join('\n\n'))], { before, rows: 20 });
    chat.say('go');
    await chat.idle();
    const rows = chat.terminal.all().map((row) => row.trimEnd());
    expect(rows.slice(0, 30)).toEqual(Array.from({ length: 30 }, (_, at) => `shell ${at}`));
    for (const clear of CLEARS) expect(chat.terminal.written).not.toContain(clear);
    expect(transcript(rows.slice(30))).toEqual(['› go', ...SENTENCES]);
  });

  it('gets every line once when the answer is longer than the screen, streamed or not', async () => {
    const text = SENTENCES.join('\n\n');
    const pieces = text.match(/[^]{1,9}/gu) ?? [];
    const steps: Step[] = pieces.flatMap((piece, at): Step[] => [
      delta(piece),
      ...(at % 20 === 0 ? [() => new Promise(setImmediate)] : []),
    ]);
    const chat = await startChat([[...steps, done(message(text)), completed()]], { rows: 12 });
    chat.say('go');
    await chat.idle();
    expect(transcript(chat.terminal.all())).toEqual(['› go', ...SENTENCES]);
  });
});

describe('a resize', () => {
  const sizes: [number, number][] = [
    [40, 24],
    [120, 24],
    [80, 10],
    [80, 50],
    [20, 8],
    [33, 40],
  ];

  it.each(sizes)('to %i x %i leaves no garbage, loses nothing and doubles nothing', async (columns, rows) => {
    const chat = await startChat([answer(SENTENCES.join('\n\n'))], { before: 'shell\r\n' });
    chat.say('go');
    await chat.idle();
    const before = textOf(chat);
    await resize(chat, columns, rows);
    expect(textOf(chat)).toBe(before);
    await resize(chat, 80, 24);
    expect(textOf(chat)).toBe(before);
    for (const clear of CLEARS) expect(chat.terminal.written).not.toContain(clear);
    expect(chat.terminal.screen().filter((row) => row.includes('tiny at test'))).toHaveLength(1);
  });

  it('in the middle of an answer goes on in the new width', async () => {
    const held = gate();
    const text = SENTENCES.join('\n\n');
    const half = text.slice(0, 1000);
    const chat = await startChat([[delta(half), held.wait, delta(text.slice(1000)), done(message(text)), completed()]]);
    chat.say('go');
    await chat.terminal.until(half.trim().slice(-12));
    await resize(chat, 50, 15);
    held.open();
    await chat.idle();
    expect(textOf(chat)).toBe(`›go${text.replaceAll(/\s/g, '')}`);
  });
});

describe('a frame', () => {
  const sizes = [
    [60, 40],
    [70, 34],
    [50, 26],
    [60, 12],
    [100, 20],
    [110, 40],
    [130, 10],
    [45, 20],
    [31, 14],
    [24, 50],
  ] as const;
  const meetings = (['the erasure', 'the frame'] as const).flatMap((what) =>
    sizes.map(([columns, rows]) => ({ what, columns, rows })),
  );

  it.each(meetings)(
    'after a resize: when $what meets a terminal of $columns x $rows, nothing is lost and nothing doubled',
    async ({ what, columns, rows }) => {
      const text = WORDS.slice(0, 400).join(' ');
      const script = [[delta(text), done(message(text)), completed()]];
      const chat = await startChat(script, { tellsSize: true });
      chat.say('go');
      await chat.idle();
      await drawn(chat);
      chat.terminal.resizeBefore({ 'the erasure': '\x1b[0J', 'the frame': '\x1b[?2026h' }[what], columns, rows);
      await resize(chat, 60, 20);
      await drawn(chat);
      chat.terminal.tellSize();
      expect([chat.terminal.columns, chat.terminal.rows]).toEqual([columns, rows]);
      chat.app.screen.renderNow();
      chat.clock.pass(SETTLED_MS);
      await drawn(chat);
      await drawn(chat);
      expect(wordsOf(chat)).toEqual(WORDS.slice(0, 400));
      expect(chat.terminal.screen().filter((row) => row.includes('TTFT'))).toHaveLength(1);
    },
  );

  it.each(sizes)(
    'that has not come yet, after a resize, when the terminal becomes %i x %i, leaves nothing lost and nothing doubled',
    async (columns, rows) => {
      const chat = await startChat([answer(WORDS.slice(0, 400).join(' '))], { tellsSize: true });
      chat.say('go');
      await chat.idle();
      await drawn(chat);
      chat.terminal.resize(60, 20);
      chat.app.screen.renderNow();
      chat.clock.pass(SETTLED_MS);
      while (chat.terminal.screen().some((row) => row !== '')) await chat.terminal.parsed();
      await resize(chat, columns, rows);
      await drawn(chat);
      expect(wordsOf(chat)).toEqual(WORDS.slice(0, 400));
      expect(chat.terminal.screen().filter((row) => row.includes('TTFT'))).toHaveLength(1);
    },
  );

  it.each([
    [60, 24],
    [44, 20],
    [44, 21],
    [38, 22],
    [38, 23],
    [30, 22],
    [30, 23],
    [24, 24],
    [70, 30],
  ])(
    'that met a terminal of %i x %i, of which nothing was heard yet, loses nothing and doubles nothing',
    async (columns, rows) => {
      const [held, rest] = [gate(), gate()];
      const text = WORDS.slice(0, 400).join(' ');
      const chat = await startChat(
        [
          [
            delta(text.slice(0, 1560)),
            held.wait,
            delta(text.slice(1560, 1640)),
            rest.wait,
            delta(text.slice(1640)),
            done(message(text)),
            completed(),
          ],
        ],
        { tellsSize: true },
      );
      chat.say('go');
      await chat.terminal.until('w0258');
      await drawn(chat);
      const before = chat.terminal.written.length;
      chat.terminal.resizeUnheard(columns, rows);
      held.open();
      while (chat.terminal.written.length === before) await new Promise(setImmediate);
      await drawn(chat);
      chat.terminal.tellSize();
      chat.app.screen.renderNow();
      chat.clock.pass(SETTLED_MS);
      await drawn(chat);
      rest.open();
      await chat.idle();
      expect(wordsOf(chat)).toEqual(WORDS.slice(0, 400));
      expect(chat.terminal.screen().filter((row) => row.includes('TTFT'))).toHaveLength(1);
    },
  );
});

const WORDS = Array.from({ length: 1200 }, (_, at) => `w${String(at).padStart(4, '0')}`);

/** What is on the screen and above it, in order. */
function wordsOf(chat: RunningChat): string[] {
  return textOf(chat).match(/w\d{4}/g) ?? [];
}

describe.each(['breaks', 'cuts'] as const)('a terminal that %s lines', (reflow) => {
  // A terminal that cuts its lines cuts those in its scrollback as well: what is as narrow as the narrowest window stays whole.
  const lineOf = { breaks: 1200, cuts: 4 }[reflow];
  const text = Array.from({ length: WORDS.length / lineOf }, (_, at) =>
    WORDS.slice(at * lineOf, (at + 1) * lineOf).join(' '),
  ).join('\n\n');

  it(
    'keeps each of 1,200 words once, in single steps from 80 to 60 columns and back',
    { timeout: 30_000 },
    async () => {
      const chat = await startChat([answer(text)], { reflow, before: 'shell\r\n' });
      chat.say('go');
      await chat.idle();
      const there = Array.from({ length: 20 }, (_, at) => 79 - at);
      for (const columns of [...there, ...there.toReversed(), 80]) await resize(chat, columns, 24);
      expect(wordsOf(chat)).toEqual(WORDS);
      expect(chat.terminal.screen().filter((row) => row.includes('tiny at test'))).toHaveLength(1);
    },
  );

  const step = fc.record({
    columns: fc.integer({ min: 24, max: 130 }),
    rows: fc.integer({ min: 8, max: 50 }),
    chars: fc.nat(1500),
  });

  it('keeps each word once through any resizes while an answer streams', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 5 }), async (steps) => {
        let at = 0;
        const gates = steps.map(() => gate());
        const script = steps.flatMap((one, index): Step[] => {
          const piece = text.slice(at, at + one.chars);
          at += one.chars;
          return [delta(piece), gates[index]?.wait ?? (() => Promise.resolve())];
        });
        const chat = await startChat([[...script, done(message(text)), completed()]], { reflow });
        chat.say('go');
        while (chat.model.requests.length === 0) await new Promise(setImmediate);
        for (const [index, { columns, rows }] of steps.entries()) {
          await new Promise(setImmediate);
          chat.app.screen.renderNow();
          await chat.terminal.parsed();
          await resize(chat, columns, rows);
          gates[index]?.open();
        }
        await chat.idle();
        expect(wordsOf(chat)).toEqual(WORDS);
        chat.app.leave('done');
        await chat.end;
      }),
      { numRuns: 15 },
    );
  });
});

describe.each(['breaks', 'cuts'] as const)('below the cursor, on a terminal that %s lines,', (reflow) => {
  const words = WORDS.slice(0, 400);
  // A terminal that cuts its lines cuts those in its scrollback as well.
  const text = { breaks: words.join(' '), cuts: words.join('\n\n') }[reflow];
  const sizes = [
    [60, 24],
    [44, 30],
    [80, 16],
    [52, 20],
    [100, 40],
    [40, 24],
    [80, 24],
  ] as const;
  const wordsAndRest = (chat: RunningChat): string => transcript(chat.terminal.all()).join(' ');

  const open = async (): Promise<RunningChat> => {
    const chat = await startChat([answer(text)], { reflow });
    chat.say('go');
    await chat.idle();
    return chat;
  };

  it('the rows of a draft are moved with it', async () => {
    const chat = await open();
    const long = 'and so on until it is wider than the narrowest window of this test';
    chat.terminal.press(`\x1b[200~first\nsecond, ${long}\nthird, ${long}\nfourth\x1b[201~`, keys.up, keys.up, keys.up);
    await chat.terminal.until('fourth');
    await drawn(chat);
    for (const [columns, rows] of sizes) {
      await resize(chat, columns, rows);
      expect(wordsOf(chat), `${columns} x ${rows}`).toEqual(words);
    }
    expect(wordsAndRest(chat).match(/first|second|third|fourth/g)).toEqual(['first', 'second', 'third', 'fourth']);
  });

  it('an open list of completions is moved with it', async () => {
    const chat = await open();
    chat.terminal.type('/');
    await chat.terminal.until('commands and keys');
    await drawn(chat);
    for (const [columns, rows] of sizes) {
      await resize(chat, columns, rows);
      expect(wordsOf(chat), `${columns} x ${rows}`).toEqual(words);
    }
    expect(wordsAndRest(chat).match(/→ help|\(1\/13\)/g)).toEqual(['→ help', '(1/13)']);
  });
});

describe('a screenful of long lines', () => {
  it.each(['breaks', 'cuts'] as const)('is drawn anew, on a terminal that %s lines', async (reflow) => {
    const words = WORDS.slice(0, 200);
    const chat = await startChat([answer(words.join(' '))], { reflow });
    chat.say('go');
    await chat.idle();
    await resize(chat, 60, 24);
    await resize(chat, 80, 24);
    expect(wordsOf(chat)).toEqual(words);
  });
});

describe('20 columns', () => {
  it('are enough for everything', async () => {
    const text =
      '# A long heading over it\n\n| a | b |\n|---|---|\n| one | two |\n\n```ts\nconst long = "a very long line of code";\n```\n\n- 日本語の文章がここにあります 👩‍👩‍👧\n\nEnd.';
    const chat = await startChat([answer(text)], { columns: 20, rows: 40 });
    chat.say('go on with this long prompt');
    await chat.idle();
    expect(transcript(chat.terminal.all())).toEqual([
      '› go on with this',
      '  long prompt',
      'A long heading over',
      'it',
      '┌─────┬─────┐',
      '│ a   │ b   │',
      '├─────┼─────┤',
      '│ one │ two │',
      '└─────┴─────┘',
      '  const long = "a',
      '  very long line of',
      '  code";',
      '- 日本語の文章がここ',
      '  にあります 👩‍👩‍👧',
      'End.',
    ]);
    chat.say('/help');
    await chat.terminal.until(/Ctrl-D\s+leaves/);
  });
});

describe('the bytes of a frame', () => {
  it('are those of what changed: a long answer costs little more than itself', async () => {
    const line = `${'word '.repeat(14)}end`;
    const text = Array.from({ length: 400 }, () => line).join('\n\n');
    const steps: Step[] = (text.match(/[^]{1,40}/g) ?? []).flatMap((piece): Step[] => [
      delta(piece),
      () => new Promise(setImmediate),
    ]);
    const chat = await startChat([[...steps, done(message(text)), completed()]]);
    const before = chat.terminal.written.length;
    chat.say('go');
    await chat.idle();
    expect(chat.terminal.written.length - before).toBeLessThan(6 * text.length);
    const quiet = chat.terminal.written.length;
    chat.app.screen.renderNow();
    expect(chat.terminal.written.length).toBe(quiet);
  });

  it('are few for one more word at the end of a line', async () => {
    const held = gate();
    const chat = await startChat([
      [delta('Some words'), held.wait, delta(' more'), () => new Promise(() => undefined)],
    ]);
    chat.say('go');
    await chat.terminal.until('Some words');
    const before = chat.terminal.written.length;
    held.open();
    await chat.terminal.until('Some words more');
    // The word, the status line, and the marks around a frame.
    expect(chat.terminal.written.length - before).toBeLessThan(260);
  });
});
