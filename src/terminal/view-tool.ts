import type { ToolFinishedEvent, ToolOutputEvent, ToolStartedEvent } from '../agent/events.ts';
import { boundText, printable } from './text.ts';
import { addCell, findCell, removeCells, replaceCell } from './view-cells.ts';
import type { Cell, ToolCell, ToolState, ViewState } from './view-state.ts';

/** Characters of input and output that a cell keeps. */
const MAX_INPUT = 4000;
const MAX_OUTPUT = 8000;

const isLive = (cell: Cell, callId: string): cell is ToolCell =>
  cell.type === 'tool' && cell.callId === callId && cell.open;

/** A call begins, goes on, or is whole; `input` replaces what is known when `whole`. */
export function writeCall(
  state: ViewState,
  call: {
    readonly callId: string;
    readonly name?: string;
    readonly item?: string;
    readonly input: string;
    readonly whole: boolean;
  },
): ViewState {
  const known = findLive(state, call.callId);
  if (known === undefined) return addCall(state, call);
  if (known.state !== 'writing') return state;
  const text = printable(call.whole ? call.input : call.input === '' ? '' : known.input + call.input);
  const input = call.input === '' && !call.whole ? known.input : text.slice(-MAX_INPUT);
  return change(state, known, { input, name: call.name ?? known.name, item: call.item ?? known.item });
}

export function startTool(state: ViewState, event: ToolStartedEvent): ViewState {
  const ready =
    findLive(state, event.call_id) === undefined
      ? addCall(state, { callId: event.call_id, name: event.name, input: '' })
      : state;
  return changeLive(ready, event.call_id, {
    name: event.name,
    kind: event.kind,
    state: 'running',
    title: printable(event.title),
    ...(event.changes === undefined ? {} : { changes: event.changes }),
  });
}

export function addToolOutput(state: ViewState, event: ToolOutputEvent): ViewState {
  const cell = findLive(state, event.call_id);
  if (cell === undefined) return state;
  return change(state, cell, { output: boundText(cell.output + printable(event.delta), MAX_OUTPUT) });
}

export function finishTool(state: ViewState, event: ToolFinishedEvent): ViewState {
  return changeLive(state, event.call_id, {
    state: event.status,
    open: false,
    output: boundText(printable(event.output), MAX_OUTPUT),
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

function addCall(
  state: ViewState,
  call: { readonly callId: string; readonly name?: string; readonly item?: string; readonly input: string },
): ViewState {
  return addCell(state, {
    type: 'tool',
    open: true,
    item: call.item ?? '',
    callId: call.callId,
    name: call.name ?? 'tool',
    state: 'writing',
    input: printable(call.input).slice(-MAX_INPUT),
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
