import { screenText } from './text.ts';
import type { Cell, NoticeCell, ViewState } from './view-state.ts';

type WithoutKey<T> = T extends Cell ? Omit<T, 'key'> : never;

/** A cell at the end of the transcript. */
export function addCell(state: ViewState, cell: WithoutKey<Cell>): ViewState {
  return { ...state, cells: [...state.cells, { ...cell, key: state.nextKey }], nextKey: state.nextKey + 1 };
}

export function addNotice(state: ViewState, level: NoticeCell['level'], text: string): ViewState {
  return addCell(state, { type: 'notice', open: false, level, text: screenText(text) });
}

/** The latest cell that fits. */
export function findCell<T extends Cell>(state: ViewState, fits: (cell: Cell) => cell is T): T | undefined {
  return state.cells.findLast(fits);
}

export function replaceCell(state: ViewState, key: number, change: (cell: Cell) => Cell): ViewState {
  const at = state.cells.findLastIndex((cell) => cell.key === key);
  const cell = state.cells[at];
  return cell === undefined ? state : { ...state, cells: state.cells.with(at, change(cell)) };
}

export function removeCells(state: ViewState, goes: (cell: Cell) => boolean): ViewState {
  const cells = state.cells.filter((cell) => !goes(cell));
  return cells.length === state.cells.length ? state : { ...state, cells };
}
