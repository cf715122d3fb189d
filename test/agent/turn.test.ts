import { setImmediate as tick } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { Agent, type AgentEvent, type ApprovalDecision } from '../../packages/agent/src/index.ts';
import { ModelError } from '../../packages/wire/src/model/errors.ts';
import { eventsOf, of, shortHistory, testTool, typesOf } from './helpers.ts';
import {
  answer,
  call,
  calls,
  completed,
  done,
  message,
  retrying,
  ScriptedModel,
  usage,
  type Step,
} from './scripted-model.ts';

describe('a turn', () => {
  test("an answer without tools: the model's events between start and end", async () => {
    const model = new ScriptedModel([
      [{ type: 'created' }, { type: 'output_item.added', item: { ...message(''), status: 'in_progress' } }],
      { type: 'output_text.delta', delta: 'Hi', item_id: 'msg_1' },
      [done(message('Hi')), completed({ usage })],
    ]);
    const agent = new Agent({ model, instructions: 'be brief', request: { model: 'm' } });
    const events = await eventsOf(agent.run('Hello'));
    expect(typesOf(events)).toEqual([
      'turn.started',
      'input.accepted',
      'created',
      'output_item.added',
      'output_text.delta',
      'output_item.done',
      'completed',
      'turn.completed',
    ]);
    expect(events.at(-1)).toEqual({ type: 'turn.completed', usage, requests: 1 });
    expect(shortHistory(agent)).toEqual(['user: Hello', 'assistant: Hi']);
    expect(model.requests).toEqual([
      { model: 'm', instructions: 'be brief', input: [expect.objectContaining({ role: 'user' })] },
    ]);
  });

  test('tool calls are answered and followed up until an answer; usage is summed', async () => {
    const tool = testTool('add', (args) => `got ${args.n ?? 'nothing'}`);
    const model = new ScriptedModel(
      [done(call('add', { n: 1 })), completed({ usage })],
      [done(call('add', '', 'call_2')), completed({ usage })],
      answer('three', { usage }),
    );
    const agent = new Agent({ model, tools: [tool] });
    const events = await eventsOf(agent.run('go'));
    expect(shortHistory(model.requests[2]!.input)).toEqual([
      'user: go',
      'call add call_1',
      'output call_1: got 1',
      'call add call_2',
      'output call_2: got nothing',
    ]);
    expect(model.requests[0]!.tools).toEqual([
      expect.objectContaining({
        type: 'function',
        name: 'add',
        parameters: expect.objectContaining({ type: 'object' }) as unknown,
      }),
    ]);
    expect(events.at(-1)).toMatchObject({
      type: 'turn.completed',
      requests: 3,
      usage: { total_tokens: 45, input_tokens: 30 },
    });
    expect(model.turnOf).toEqual([0, 0, 0]);
  });

  test('a tool starts when its call is done, not when the response is over', async () => {
    const ran = Promise.withResolvers<undefined>();
    const tool = testTool('early', () => (ran.resolve(undefined), 'ok'));
    const model = new ScriptedModel([done(call('early', {})), () => ran.promise, completed()], answer('done'));
    const events = await eventsOf(new Agent({ model, tools: [tool] }).run('go'));
    const types = typesOf(events);
    expect(types.indexOf('tool.started')).toBeLessThan(types.indexOf('completed'));
    expect(types.indexOf('output_item.done')).toBeLessThan(types.indexOf('tool.started'));
  });

  test('parallel calls run together, their outputs go in the order of the calls', async () => {
    const second = Promise.withResolvers<undefined>();
    const slow = testTool('slow', async () => (await second.promise, 'slow'));
    const fast = testTool('fast', () => (second.resolve(undefined), 'fast'));
    const model = new ScriptedModel(calls(call('slow', {}, 'a'), call('fast', {}, 'b')), answer('done'));
    const events = await eventsOf(new Agent({ model, tools: [slow, fast] }).run('go'));
    expect(of(events, 'tool.finished').map((event) => event.call_id)).toEqual(['b', 'a']);
    expect(shortHistory(model.requests[1]!.input).slice(-2)).toEqual(['output a: slow', 'output b: fast']);
  });

  test('a tool that must run alone waits for those before it and holds those after it', async () => {
    const log: string[] = [];
    const noted = (name: string) => async () => {
      log.push(`${name} in`);
      await tick();
      await tick();
      log.push(`${name} out`);
      return name;
    };
    const read = testTool('read', noted('read'));
    const patch = testTool('patch', noted('patch'), { parallel: false });
    const model = new ScriptedModel(
      calls(call('read', {}, 'a'), call('patch', {}, 'b'), call('read', {}, 'c')),
      answer('done'),
    );
    await eventsOf(new Agent({ model, tools: [read, patch] }).run('go'));
    expect(log).toEqual(['read in', 'read out', 'patch in', 'patch out', 'read in', 'read out']);
  });

  test('a call that cannot be used is told to the model, and the turn goes on', async () => {
    const tool = testTool('add', () => 'ok');
    const broken = testTool('broken', () => Promise.reject(new Error('boom')));
    const model = new ScriptedModel(
      calls(
        call('nope', {}, 'a'),
        call('add', '{"n":', 'b'),
        call('add', { n: 'one' }, 'c'),
        { ...call('add', {}, 'd'), namespace: 'other' },
        call('broken', {}, 'e'),
      ),
      answer('sorry'),
    );
    const agent = new Agent({ model, tools: [tool, broken] });
    const events = await eventsOf(agent.run('go'));
    expect(shortHistory(agent).slice(-6)).toEqual([
      'output a: there is no tool "nope": the tools are add, broken',
      'output b: the arguments of add are not JSON',
      expect.stringMatching(/^output c: invalid arguments for add: n: /),
      'output d: there is no tool "other/add": the tools are add, broken',
      'output e: broken failed: boom',
      'assistant: sorry',
    ]);
    expect(of(events, 'tool.finished').map((event) => event.status)).toEqual(Array(5).fill('failed'));
    expect(of(events, 'tool.started')).toHaveLength(5);
    expect(events.at(-1)?.type).toBe('turn.completed');
    expect(tool.runs).toBe(0);
  });

  test('--max-requests bounds a model that never answers', async () => {
    const tool = testTool('again', () => 'ok');
    const model = new ScriptedModel(
      calls(call('again', {}, 'a')),
      calls(call('again', {}, 'b')),
      answer('never asked'),
    );
    const agent = new Agent({ model, tools: [tool], maxRequests: 2 });
    const events = await eventsOf(agent.run('go'));
    expect(model.requests).toHaveLength(2);
    expect(events.at(-1)).toMatchObject({ type: 'turn.failed', error: { kind: 'incomplete', code: 'max_requests' } });
    expect(shortHistory(agent).at(-1)).toBe('output b: ok');
  });

  test('end_turn false asks once more', async () => {
    const model = new ScriptedModel(answer('thinking', { end_turn: false }), answer('done'));
    await eventsOf(new Agent({ model }).run('go'));
    expect(model.requests).toHaveLength(2);
  });

  const droppedCall = (reason: 'stop' | 'no_name' | 'incomplete') => ({
    call_id: 'x',
    name: 'add',
    arguments: '{',
    reason,
  });

  test.each([
    [['stop'], 0, ['the tool call was not run: the server ended the answer with stop']],
    [['stop', 'stop'], 0, ['2 of 2 tool calls were not run: the server ended the answer with stop']],
    [['no_name'], 1, ['1 of 2 tool calls was not run: no name came with it']],
    [
      ['incomplete', 'no_name'],
      1,
      [
        '1 of 3 tool calls was not run: its arguments came in part',
        '1 of 3 tool calls was not run: no name came with it',
      ],
    ],
  ] as const)('dropped calls (%j) beside %i others are told', async (reasons, run, told) => {
    const others = Array.from({ length: run }, (_, n) => done(call('number', { n }, `c${n}`)));
    const end = completed({ finish_reason: 'stop', dropped_tool_calls: reasons.map(droppedCall) });
    const first = [done(message('hm')), ...others, end];
    const tool = testTool('number', () => '41');
    const agent = new Agent({ model: new ScriptedModel(first, answer('done')), tools: [tool] });
    const events = await eventsOf(agent.run('go'));
    expect(of(events, 'warning').map(({ message }) => message)).toEqual(told);
    expect(tool.runs).toBe(run);
  });

  test('each turn opens a model turn of its own', async () => {
    const model = new ScriptedModel(answer('one'), answer('two'));
    const agent = new Agent({ model });
    await eventsOf(agent.run('a'));
    await eventsOf(agent.run('b'));
    expect(model.turnOf).toEqual([0, 1]);
    expect(shortHistory(model.requests[1]!.input)).toEqual(['user: a', 'assistant: one', 'user: b']);
  });

  test('two turns at once are refused', async () => {
    const agent = new Agent({ model: new ScriptedModel(answer('one')) });
    const run = agent.run('a');
    await run.next();
    await expect(agent.run('b').next()).rejects.toThrow('running already');
    await run.return();
    expect(agent.isRunning).toBe(false);
  });
});

describe('a failing model', () => {
  test('the failure is the last event; what was said stays in the history', async () => {
    const error = new ModelError({ kind: 'server_error', message: 'no', status: 500 });
    const model = new ScriptedModel(
      [
        { type: 'output_text.delta', delta: 'Half a sen', item_id: 'msg_1' },
        done({ ...message('Half a sen'), status: 'incomplete' }),
        error,
      ],
      answer('again'),
    );
    const agent = new Agent({ model });
    const events = await eventsOf(agent.run('go'));
    expect(events.at(-1)).toEqual({ type: 'turn.failed', error: error.toJSON() });
    expect(shortHistory(agent)).toEqual(['user: go', 'assistant: Half a sen']);
    expect((await eventsOf(agent.run('more'))).at(-1)?.type).toBe('turn.completed');
  });

  test('a tool that ran before the failure keeps its output', async () => {
    const tool = testTool('add', async () => (await tick(), 'ran'));
    const model = new ScriptedModel([
      done(call('add', {})),
      new ModelError({ kind: 'stream_truncated', message: 'cut' }),
    ]);
    const agent = new Agent({ model, tools: [tool] });
    expect((await eventsOf(agent.run('go'))).at(-1)?.type).toBe('turn.failed');
    expect(shortHistory(agent)).toEqual(['user: go', 'call add call_1', 'output call_1: ran']);
  });

  test('a stream that ends without completed is a failure', async () => {
    const events = await eventsOf(new Agent({ model: new ScriptedModel([done(message('x'))]) }).run('go'));
    expect(events.at(-1)).toMatchObject({ type: 'turn.failed', error: { kind: 'stream_truncated' } });
  });
});

describe('a retry of the model', () => {
  test('voids text; an equal call of the second attempt gets the first output', async () => {
    const tool = testTool('add', () => 'once');
    const model = new ScriptedModel(
      [
        { type: 'output_text.delta', delta: 'void', item_id: 'msg_9' },
        done(call('add', { n: 1 }, 'first')),
        done({ ...message('void', 'msg_9'), status: 'incomplete' }),
        retrying(['msg_9', 'fc_first']),
        done(message('real')),
        done(call('add', { n: 1 }, 'second')),
        completed(),
      ],
      answer('done'),
    );
    const agent = new Agent({ model, tools: [tool] });
    await eventsOf(agent.run('go'));
    expect(tool.runs).toBe(1);
    expect(shortHistory(agent)).toEqual([
      'user: go',
      'assistant: real',
      'call add second',
      'output second: once',
      'assistant: done',
    ]);
  });

  test('a call that the second attempt does not repeat stays with its output: it did happen', async () => {
    const tool = testTool('add', () => 'once');
    const model = new ScriptedModel(
      [done(call('add', {}, 'first')), retrying(['fc_first']), done(message('no tool')), completed()],
      answer('done'),
    );
    const agent = new Agent({ model, tools: [tool] });
    await eventsOf(agent.run('go'));
    expect(shortHistory(agent)).toEqual([
      'user: go',
      'call add first',
      'assistant: no tool',
      'output first: once',
      'assistant: done',
    ]);
  });

  test('equal calls within one attempt are two calls', async () => {
    const tool = testTool('add', () => 'x');
    const model = new ScriptedModel(calls(call('add', {}, 'a'), call('add', {}, 'b')), answer('done'));
    await eventsOf(new Agent({ model, tools: [tool] }).run('go'));
    expect(tool.runs).toBe(2);
  });

  test('a rebuilt input holds what was done, with the outputs; an equal call after it is a new one', async () => {
    const tool = testTool('add', async () => (await tick(), 'ran'));
    let rebuilt: readonly unknown[] = [];
    const model = new ScriptedModel(
      [
        done(call('add', {}, 'first')),
        { type: 'output_text.delta', delta: 'void', item_id: 'm' },
        retrying(['m']),
        async (options) => (rebuilt = await options.rebuildInput!()),
        done(call('add', {}, 'second')),
        completed(),
      ],
      answer('done'),
    );
    const agent = new Agent({ model, tools: [tool] });
    await eventsOf(agent.run('go'));
    expect(shortHistory(rebuilt as never)).toEqual(['user: go', 'call add first', 'output first: ran']);
    expect(tool.runs).toBe(2);
    expect(shortHistory(agent)).toEqual([
      'user: go',
      'call add first',
      'output first: ran',
      'call add second',
      'output second: ran',
      'assistant: done',
    ]);
  });
});

describe('a retry with a rebuilt input', () => {
  const rebuild: Step = (options) => options.rebuildInput!();

  test('that brings the answer ends the turn: the model has seen the output of every call', async () => {
    const tool = testTool('add', () => 'ran');
    const model = new ScriptedModel([done(call('add', {}, 'first')), retrying(), rebuild, ...answer('done')]);
    const agent = new Agent({ model, tools: [tool] });
    const events = await eventsOf(agent.run('go'));
    expect(events.at(-1)).toMatchObject({ type: 'turn.completed', requests: 1 });
    expect(shortHistory(agent)).toEqual(['user: go', 'call add first', 'output first: ran', 'assistant: done']);
  });

  test('that is interrupted: the call and its output are in the next request, once', async () => {
    const tool = testTool('add', () => 'ran');
    const model = new ScriptedModel(
      [done(call('add', {}, 'first')), retrying(), rebuild, { type: 'created' }, () => new Promise(() => undefined)],
      answer('done'),
    );
    const agent = new Agent({ model, tools: [tool] });
    for await (const batch of agent.run('go')) {
      if (batch.some((event) => event.type === 'created')) agent.interrupt();
    }
    await eventsOf(agent.run('on'));
    expect(tool.runs).toBe(1);
    expect(shortHistory(model.requests[1]!.input)).toEqual([
      'user: go',
      'call add first',
      'output first: ran',
      'user: on',
    ]);
  });
});

describe('an interrupt', () => {
  test('in mid-answer keeps what was said', async () => {
    const model = new ScriptedModel(
      [{ type: 'output_text.delta', delta: 'Half', item_id: 'm' }, () => new Promise(() => undefined)],
      answer('next'),
    );
    const agent = new Agent({ model });
    const events: AgentEvent[] = [];
    for await (const batch of agent.run('go')) {
      events.push(...batch);
      if (batch.some((event) => event.type === 'output_text.delta')) agent.interrupt();
    }
    expect(events.at(-1)).toEqual({ type: 'turn.interrupted' });
    expect(shortHistory(agent)).toEqual(['user: go', 'assistant: Half']);
    await eventsOf(agent.run('on'));
    expect(shortHistory(model.requests[1]!.input)).toEqual(['user: go', 'assistant: Half', 'user: on']);
  });

  test('while tools run: each call gets an output, the running tool sees the signal', async () => {
    const started = Promise.withResolvers<undefined>();
    const endless = testTool('endless', (_, run) => {
      started.resolve(undefined);
      return new Promise((_resolve, reject) =>
        run.signal.addEventListener('abort', () => reject(new Error('stopped'))),
      );
    });
    const alone = testTool('alone', () => 'x', { parallel: false });
    const quick = testTool('quick', () => 'quick');
    const model = new ScriptedModel(
      calls(call('quick', {}, 'q'), call('endless', {}, 'a'), call('alone', {}, 'b')),
      answer('next'),
    );
    const agent = new Agent({ model, tools: [endless, alone, quick] });
    void started.promise.then(() => agent.interrupt());
    const events = await eventsOf(agent.run('go'));
    expect(events.at(-1)?.type).toBe('turn.interrupted');
    expect(shortHistory(agent).slice(-3)).toEqual([
      'output q: quick',
      'output a: stopped: the user interrupted the turn',
      'output b: not run: the user interrupted the turn before it started',
    ]);
    expect(alone.runs).toBe(0);
    expect((await eventsOf(agent.run('on'))).at(-1)?.type).toBe('turn.completed');
  });

  test('while a person is asked: the question is taken back and nothing runs', async () => {
    const tool = testTool('add', () => 'x', { needsApproval: true });
    let questionSignal: AbortSignal | undefined;
    const agent: Agent = new Agent({
      model: new ScriptedModel(calls(call('add', {}))),
      tools: [tool],
      approver: (_, { signal }) => {
        questionSignal = signal;
        agent.interrupt();
        return new Promise<ApprovalDecision>(() => undefined);
      },
    });
    const events = await eventsOf(agent.run('go'));
    expect(questionSignal?.aborted).toBe(true);
    expect(of(events, 'approval.resolved')).toMatchObject([{ decision: 'interrupted' }]);
    expect(events.at(-1)?.type).toBe('turn.interrupted');
    expect(tool.runs).toBe(0);
    expect(shortHistory(agent)).toHaveLength(3);
  });

  test('before the first event, and by leaving the loop', async () => {
    const model = new ScriptedModel(answer('x'));
    const agent = new Agent({ model });
    const events = await eventsOf(agent.run('go', { signal: AbortSignal.abort() }));
    expect(typesOf(events)).toEqual(['turn.started', 'input.accepted', 'turn.interrupted']);
    expect(model.requests).toHaveLength(0);

    let aborted = false;
    const endless = new ScriptedModel([
      { type: 'created' },
      ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve((aborted = true)))),
    ]);
    const left = new Agent({ model: endless });
    for await (const batch of left.run('go')) if (batch.some((event) => event.type === 'created')) break;
    expect(aborted).toBe(true);
    expect(left.isRunning).toBe(false);
  });
});

describe('steering', () => {
  test('a queued message can be edited, and goes in at the next request after the outputs', async () => {
    const agent: Agent = new Agent({
      model: new ScriptedModel(calls(call('work', {})), answer('done')),
      tools: [
        testTool('work', () => {
          const id = agent.queue.add('use tabs')!;
          const gone = agent.queue.add('never mind')!;
          expect(agent.queue.edit(id, 'use spaces')).toBe(true);
          expect(agent.queue.remove(gone)).toBe(true);
          return 'ok';
        }),
      ],
    });
    const events = await eventsOf(agent.run('go'));
    expect(shortHistory(agent)).toEqual([
      'user: go',
      'call work call_1',
      'output call_1: ok',
      'user: use spaces',
      'assistant: done',
    ]);
    expect(of(events, 'input.accepted').map((event) => event.queue_id)).toEqual([undefined, 'q_1']);
    expect(agent.queue.messages).toEqual([]);
    expect(agent.queue.edit('q_1', 'too late')).toBe(false);
  });

  test('a message queued during the last answer makes one more request in the same turn', async () => {
    const model = new ScriptedModel(
      [() => Promise.resolve(agent.queue.add('and then?')), ...answer('one')],
      answer('two'),
    );
    const agent: Agent = new Agent({ model });
    const events = await eventsOf(agent.run('go'));
    expect(of(events, 'turn.completed')).toHaveLength(1);
    expect(shortHistory(agent)).toEqual(['user: go', 'assistant: one', 'user: and then?', 'assistant: two']);
  });

  test('an interrupt leaves the queue alone', async () => {
    const model = new ScriptedModel([{ type: 'created' }, () => new Promise(() => undefined)]);
    const agent = new Agent({ model });
    for await (const batch of agent.run('go')) {
      if (batch.some((event) => event.type === 'created')) {
        agent.queue.add('later');
        agent.interrupt();
      }
    }
    expect(agent.queue.messages).toEqual([{ id: 'q_1', text: 'later' }]);
  });
});
