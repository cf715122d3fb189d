import { describe, expect, it } from 'vitest';
import type { AgentEvent, PlanStep } from '../../packages/agent/src/index.ts';
import { takenBackText } from '../../packages/agent/src/patch/taken-back.ts';
import { viewAfter } from '../../turnwire/src/terminal/view-reducer.ts';
import { emptyView, type Cell, type ViewState } from '../../turnwire/src/terminal/view-state.ts';
import { call, completed, done, message, retrying, usage } from '../agent/scripted-model.ts';

function viewOf(...events: AgentEvent[]): ViewState {
  return events.reduce((view, event, at) => viewAfter(view, event, at * 100), emptyView);
}

/** A cell in short. */
function short(cell: Cell): string {
  if (cell.type === 'start') return 'start';
  if (cell.type === 'plan') return `plan ${cell.steps.map(({ step }) => step).join(', ')}`;
  if (cell.type === 'text') return `text ${cell.block.source}`;
  return cell.type === 'tool' ? `${cell.name} ${cell.state} ${cell.output}`.trim() : `${cell.type} ${cell.text}`;
}

const cells = (...events: AgentEvent[]): string[] => viewOf(...events).cells.map(short);

const started: AgentEvent = { type: 'turn.started', turn: 1 };
const ended: AgentEvent = { type: 'turn.completed', requests: 1 };
const text = (delta: string, id?: string): AgentEvent => ({
  type: 'output_text.delta',
  delta,
  ...(id === undefined ? {} : { item_id: id }),
});
const planned = (status: PlanStep['status']): AgentEvent => ({
  type: 'plan.updated',
  steps: [{ step: '\u202estep', status }],
});
const ran = (id: string, output: string): AgentEvent[] => [
  { type: 'tool.started', call_id: id, name: 'look', kind: 'read', title: 'look' },
  { type: 'tool.finished', call_id: id, name: 'look', status: 'completed', output, duration_ms: 5 },
];

describe('the view of a turn', () => {
  it('shows of a progress bar what a terminal would show, however it is cut', () => {
    const printed = 'get\r\n10%\r50%\r\r100%\ndone \x1b[32mok\x1b[0m\r';
    const pieces = (size: number): AgentEvent[] =>
      Array.from({ length: Math.ceil(printed.length / size) }, (_, at): AgentEvent => {
        return {
          type: 'tool.output',
          call_id: 'c',
          stream: 'stdout',
          delta: printed.slice(at * size, (at + 1) * size),
        };
      });
    const [begin, end] = ran('c', printed);
    for (const size of [1, 2, 3, 5, 100]) {
      expect(cells(started, begin!, ...pieces(size))).toEqual(['look running get\n100%\ndone ok']);
    }
    expect(cells(started, begin!, end!)).toEqual(['look completed get\n100%\ndone ok']);
  });

  it.each([
    ['when it is done', [started, planned('completed'), text('Done.', 'm')], ['plan \\u{202e}step', 'text Done.']],
    [
      'when the turn ends',
      [started, planned('pending'), text('So far.', 'm'), ended],
      ['text So far.', 'plan \\u{202e}step'],
    ],
    [
      'not while it may change',
      [started, planned('pending'), planned('in_progress'), text('So far.', 'm')],
      ['text So far.'],
    ],
    [
      'not when it was taken away',
      [started, planned('pending'), { type: 'plan.updated', steps: [] }, text('a', 'm'), ended],
      ['text a'],
    ],
  ] satisfies [string, AgentEvent[], string[]][])('takes a plan into the transcript %s', (_, events, wanted) => {
    expect(cells(...events)).toEqual(wanted);
  });

  it('tells that a patch was taken back as a note, and not as what the person said', () => {
    const accepted = (said: string): AgentEvent => ({
      type: 'input.accepted',
      item: { type: 'message', role: 'user', content: [{ type: 'input_text', text: said }] },
    });
    const told = takenBackText({
      title: 'patch a, b',
      writes: ['/a', '/b'].map((path) => ({ path, before: null, after: null })),
    });
    expect(cells(accepted('hello'), accepted(told))).toEqual(['user hello', 'notice Taken back: /a, /b.']);
  });

  it('shows what a sequence that never ends was hiding', () => {
    const hidden: AgentEvent[] = [
      text('a \x1b]0;b', 'msg_1'),
      { type: 'reasoning_text.delta', delta: 'c \x1b]0;d', content_index: 0 },
    ];
    expect(cells(started, ...hidden, ended)).toEqual(['text a 0;b', 'reasoning c 0;d']);
  });

  it('does not mix responses whose servers count their ids from the beginning', () => {
    const response = (said: string): AgentEvent[] => [
      text(said.slice(0, 2), 'msg_0'),
      done(message(said, 'msg_0')),
      completed(),
    ];
    expect(cells(started, ...response('One.'), ...response('Two.'), ended)).toEqual(['text One.', 'text Two.']);
    const asked = (output: string): AgentEvent[] => [
      done(call('look', {}, 'tool-call-1')),
      completed(),
      ...ran('tool-call-1', output),
    ];
    expect(cells(started, ...asked('a'), ...asked('b'))).toEqual(['look completed a', 'look completed b']);
  });

  it('does not mix items of different kinds with one id', () => {
    const reasoning = done({ type: 'reasoning', id: '1', summary: [{ type: 'summary_text', text: 'Hm.' }] } as never);
    expect(cells(started, reasoning, done(message('One.', '1')), completed(), ended)).toEqual([
      'reasoning Hm.',
      'text One.',
    ]);
  });

  it('does not mix messages without ids', () => {
    const anonymous = (said: string): AgentEvent => done({ ...message(said), id: undefined } as never);
    expect(cells(started, text('On'), anonymous('One.'), text('Tx'), anonymous('Two.'), completed(), ended)).toEqual([
      'text One.',
      'text Two.',
    ]);
  });

  it('lets a retry strike the running response only, and no tool that ran', () => {
    const events = [
      started,
      done(message('Kept.', 'msg_0')),
      done(call('look', {})),
      completed(),
      ...ran('call_1', 'x'),
      text('Void', 'msg_0'),
      { type: 'tool_call_input.delta', call_id: 'call_2', name: 'look', delta: '{"a' } as const,
    ];
    expect(cells(...events)).toEqual(['text Kept.', 'look completed x', 'text Void', 'look writing']);
    const view = viewOf(...events, retrying(['msg_0']));
    expect(view.cells.map(short)).toEqual(['text Kept.', 'look completed x']);
    expect(view.retry).toMatchObject({ attempt: 1, max: 5 });
    expect(viewAfter(view, text('New', 'msg_1'), 0).retry).toBeUndefined();
  });

  it('does not leave a call open that the server dropped or the turn cut off', () => {
    const writing: AgentEvent = { type: 'tool_call_input.delta', call_id: 'call_1', name: 'look', delta: '{' };
    const dropped = completed({ dropped_tool_calls: [{ call_id: 'call_1', arguments: '{', reason: 'stop' }] });
    expect(cells(started, writing, dropped)).toEqual(['look dropped']);
    expect(viewOf(started, writing, { type: 'turn.interrupted' }).cells.every((cell) => !cell.open)).toBe(true);
  });

  it('shows a summary of reasoning instead of the raw text, in parts, and nothing for an empty one', () => {
    const summary = (delta: string, index: number): AgentEvent => ({
      type: 'reasoning_summary_text.delta',
      delta,
      summary_index: index,
      item_id: 'rs',
    });
    const raw: AgentEvent = { type: 'reasoning_text.delta', delta: 'raw', content_index: 0, item_id: 'rs' };
    const empty: AgentEvent = {
      type: 'output_item.done',
      item: { type: 'reasoning', id: 'rs', summary: [], encrypted_content: 'x' },
    };
    expect(cells(started, summary('One', 0), raw, summary(' more', 0), summary('Two', 1))).toEqual([
      'reasoning One more\n\nTwo',
    ]);
    expect(cells(started, summary('One', 0), empty)).toEqual(['reasoning One']);
    expect(cells(started, empty)).toEqual([]);
  });

  it('counts usage and speed', () => {
    const view = viewOf(started, text('Hello', 'm'), text(' you', 'm'), completed({ usage }), completed({ usage }));
    expect(view.meter.ttftMs).toBe(100);
    expect(view.meter.tokensPerSecond).toBe(25);
    expect(view.total).toMatchObject({ input_tokens: 20, output_tokens: 10 });
    expect(view.requests).toBe(2);
  });

  it('never changes what it was given', () => {
    const freeze = (view: ViewState): ViewState => {
      for (const cell of view.cells) Object.freeze(cell);
      Object.freeze(view.cells);
      return Object.freeze(view);
    };
    const events: AgentEvent[] = [
      started,
      text('a\n\nb', 'm'),
      text('c', 'm'),
      done(message('a\n\nbc', 'm')),
      ...ran('c', 'x'),
      retrying(),
      completed(),
      ended,
    ];
    expect(() => events.reduce((view, event) => freeze(viewAfter(view, event, 0)), freeze(emptyView))).not.toThrow();
  });
});
