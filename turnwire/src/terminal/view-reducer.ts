import type { AgentEvent, PlanStep } from '@turnwire/agent/internal/events';
import { filesTakenBack } from '@turnwire/agent/internal/patch/taken-back';
import { visible } from '@turnwire/wire/internal/base/printable';
import type { CompletedEvent, RetryingEvent } from '@turnwire/wire/internal/model/events';
import { isToolCall, itemIdOf, type InputMessage, type OutputItem } from '@turnwire/wire/internal/model/items';
import { openKeyFor, voidTest } from '@turnwire/wire/internal/model/transcript-builder';
import { addUsage } from '@turnwire/wire/internal/model/usage';
import { isOwnCommandText } from './own-command-text.ts';
import { screenText } from './text.ts';
import { finishAnswer, isRefusal, keepPartial, streamAnswer, textOfMessage } from './view-answer.ts';
import { addCell, addNotice, removeCells } from './view-cells.ts';
import { addOutput, endRequest, startRequest } from './view-meter.ts';
import { finishReasoning, keepReasoning, streamReasoning } from './view-reasoning.ts';
import { emptyMeter, type TurnPhase, type ViewState } from './view-state.ts';
import {
  addToolOutput,
  askAboutTool,
  closeWriting,
  dropWriting,
  finishTool,
  goOnWithTool,
  startTool,
  writeCall,
} from './view-tool.ts';

/** Item id of deltas from servers that give none. */
const NO_ID = '';

/**
 * The transcript after an event: pure, `now` in milliseconds of any steady clock. The rules: deltas are for the eye and
 * the done item's text counts; a final-only answer gives the same cells as a streamed one; every item is shown once;
 * a retry strikes what it makes void; buffers begin empty in every turn.
 */
export function viewAfter(state: ViewState, event: AgentEvent, now: number): ViewState {
  const next = stateAfter(state, event, now);
  return next.phase === state.phase ? next : { ...next, phaseAt: now };
}

function stateAfter(state: ViewState, event: AgentEvent, now: number): ViewState {
  switch (event.type) {
    case 'turn.started':
      return newTurn(state, now);
    case 'input.accepted':
      return inputAfter(state, textOfInput(event.item));
    case 'output_text.delta':
    case 'refusal.delta':
      return streamAnswer(heard(state, 'answering', event.delta, now), event.item_id ?? NO_ID, event.delta);
    case 'reasoning_text.delta':
      return reasoning(state, event.item_id, 'content', event.content_index, event.delta, now);
    case 'reasoning_summary_text.delta':
      return reasoning(state, event.item_id, 'summary', event.summary_index, event.delta, now);
    case 'output_item.added':
      return itemAdded(state, event.item);
    case 'tool_call_input.delta':
      return callDelta(state, event, now);
    case 'output_item.done':
      return itemDone(state, event.item, now);
    case 'retrying':
      return retried(state, event, now);
    case 'completed':
      return responseEnded(state, event, now);
    case 'tool.started':
      return startTool(state, event, now);
    case 'tool.output':
      return addToolOutput(state, event);
    case 'tool.finished':
      return { ...finishTool(state, event), phase: 'waiting', meter: startRequest(state.meter, now) };
    case 'approval.requested':
    case 'elicitation.requested':
      return { ...askAboutTool(state, event.call_id), asked: event };
    case 'approval.resolved':
    case 'elicitation.resolved':
      return { ...goOnWithTool(state, event.call_id, now), asked: undefined };
    case 'history.compacting':
      return { ...state, phase: 'compacting' };
    case 'history.compacted':
      return addNotice({ ...state, phase: 'waiting' }, 'info', compactedText(event.items_before, event.items_after));
    case 'plan.updated':
      return planAfter(state, event.steps);
    case 'project_doc.told':
      return addNotice(state, 'info', `The model is told ${event.name}.`);
    case 'warning':
      return addNotice(state, 'warning', event.message);
    case 'turn.completed':
      return withoutAnswer(turnEnded(state));
    case 'turn.interrupted':
      return addNotice(turnEnded(state), 'warning', 'Interrupted. What was said is kept.');
    case 'turn.failed':
      return addNotice(turnEnded(state), 'error', `${event.error.kind}: ${event.error.message}`);
    case 'created':
    case 'reasoning_summary_text.done':
    case 'reasoning_summary_part.added':
    case 'server_model':
    case 'rate_limits':
    case 'models_etag':
    case 'unknown':
      return state;
  }
}

/** What a person said; that a patch was taken back was not said in their words. */
function inputAfter(state: ViewState, text: string): ViewState {
  const files = filesTakenBack(text);
  if (files !== undefined) return addNotice(state, 'info', `Taken back: ${visible(files)}.`);
  return addCell(state, { type: 'user', open: false, text: screenText(text) });
}

function newTurn(state: ViewState, now: number): ViewState {
  return {
    ...turnEnded(state),
    phase: 'waiting',
    responseKey: state.nextKey,
    meter: { ...startRequest(emptyMeter, now), turnStartedAt: now },
  };
}

/** A turn that ends with nothing said is told: else it looks as if it had not ended. */
function withoutAnswer(state: ViewState): ViewState {
  const last = state.cells.findLast(({ type }) => type === 'text' || type === 'tool' || type === 'user');
  return last?.type === 'text' ? state : addNotice(state, 'warning', 'The answer is empty.');
}

/** A plan of which all is done belongs to the transcript. */
function planAfter(state: ViewState, steps: readonly PlanStep[]): ViewState {
  const plan = steps.map(({ step, status }) => ({ step: visible(step), status }));
  const next = { ...state, plan };
  return plan.every(({ status }) => status === 'completed') ? keepPlan(next) : next;
}

function keepPlan(state: ViewState): ViewState {
  const { plan: steps } = state;
  return steps.length === 0 ? state : addCell({ ...state, plan: [] }, { type: 'plan', open: false, steps });
}

/** Nothing is open any more; what was streamed and never done stays as it is. */
function turnEnded(state: ViewState): ViewState {
  return {
    ...keepPlan(closeWriting(keepOpen(state))),
    doneItems: new Set(),
    retry: undefined,
    asked: undefined,
    phase: 'idle',
    meter: { ...state.meter, turnStartedAt: undefined },
  };
}

function keepOpen(state: ViewState): ViewState {
  const answers = [...state.answers.keys()].reduce(keepPartial, state);
  return [...state.reasoning.keys()].reduce(keepReasoning, answers);
}

/** Output came: it counts for the speed, and the reconnecting is over. */
function heard(state: ViewState, phase: TurnPhase, delta: string, now: number): ViewState {
  return { ...state, phase, retry: undefined, meter: addOutput(state.meter, delta.length, now) };
}

function reasoning(
  state: ViewState,
  item: string | undefined,
  source: 'summary' | 'content',
  index: number,
  delta: string,
  now: number,
): ViewState {
  return streamReasoning(heard(state, 'thinking', delta, now), item ?? NO_ID, source, index, delta);
}

function itemAdded(state: ViewState, item: OutputItem): ViewState {
  if (!isToolCall(item)) return state;
  const call = { callId: item.call_id, name: item.name, item: itemIdOf(item), input: '', whole: false };
  return writeCall({ ...state, phase: 'calling' }, call);
}

function callDelta(
  state: ViewState,
  event: Extract<AgentEvent, { type: 'tool_call_input.delta' }>,
  now: number,
): ViewState {
  const { call_id: callId, name, item_id: item, delta } = event;
  return writeCall(heard(state, 'calling', delta, now), {
    callId,
    input: delta,
    whole: false,
    ...(name === undefined ? {} : { name }),
    ...(item === undefined ? {} : { item }),
  });
}

function itemDone(state: ViewState, item: OutputItem, now: number): ViewState {
  const id = itemIdOf(item);
  // Servers that count may give one id to an item of each kind.
  const key = `${String(item.type)} ${id}`;
  if (id !== NO_ID && state.doneItems.has(key)) return state;
  const known = { ...state, doneItems: id === NO_ID ? state.doneItems : new Set(state.doneItems).add(key) };
  if (item.type === 'message') {
    const open = openKeyFor(state.answers, id);
    const answered = finishAnswer(heard(known, 'answering', '', now), open, textOfMessage(item));
    return isRefusal(item) ? addNotice(answered, 'warning', 'The model refuses this.') : answered;
  }
  if (item.type === 'reasoning')
    return finishReasoning(heard(known, 'thinking', '', now), openKeyFor(state.reasoning, id), item);
  if (!isToolCall(item)) return known;
  const input = item.type === 'custom_tool_call' ? item.input : item.arguments;
  const call = { callId: item.call_id, name: item.name, item: id, input, whole: true };
  return writeCall(heard(known, 'calling', '', now), call);
}

function retried(state: ViewState, event: RetryingEvent, now: number): ViewState {
  const isNamed = voidTest(event);
  const isVoid = (item: string): boolean => isNamed(item) || state.answers.has(item) || state.reasoning.has(item);
  const kept = removeCells(
    dropWriting(state),
    (cell) => (cell.type === 'text' || cell.type === 'reasoning') && cell.key >= state.responseKey && isVoid(cell.item),
  );
  return {
    ...kept,
    answers: new Map(),
    reasoning: new Map(),
    doneItems: new Set(),
    retry: event,
    phase: 'waiting',
    meter: startRequest(state.meter, now),
  };
}

function responseEnded(state: ViewState, event: CompletedEvent, now: number): ViewState {
  const dropped = event.dropped_tool_calls?.length ?? 0;
  const closed = keepOpen(dropped > 0 ? closeWriting(state) : state);
  return {
    ...closed,
    doneItems: new Set(),
    responseKey: closed.nextKey,
    retry: undefined,
    phase: 'waiting',
    usage: event.usage ?? state.usage,
    total: addUsage(state.total, event.usage),
    requests: state.requests + 1,
    meter: startRequest(endRequest(state.meter, event.usage, now), now),
  };
}

function compactedText(before: number, after: number): string {
  return `The conversation was summarised: ${before} items became ${after}.`;
}

/** What a person typed, and that there were images; of their own commands they have seen more than this. */
export function textOfInput(item: InputMessage): string {
  if (typeof item.content === 'string') return item.content;
  return item.content
    .map((part) => {
      if (part.type !== 'input_text') return '\n[image]';
      return isOwnCommandText(part.text) ? '' : part.text;
    })
    .join('')
    .trim();
}
