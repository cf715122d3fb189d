import { lastStates } from '@turnwire/wire/internal/base/last-states';
import { visible } from '@turnwire/wire/internal/base/printable';
import { printedOf } from '@turnwire/agent/internal/tools/command-text';
import type { ToolFinishedEvent, ToolOutputEvent, ToolStartedEvent } from '@turnwire/agent/internal/events';
import { boundText, screenNext, screenText } from './text.ts';
import { addCell, findCell, removeCells, replaceCell } from './view-cells.ts';
import type { Cell, ToolCell, ViewState } from './view-state.ts';

/** Characters of input and output that a cell keeps. */
const MAX_INPUT = 4000;
const MAX_OUTPUT = 40_000;
/** Outputs that are kept whole. */
const MAX_OUTPUTS = 50;

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

export function startTool(state: ViewState, event: ToolStartedEvent, now: number): ViewState {
  const ready =
    findLive(state, event.call_id) === undefined
      ? addCall(state, { callId: event.call_id, name: event.name, input: '', whole: true })
      : state;
  return changeLive(ready, event.call_id, {
    name: visible(event.name),
    kind: event.kind,
    state: 'running',
    runningSince: now,
    held: '',
    title: visible(event.title),
    ...(event.changes === undefined ? {} : { changes: event.changes }),
  });
}

/** A command that the person runs, without the model. */
export function startOwnCommand(state: ViewState, callId: string, command: string, now: number): ViewState {
  const begun = startTool(
    state,
    { type: 'tool.started', call_id: callId, name: '!', kind: 'execute', title: command },
    now,
  );
  return changeLive(begun, callId, { isOwn: true });
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

function withoutLastLine(text: string): string {
  return text.slice(0, text.lastIndexOf('\n') + 1);
}

/** The tool and what it does: of `read_file` and `read a.txt` the second says both. A command is told as it is. */
export function wordsOfCall({ kind, name }: ToolCell, title: string): readonly [name: string, rest: string] {
  const [verb = ''] = title.split(' ', 1);
  const saysBoth = kind !== 'execute' && name.split('_').includes(verb);
  return saysBoth ? [verb, title.slice(verb.length + 1)] : [name, title];
}

export function finishTool(state: ViewState, event: ToolFinishedEvent): ViewState {
  const cell = findLive(state, event.call_id);
  if (cell === undefined) return state;
  const printed = screenText(lastStates(printedOf(event.output, event.exit_code)));
  // What was changed stands in the diff already.
  const isShown = event.status !== 'completed' || (cell.changes ?? []).length === 0;
  const title = wordsOfCall(cell, cell.title === cell.name ? '' : (cell.title ?? cell.input));
  const kept = { title: title.join(' ').trimEnd(), text: printed };
  return change({ ...state, outputs: [...state.outputs, kept].slice(-MAX_OUTPUTS) }, cell, {
    state: event.status,
    open: false,
    held: '',
    output: isShown ? boundText(printed, MAX_OUTPUT) : '',
    durationMs: event.duration_ms,
    ...(event.exit_code === undefined ? {} : { exitCode: event.exit_code }),
  });
}

/** A person is asked about a call. */
export function askAboutTool(state: ViewState, callId: string): ViewState {
  return changeLive(state, callId, { state: 'asking' });
}

/** The question is over: the call runs, if it may. */
export function goOnWithTool(state: ViewState, callId: string, now: number): ViewState {
  return changeLive(state, callId, { state: 'running', runningSince: now });
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
