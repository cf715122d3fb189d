import { describe, expect, it } from 'vitest';
import { Layout } from '../../turnwire/src/terminal/layout.ts';
import type { Cell } from '../../turnwire/src/terminal/view-state.ts';

const cell = (key: number, text: string, open = true): Cell => ({ type: 'notice', level: 'info', key, open, text });

/** Each line of a cell's text is a line; wider ones are broken. */
function update(layout: Layout, top: number, cells: readonly Cell[], width = 20): string[] {
  const render = (one: Cell): string[] =>
    'text' in one ? one.text.split('\n').flatMap((line) => line.match(new RegExp(`.{1,${width}}`, 'g')) ?? ['']) : [];
  const lines = layout.update(cells, { render, width, look: '', top, voidMark: 'void' });
  return [`from ${layout.first}`, ...lines];
}

describe('the lines that have left the screen', () => {
  it('stay as they were when their cell changes, and it goes on behind them', () => {
    const layout = new Layout();
    update(layout, 0, [cell(1, 'a\nb\nc'), cell(2, 'd')]);
    expect(update(layout, 2, [cell(1, 'A\nB\nC\nC2'), cell(2, 'd')])).toEqual(['from 0', 'a', 'b', 'C', 'C2', 'd']);
    expect(update(layout, 2, [cell(1, 'A'), cell(2, 'd')])).toEqual(['from 0', 'a', 'b', 'd']);
  });

  it('of a cell that is gone stay, with a mark behind them; what is on the screen goes', () => {
    const layout = new Layout();
    update(layout, 0, [cell(1, 'a\nb\nc'), cell(2, 'd')]);
    expect(update(layout, 2, [cell(3, 'new')])).toEqual(['from 0', 'a', 'b', 'void', 'new']);
    expect(update(layout, 2, [cell(3, 'newer')])).toEqual(['from 0', 'a', 'b', 'void', 'newer']);
    const other = new Layout();
    update(other, 0, [cell(1, 'a\nb\nc'), cell(2, 'd')]);
    expect(update(other, 0, [cell(3, 'new')])).toEqual(['from 0', 'new']);
  });

  it('are not counted anew when a cell above the screen changes', () => {
    const layout = new Layout();
    update(layout, 0, [cell(1, 'a'), cell(2, 'b\nc'), cell(3, 'd')]);
    expect(update(layout, 2, [cell(1, 'now\nlonger'), cell(2, 'b\nc'), cell(3, 'd')])).toEqual([
      'from 0',
      'a',
      'b',
      'c',
      'd',
    ]);
  });

  it('are given up with their cells once these are final', () => {
    const layout = new Layout();
    const cells = [cell(1, 'a', false), cell(2, 'b', false), cell(3, 'c')];
    update(layout, 0, cells);
    update(layout, 1, cells);
    expect([...layout.sealed]).toEqual([1]);
    expect(update(layout, 1, cells.slice(1))).toEqual(['from 0', 'a', 'b', 'c']);
  });

  it('of another width stay, and the rest of their cell is drawn in the new one', () => {
    const layout = new Layout();
    update(layout, 0, [cell(1, 'one two three four')], 6);
    const wide = update(layout, 1, [cell(1, 'one two three four')], 10);
    expect(wide[1]).toBe('one tw');
    expect(wide.join('').replaceAll(/\s/g, '')).toContain('three');
    expect(wide.at(-1)).toBe('ree four');
  });
});
