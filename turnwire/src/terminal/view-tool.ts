import { visible } from '@turnwire/wire/internal/base/printable';
import type { ToolFinishedEvent, ToolOutputEvent, ToolStartedEvent } from '@turnwire/agent/internal/events';
import { boundText, screenNext, screenText } from './text.ts';
import { addCell, findCell, removeCells, replaceCell } from './view-cells.ts';
import type { Cell, ToolCell, ToolState, ViewState } from './view-state.ts';

/** Characters of input and output that a cell keeps. */
const MAX_INPUT = 4000;
const MAX_OUTPUT = 8000;

const isLive = (cell: Cell, callId: string): cell is ToolCell =>
  cell.type === 'tool' && cell.callId === callId && cell.open;

interface WrittenCall {
  readonly callId: string;
  readonly name?: string;
  readonly item?: string;
  readonly input: string;
  readonly whole: boolean;
}

/** A call begins, goes on, or is whole; `input` replaces what is known when `whole`. */
export function writeCall(state: ViewState, call: WrittenCall): ViewState {
  const known = findLive(state, call.callId);
  if (known === undefined) return addCall(state, call);
  if (known.state !== 'writing') return state;
  return change(state, known, {
    ...inputAfter(known, call),
    name: call.name === undefined ? known.name : visible(call.name),
    item: call.item ?? known.item,
  });
}

type Written = Pick<ToolCell, 'input' | 'held'>;

function inputAfter(known: Written, { input, whole }: WrittenCall): Written {
  if (whole) return { input: screenText(input).slice(-MAX_INPUT), held: '' };
  const { text, held } = screenNext(known.held, input);
  return { input: (known.input + text).slice(-MAX_INPUT), held };
}

export function startTool(state: ViewState, event: ToolStartedEvent): ViewState {
  const ready =
    findLive(state, event.call_id) === undefined
      ? addCall(state, { callId: event.call_id, name: event.name, input: '', whole: true })
      : state;
  return changeLive(ready, event.call_id, {
    name: visible(event.name),
    kind: event.kind,
    state: 'running',
    held: '',
    title: visible(event.title),
    ...(event.changes === undefined ? {} : { changes: event.changes }),
  });
}

export function addToolOutput(state: ViewState, event: ToolOutputEvent): ViewState {
  const cell = findLive(state, event.call_id);
  if (cell === undefined) return state;
  const { output, held } = outputAfter(cell, event.delta);
  return change(state, cell, { output: boundText(output, MAX_OUTPUT), held });
}

type Shown = Pick<ToolCell, 'output' | 'held'>;

/** What a carriage return begins anew replaces what stands on its line: progress bars, counters. */
function outputAfter(known: Shown, piece: string): Shown {
  const raw = known.held + piece;
  const parts = raw.split(/\r+(?![\r\n]|$)/);
  const last = screenNext('', parts.at(-1) ?? '');
  const texts = [...parts.slice(0, -1).map(screenText), last.text];
  const output = texts.reduce((shown, text, at) => (at === 0 ? shown : withoutLastLine(shown)) + text, known.output);
  return { output, held: raw.endsWith('\r') ? `${last.held}\r` : last.held };
}

function wholeOutput(text: string): string {
  const { output, held } = outputAfter({ output: '', held: '' }, text);
  return output + screenText(held);
}

function withoutLastLine(text: string): string {
  return text.slice(0, text.lastIndexOf('\n') + 1);
}

export function finishTool(state: ViewState, event: ToolFinishedEvent): ViewState {
  return changeLive(state, event.call_id, {
    state: event.status,
    open: false,
    held: '',
    output: boundText(wholeOutput(event.output), MAX_OUTPUT),
    durationMs: event.duration_ms,
    ...(event.exit_code === undefined ? {} : { exitCode: event.exit_code }),
  });
}

export function setToolState(state: ViewState, callId: string, to: ToolState): ViewState {
  return changeLive(state, callId, { state: to });
}

/** Calls that were written and will not run: the server dropped them, or the turn ended. */
export function closeWriting(state: ViewState): ViewState {
  const isWriting = (cell: Cell): cell is ToolCell => cell.type === 'tool' && cell.open && cell.state === 'writing';
  if (!state.cells.some(isWriting)) return state;
  return {
    ...state,
    cells: state.cells.map((cell) => (isWriting(cell) ? { ...cell, open: false, state: 'dropped' as const } : cell)),
  };
}

/** A retry: calls that were only being written are void; one that runs is real. */
export function dropWriting(state: ViewState): ViewState {
  return removeCells(state, (cell) => cell.type === 'tool' && cell.state === 'writing');
}

function addCall(state: ViewState, call: WrittenCall): ViewState {
  return addCell(state, {
    type: 'tool',
    open: true,
    item: call.item ?? '',
    callId: call.callId,
    name: visible(call.name ?? 'tool'),
    state: 'writing',
    ...inputAfter({ input: '', held: '' }, call),
    kind: 'other',
    output: '',
  });
}

function findLive(state: ViewState, callId: string): ToolCell | undefined {
  return findCell(state, (cell): cell is ToolCell => isLive(cell, callId));
}

function changeLive(state: ViewState, callId: string, to: Partial<ToolCell>): ViewState {
  const cell = findLive(state, callId);
  return cell === undefined ? state : change(state, cell, to);
}

function change(state: ViewState, cell: ToolCell, to: Partial<ToolCell>): ViewState {
  return replaceCell(state, cell.key, () => ({ ...cell, ...to }));
}
