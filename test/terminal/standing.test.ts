import { expect, it } from 'vitest';
import { Standing } from '../../turnwire/src/terminal/standing.ts';

/** Four lines of ten columns, the last two of them on the screen, and a status line with the cursor below. */
const LINES = ['aaaaaaaaaa', 'bbbbbbbbbb', 'cccccccccc', 'dddddddddd'];

function standing(): Standing {
  const all = new Standing();
  const shown = [{ text: 'cccccccccc' }, { text: 'dddddddddd' }, { text: 'status' }];
  all.note({ first: 5, lines: LINES, top: 7, shown, cursorRow: 2 }, 10);
  return all;
}

it.each([
  { rows: 4, width: 10, top: 5, above: 0 },
  { rows: 4, width: 5, top: 7, above: 0 },
  { rows: 3, width: 5, top: 8, above: 1 },
  { rows: 6, width: 10, top: 5, above: 2 },
  { rows: 0, width: 10, top: 9, above: 0 },
])('$rows rows above the cursor, $width columns wide: line $top, with $above rows above it', (one) => {
  const { rows, width, top, above } = one;
  expect(standing().seat({ rows, width, reflow: 'breaks' })).toEqual({ top, above });
});

it('what a line lost with the rows below is printed again, unless the whole line is drawn anew', () => {
  const torn = standing();
  expect(torn.tear({ rows: 3, width: 5, reflow: 'breaks' })).toBe(8);
  expect(torn.takeRest(8)).toBe('ccccc');
  expect(torn.takeRest(8)).toBe('');
  const anew = standing();
  anew.tear({ rows: 3, width: 5, reflow: 'breaks' });
  expect(anew.takeRest(7)).toBe('');
});

it('a line that was torn is as short as what was kept of it', () => {
  const torn = standing();
  torn.tear({ rows: 3, width: 5, reflow: 'breaks' });
  torn.note({ first: 5, lines: LINES, top: 8, shown: [], cursorRow: 0 }, 10);
  expect(torn.seat({ rows: 1, width: 10, reflow: 'breaks' })).toEqual({ top: 7, above: 0 });
  expect(torn.seat({ rows: 1, width: 4, reflow: 'breaks' })).toEqual({ top: 8, above: 1 });
});

it('rows that are no lines are counted, and nothing above them is drawn anew', () => {
  const all = standing();
  all.stray(8, ['stray']);
  all.note({ first: 5, lines: LINES, top: 8, shown: [{ text: 'dddddddddd' }], cursorRow: 1 }, 10);
  expect(all.seat({ rows: 3, width: 10, reflow: 'breaks' })).toEqual({ top: 8, above: 2 });
});
