import { isObject, stringOf, type JsonObject } from '@turnwire/wire/internal/base/json';
import type { OutputItem } from '@turnwire/wire/internal/model/items';
import { screenNext, screenText } from './text.ts';
import { addCell, removeCells, replaceCell } from './view-cells.ts';
import type { OpenReasoning, ViewState } from './view-state.ts';

export type ReasoningSource = 'summary' | 'content';

/** A delta of a reasoning block. Each item is a block of its own; its parts are set apart by a blank line. */
export function streamReasoning(
  state: ViewState,
  item: string,
  source: ReasoningSource,
  index: number,
  delta: string,
): ViewState {
  const known = state.reasoning.get(item);
  const { text, held } = screenNext(known?.held ?? '', delta);
  if (text === '' && held === (known?.held ?? '')) return state;
  const before = known ?? newReasoning(state.nextKey, source, index);
  const after = { ...appended(before, source, index, text), held };
  const reasoning = new Map(state.reasoning).set(item, after);
  const shown = shownText(after);
  const next =
    known === undefined
      ? addCell(state, { type: 'reasoning', open: true, item, text: shown })
      : replaceCell(state, known.key, (cell) => (cell.type === 'reasoning' ? { ...cell, text: shown } : cell));
  return { ...next, reasoning };
}

/** The done item's text counts, unless it has none (servers encrypt it): then what was streamed stays. */
export function finishReasoning(state: ViewState, id: string, item: OutputItem): ViewState {
  const text = screenText(textOfReasoning(item)).trim();
  const open = state.reasoning.get(id);
  if (open === undefined) {
    return text === '' ? state : addCell(state, { type: 'reasoning', open: false, item: id, text });
  }
  return close(state, id, open, text === '' ? wholeText(open) : text);
}

/** The stream is over without the item's end. */
export function keepReasoning(state: ViewState, id: string): ViewState {
  const open = state.reasoning.get(id);
  return open === undefined ? state : close(state, id, open, wholeText(open));
}

function close(state: ViewState, id: string, open: OpenReasoning, text: string): ViewState {
  const reasoning = new Map(state.reasoning);
  reasoning.delete(id);
  const rest = { ...state, reasoning };
  if (text === '') return removeCells(rest, (cell) => cell.key === open.key);
  return replaceCell(rest, open.key, (cell) => (cell.type === 'reasoning' ? { ...cell, text, open: false } : cell));
}

function newReasoning(key: number, source: ReasoningSource, index: number): OpenReasoning {
  return {
    key,
    held: '',
    summary: '',
    content: '',
    summaryIndex: source === 'summary' ? index : 0,
    contentIndex: source === 'content' ? index : 0,
  };
}

function appended(before: OpenReasoning, source: ReasoningSource, index: number, text: string): OpenReasoning {
  const isSummary = source === 'summary';
  const old = before[source];
  const oldIndex = isSummary ? before.summaryIndex : before.contentIndex;
  const joined = old === '' || index === oldIndex ? old + text : `${old}\n\n${text}`;
  return isSummary
    ? { ...before, summary: joined, summaryIndex: index }
    : { ...before, content: joined, contentIndex: index };
}

/** A summary is written for people; where there is one, the raw text is not shown as well. */
function shownText(open: OpenReasoning): string {
  return open.summary === '' ? open.content : open.summary;
}

/** No more comes. */
function wholeText(open: OpenReasoning): string {
  return (shownText(open) + screenText(open.held)).trim();
}

function textOfReasoning(item: OutputItem): string {
  const { summary, content } = item as JsonObject;
  const text = joinedTexts(summary);
  return text === '' ? joinedTexts(content) : text;
}

function joinedTexts(parts: unknown): string {
  if (!Array.isArray(parts)) return '';
  const texts = parts.map((part: unknown) => (isObject(part) ? (stringOf(part.text) ?? '') : ''));
  return texts.filter((text) => text !== '' && text.trim() !== '<!-- -->').join('\n\n');
}
