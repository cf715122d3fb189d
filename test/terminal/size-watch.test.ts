import { describe, expect, it } from 'vitest';
import { rowsAbove } from '../../turnwire/src/terminal/reflow.ts';
import { SizeWatch, type Size } from '../../turnwire/src/terminal/size-watch.ts';
import { manualClock } from '../transport/support/manual-clock.ts';

const ASK_SIZE = '\x1b[18t';
const ASK_CURSOR = '\x1b[6n';
const DRAWN = { width: 80, rows: 24 };

/** A terminal that answers when the test says so; `columns` and `rows` are what the system tells of it. */
function watched() {
  const clock = manualClock();
  const asked: string[] = [];
  const settled: (number | undefined)[] = [];
  const terminal = { columns: 80, rows: 24, write: (text: string) => void asked.push(text) };
  const frames: (string | Size | number)[] = [];
  const watch = new SizeWatch({
    terminal,
    clock,
    settled: (cursorRow) => void settled.push(cursorRow),
    arrived: () => void frames.push('arrived'),
    mistaken: (first, last, cursorRow) =>
      void frames.push(first, last, ...(cursorRow === undefined ? [] : [cursorRow])),
  });
  watch.begin();
  const hear = (columns: number, rows: number): void => {
    Object.assign(terminal, { columns, rows });
    watch.notice(DRAWN);
  };
  return { watch, clock, asked, settled, frames, hear };
}

describe('after a resize the moment to draw is', () => {
  it('when the terminal has told its cursor and the size that was heard of', () => {
    const { watch, clock, asked, settled, hear } = watched();
    watch.take('\x1b[8;24;80t');
    hear(60, 24);
    expect(watch.isResizing).toBe(true);
    clock.advance(300);
    expect(asked).toEqual([ASK_CURSOR + ASK_SIZE]);
    watch.take('\x1b[20;1R');
    expect(settled).toEqual([]);
    watch.take('\x1b[8;24;60t');
    expect(settled).toEqual([19]);
    expect(watch.isResizing).toBe(false);
  });

  it('not yet when the terminal tells a size of which nothing was heard', () => {
    const { watch, clock, asked, settled, hear } = watched();
    watch.take('\x1b[8;24;80t');
    hear(60, 24);
    clock.advance(300);
    watch.take('\x1b[20;1R');
    watch.take('\x1b[8;24;50t');
    expect(settled).toEqual([]);
    hear(50, 24);
    clock.advance(1000);
    expect(asked).toEqual([ASK_CURSOR + ASK_SIZE, ASK_CURSOR + ASK_SIZE]);
    watch.take('\x1b[18;1R');
    watch.take('\x1b[8;24;50t');
    expect(settled).toEqual([17]);
  });

  it('later when the size changes again and again', () => {
    const { clock, asked, hear } = watched();
    hear(60, 24);
    clock.advance(200);
    hear(61, 24);
    clock.advance(399);
    expect(asked).toEqual([]);
    clock.advance(1);
    expect(asked).toEqual([ASK_CURSOR]);
  });

  it('when only the latest question for the cursor is answered', () => {
    const { watch, clock, settled, hear } = watched();
    hear(60, 24);
    clock.advance(300);
    hear(50, 24);
    clock.advance(1000);
    watch.take('\x1b[20;1R');
    expect(settled).toEqual([]);
    watch.take('\x1b[18;1R');
    expect(settled).toEqual([17]);
  });

  it('after the cursor alone where the terminal means another size than the system', () => {
    const { watch, clock, asked, settled, hear } = watched();
    watch.take('\x1b[8;25;80t');
    hear(60, 24);
    clock.advance(300);
    expect(asked).toEqual([ASK_CURSOR]);
    watch.take('\x1b[20;1R');
    expect(settled).toEqual([19]);
  });

  it('at last without an answer, and the next time at once', () => {
    const { clock, asked, settled, hear } = watched();
    hear(60, 24);
    clock.advance(300 + 3000);
    expect(settled).toEqual([undefined]);
    clock.advance(1000);
    hear(50, 24);
    clock.advance(300);
    expect(settled).toEqual([undefined, undefined]);
    expect(asked).toEqual([ASK_CURSOR]);
  });
});

it('reads the size of tmux 3.3a, which tells the columns first', () => {
  const { watch, clock, settled, hear } = watched();
  watch.take('\x1b[8;80;24t');
  hear(60, 24);
  clock.advance(300);
  watch.take('\x1b[20;1R');
  watch.take('\x1b[8;60;24t');
  expect(settled).toEqual([19]);
});

describe('a frame', () => {
  it('is followed by the next one once the terminal has it', () => {
    const { watch, frames } = watched();
    watch.take('\x1b[8;24;80t');
    expect(watch.question).toBe(ASK_SIZE);
    watch.send(DRAWN, 1);
    expect(watch.isArriving).toBe(true);
    watch.take('\x1b[8;24;80t');
    expect(frames).toEqual(['arrived']);
    expect(watch.isArriving).toBe(false);
  });

  it('that met another size is told, and nothing is drawn before the terminal and the system agree', () => {
    const { watch, clock, frames, settled, hear } = watched();
    watch.take('\x1b[8;24;80t');
    watch.send(DRAWN, 2);
    watch.take('\x1b[8;24;80t');
    expect(frames).toEqual([]);
    watch.take('\x1b[8;20;60t');
    expect(frames).toEqual([DRAWN, { width: 60, rows: 20 }]);
    expect(watch.isResizing).toBe(true);
    hear(60, 20);
    clock.advance(300);
    watch.take('\x1b[18;1R');
    watch.take('\x1b[8;20;60t');
    expect(settled).toEqual([17]);
  });

  it('that erases asks for the cursor, too, and tells where that was when the size was another one', () => {
    const { watch, frames, hear } = watched();
    watch.take('\x1b[8;24;80t');
    expect(watch.askErased(DRAWN)).toBe(ASK_CURSOR + ASK_SIZE);
    hear(60, 20);
    watch.take('\x1b[20;7R');
    expect(frames).toEqual([]);
    watch.take('\x1b[8;20;60t');
    expect(frames).toEqual([{ width: 60, rows: 20 }, { width: 60, rows: 20 }, 19]);
    expect(watch.isResizing).toBe(true);
  });

  it('that erases is not asked about where the terminal does not tell its size', () => {
    const { watch } = watched();
    expect(watch.askErased(DRAWN)).toBe('');
    expect(watch.isArriving).toBe(false);
  });

  it('whose answer comes while the cursor is asked for is told apart from that', () => {
    const { watch, clock, frames, settled, hear } = watched();
    watch.take('\x1b[8;24;80t');
    watch.send(DRAWN, 1);
    hear(60, 24);
    clock.advance(300);
    watch.take('\x1b[8;24;80t');
    expect([frames, settled]).toEqual([['arrived'], []]);
    watch.take('\x1b[20;1R');
    watch.take('\x1b[8;24;60t');
    expect(settled).toEqual([19]);
  });

  it('waits for nothing where the terminal does not tell its size, or no more', () => {
    const { watch, clock, frames } = watched();
    expect(watch.question).toBe('');
    watch.take('\x1b[8;24;80t');
    watch.send(DRAWN, 1);
    clock.advance(3000);
    expect(frames).toEqual(['arrived']);
    expect(watch.isArriving).toBe(false);
    expect(watch.question).toBe('');
  });
});

describe('before the terminal is given away', () => {
  it('all that was asked is answered, and nothing more is asked until it is back', async () => {
    const { watch, clock } = watched();
    watch.take('\x1b[8;24;80t');
    watch.send(DRAWN, 2);
    let isHushed = false;
    const hushed = watch.hush().then(() => (isHushed = true));
    expect(watch.question).toBe('');
    watch.take('\x1b[8;24;80t');
    await Promise.resolve();
    expect(isHushed).toBe(false);
    watch.take('\x1b[8;24;80t');
    await hushed;
    watch.begin();
    expect(watch.question).toBe(ASK_SIZE);
    expect(clock.pending).toBe(0);
  });

  it('it is waited for half a second at most, and not at all when nothing was asked', async () => {
    const { watch, clock } = watched();
    await watch.hush();
    watch.begin();
    watch.take('\x1b[8;24;80t');
    watch.send(DRAWN, 1);
    const hushed = watch.hush();
    clock.advance(500);
    await hushed;
  });
});

it('of the rows that a terminal broke, those above are known', () => {
  expect(rowsAbove(['abcdef', '', 'gh'], 5, 2)).toEqual([]);
  expect(rowsAbove(['abcdef', '', 'gh'], 4, 2)).toEqual(['ab']);
  expect(rowsAbove(['abcdef', '', 'gh'], 1, 2)).toEqual(['abcdef', '']);
  expect(rowsAbove([], 1, 2)).toEqual([]);
});

it('leaves to others what is typed', () => {
  const { watch } = watched();
  for (const key of ['a', '\x1b[A', '\x1b[1;2R']) expect(watch.take(key)).toBe(false);
});
