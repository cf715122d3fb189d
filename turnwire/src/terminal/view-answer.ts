import { isObject, stringOf, type JsonObject } from '@turnwire/wire/internal/base/json';
import type { OutputItem } from '@turnwire/wire/internal/model/items';
import { addText, emptySplitter, finishText, type Block } from './markdown-blocks.ts';
import { screenNext, screenText } from './text.ts';
import { removeCells } from './view-cells.ts';
import type { Cell, OpenAnswer, TextCell, ViewState } from './view-state.ts';

/** A delta of an answer or a refusal. Only its open block is drawn anew. */
export function streamAnswer(state: ViewState, item: string, delta: string): ViewState {
  const before = openAnswer(state, item);
  const { text, held } = screenNext(before.held, delta);
  if (text === '' && held === before.held) return state;
  const { splitter, blocks, open } = addText(before.splitter, text);
  const after = { ...before, text: before.text + text, held, splitter };
  const answers = new Map(state.answers).set(item, after);
  return { ...withBlocks(state, item, after.firstKey, { done: blocks, open }), answers };
}

/** The text of the item that is done is what counts: streamed or not, it ends up looking the same. */
export function finishAnswer(state: ViewState, item: string, text: string): ViewState {
  const whole = screenText(text);
  const streamed = openAnswer(state, item);
  if (!whole.startsWith(streamed.text)) return rewriteAnswer(state, item, whole, streamed.firstKey);
  const { splitter, blocks } = addText(streamed.splitter, whole.slice(streamed.text.length));
  return closed(
    withBlocks(state, item, streamed.firstKey, { done: [...blocks, ...finishText(splitter)], open: [] }),
    item,
  );
}

/** The stream is over and nobody said that the item is done: what was said stays. */
export function keepPartial(state: ViewState, item: string): ViewState {
  const streamed = state.answers.get(item);
  if (streamed === undefined) return state;
  const { splitter, blocks } = addText(streamed.splitter, screenText(streamed.held));
  const done = [...blocks, ...finishText(splitter)];
  return closed(withBlocks(state, item, streamed.firstKey, { done, open: [] }), item);
}

/** The text of a message item, refusals included. */
export function textOfMessage(item: OutputItem): string {
  const { content } = item as JsonObject;
  return Array.isArray(content) ? content.map(textOfPart).join('') : '';
}

/** Some part of it says no, as no part of an answer does. */
export function isRefusal(item: OutputItem): boolean {
  const { content } = item as JsonObject;
  return Array.isArray(content) && content.some((part) => isObject(part) && part.type === 'refusal');
}

function textOfPart(part: unknown): string {
  if (!isObject(part)) return '';
  return stringOf(part.text) ?? stringOf(part.refusal) ?? '';
}

function openAnswer(state: ViewState, item: string): OpenAnswer {
  return state.answers.get(item) ?? { text: '', held: '', splitter: emptySplitter, firstKey: state.nextKey };
}

/** The server corrected itself: the streamed blocks go, those of the true text come. */
function rewriteAnswer(state: ViewState, item: string, text: string, firstKey: number): ViewState {
  const bare = removeCells(state, (cell) => isOf(cell, item, firstKey));
  const { splitter, blocks } = addText(emptySplitter, text);
  return closed(withBlocks(bare, item, firstKey, { done: [...blocks, ...finishText(splitter)], open: [] }), item);
}

function closed(state: ViewState, item: string): ViewState {
  const answers = new Map(state.answers);
  answers.delete(item);
  return { ...state, answers };
}

interface Blocks {
  readonly done: readonly Block[];
  readonly open: readonly Block[];
}

/** Puts finished and open blocks in the place of the open ones of the same answer. */
function withBlocks(state: ViewState, item: string, firstKey: number, blocks: Blocks): ViewState {
  const { cells } = state;
  const last = cells.findLastIndex((cell) => isOf(cell, item, firstKey));
  const end = last < 0 ? cells.length : last + 1;
  let first = end;
  while (first > 0 && isOf(cells[first - 1], item, firstKey) && cells[first - 1]?.open === true) first--;
  let key = state.nextKey;
  const wanted = [
    ...blocks.done.map((block) => ({ block, open: false })),
    ...blocks.open.map((block) => ({ block, open: true })),
  ];
  // A block that was open keeps its key, so that it is redrawn in its place.
  const fresh = wanted.map((one, at): TextCell => ({
    type: 'text',
    item,
    key: keyAt(cells, first + at, end) ?? key++,
    ...one,
  }));
  return { ...state, cells: [...cells.slice(0, first), ...fresh, ...cells.slice(end)], nextKey: key };
}

function keyAt(cells: readonly Cell[], at: number, end: number): number | undefined {
  return at < end ? cells[at]?.key : undefined;
}

function isOf(cell: Cell | undefined, item: string, firstKey: number): boolean {
  return cell?.type === 'text' && cell.item === item && cell.key >= firstKey;
}
