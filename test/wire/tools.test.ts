import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ModelEvent } from '../../src/model/events.ts';
import type { Item, OutputItem } from '../../src/model/items.ts';
import { InputExtractor, inputOfArguments } from '../../src/wire/tools/input-extractor.ts';
import { createToolMap, createToolRestorer, mapInputItems, type ToolMap } from '../../src/wire/tools/index.ts';

const patch = {
  type: 'custom',
  name: 'apply_patch',
  description: 'FREEFORM.',
  format: { type: 'grammar', syntax: 'lark', definition: 'start: x' },
};

function fn(name: string): Record<string, unknown> {
  return { type: 'function', name, parameters: { type: 'object', properties: {} }, strict: false };
}

function names(map: ToolMap): string[] {
  return map.tools.map((tool) => tool.name);
}

function call(name: string, args: string, id = 'c1'): OutputItem {
  return { type: 'function_call', id: `fc_${id}`, call_id: id, name, arguments: args, status: 'completed' };
}

/** The events of one call whose arguments come in the given fragments. */
function callEvents(name: string, fragments: readonly string[]): ModelEvent[] {
  const base = { type: 'tool_call_input.delta', call_id: 'c1', name, item_id: 'fc_c1' } as const;
  return [
    { type: 'output_item.added', item: { ...call(name, ''), status: 'in_progress' } as OutputItem },
    ...fragments.map((delta): ModelEvent => ({ ...base, delta })),
    { type: 'output_item.done', item: call(name, fragments.join('')) },
  ];
}

function deltas(events: readonly ModelEvent[]): string[] {
  return events.flatMap((event) => (event.type === 'tool_call_input.delta' ? [event.delta] : []));
}

/** Cuts a text at the given places. */
function cut(text: string, sizes: readonly number[]): string[] {
  const pieces: string[] = [];
  let at = 0;
  for (let round = 0; at < text.length; round++) {
    const size = Math.max(1, sizes[round % Math.max(1, sizes.length)] ?? 1);
    pieces.push(text.slice(at, at + size));
    at += size;
  }
  return pieces;
}

describe('tool map: names', () => {
  it('keeps plain functions as they are and changes nothing', () => {
    const map = createToolMap({ tools: [fn('a'), fn('b-2')], toolChoice: 'auto' });
    expect(map.tools).toEqual([fn('a'), fn('b-2')]);
    expect([map.changed, map.toolChoice, map.uncarried]).toEqual([false, 'auto', []]);
    const events = callEvents('a', ['{}']);
    expect(createToolRestorer(map).restore(events)).toBe(events);
  });

  it('flattens namespaces, and the one called functions to bare names', () => {
    const map = createToolMap({
      tools: [
        { type: 'namespace', name: 'functions', tools: [patch, fn('wait')] },
        { type: 'namespace', name: 'clock', tools: [fn('sleep')] },
      ],
    });
    expect(names(map)).toEqual(['apply_patch', 'wait', 'clock__sleep']);
    expect(map.targetOf('clock__sleep')).toEqual({ kind: 'function', name: 'sleep', namespace: 'clock' });
  });

  it('shortens long and illegal names without a collision, the same way each time', () => {
    const long = 'x'.repeat(70);
    const tools = [
      fn(`${long}a`),
      fn(`${long}b`),
      fn('dots.are.bad'),
      fn('dots/are/bad'),
      fn('ns__t'),
      { type: 'namespace', name: 'ns', tools: [fn('t')] },
    ];
    const map = createToolMap({ tools });
    expect(new Set(names(map)).size).toBe(6);
    for (const name of names(map)) expect(name).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
    expect(names(map)[4]).toBe('ns__t');
    expect(names(createToolMap({ tools: [...tools].reverse() })).reverse()).toEqual(names(map));
    expect(map.tools.map((tool) => map.targetOf(tool.name)?.name)).toEqual([
      `${long}a`,
      `${long}b`,
      'dots.are.bad',
      'dots/are/bad',
      'ns__t',
      't',
    ]);
  });

  it('never gives two tools one name, whatever they are called', () => {
    const name = fc.string({ minLength: 1, maxLength: 90 });
    const tool = fc.oneof(
      name.map(fn),
      fc
        .tuple(name, fc.array(name, { maxLength: 3 }))
        .map(([ns, inner]) => ({ type: 'namespace', name: ns, tools: inner.map(fn) })),
    );
    fc.assert(
      fc.property(fc.array(tool, { maxLength: 12 }), (tools) => {
        const map = createToolMap({ tools });
        expect(new Set(names(map)).size).toBe(map.tools.length);
        for (const one of map.tools) {
          expect(one.name).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
          const target = map.targetOf(one.name);
          expect(target && map.functionNameOf(target)).toBe(one.name);
        }
      }),
    );
  });

  it('carries 10,000 tools in good time', () => {
    const tools = Array.from({ length: 10_000 }, (_, index) => fn(`${'long.name.'.repeat(8)}${index}`));
    expect(new Set(names(createToolMap({ tools }))).size).toBe(10_000);
  });
});

describe('tool map: kinds', () => {
  it('says which tools it cannot carry', () => {
    const map = createToolMap({
      tools: [
        { type: 'web_search' },
        { type: 'image_generation' },
        { type: 'mcp', server_label: 'deep' },
        { type: 'tool_search' },
        { type: 'function' },
        7,
        fn('f'),
      ],
    });
    expect(names(map)).toEqual(['f']);
    expect(map.uncarried.map((one) => [one.type, one.name])).toEqual([
      ['web_search', undefined],
      ['image_generation', undefined],
      ['mcp', 'deep'],
      ['tool_search', undefined],
      ['function', undefined],
      ['unknown', undefined],
    ]);
  });

  it('makes a custom tool a function of one string and tells its grammar', () => {
    const [tool] = createToolMap({ tools: [patch] }).tools;
    expect(tool?.parameters).toMatchObject({ required: ['input'], properties: { input: { type: 'string' } } });
    expect(tool?.description).toContain('FREEFORM.');
    expect(tool?.description).toContain('lark grammar:\nstart: x');
  });

  it('reads tools that come as input items', () => {
    const input: Item[] = [
      {
        type: 'additional_tools',
        role: 'developer',
        tools: [{ type: 'namespace', name: 'functions', tools: [patch] }],
      },
      { type: 'tool_search_output', call_id: 's', tools: [{ type: 'namespace', name: 'mcp', tools: [fn('late')] }] },
    ];
    const map = createToolMap({ input });
    expect(names(map)).toEqual(['apply_patch', 'mcp__late']);
    expect(mapInputItems(map, input).items).toEqual([
      { type: 'function_call_output', call_id: 's', output: '{"found":["mcp__late"]}' },
    ]);
  });

  it('maps every form of tool_choice', () => {
    const tools = [fn('f'), patch, { type: 'namespace', name: 'ns', tools: [fn('t')] }, { type: 'web_search' }];
    const choose = (toolChoice: unknown): unknown => createToolMap({ tools, toolChoice }).toolChoice;
    expect(choose('required')).toBe('required');
    expect(choose('none')).toBe('none');
    expect(choose(undefined)).toBeUndefined();
    expect(choose({ type: 'function', name: 'f' })).toEqual({ type: 'function', name: 'f' });
    expect(choose({ type: 'function', name: 't', namespace: 'ns' })).toEqual({ type: 'function', name: 'ns__t' });
    expect(choose({ type: 'custom', name: 'apply_patch' })).toEqual({ type: 'function', name: 'apply_patch' });
    expect(choose({ type: 'web_search' })).toBe('auto');
    expect(createToolMap({ tools, toolChoice: { type: 'web_search' } }).uncarried.at(-1)?.type).toBe('tool_choice');
    const allowed = createToolMap({
      tools,
      toolChoice: { type: 'allowed_tools', mode: 'required', tools: [{ type: 'custom', name: 'apply_patch' }] },
    });
    expect([names(allowed), allowed.toolChoice]).toEqual([['apply_patch'], 'required']);
    expect(createToolMap({ tools: [{ type: 'web_search' }], toolChoice: 'required' }).toolChoice).toBeUndefined();
  });
});

describe('tool map: the way back', () => {
  const map = createToolMap({
    tools: [
      patch,
      { type: 'namespace', name: 'ns', tools: [fn('t')] },
      { type: 'local_shell' },
      { type: 'tool_search', execution: 'client' },
    ],
  });

  it('streams the raw input of a custom call', () => {
    const events = createToolRestorer(map).restore(
      callEvents('apply_patch', ['{"in', 'put": "a\\', 'nb\\u00', 'e9', '\\ud83d', '\\ude00"', '}']),
    );
    expect(events).toEqual([
      {
        type: 'output_item.added',
        item: {
          type: 'custom_tool_call',
          id: 'ctc_c1',
          call_id: 'c1',
          name: 'apply_patch',
          input: '',
          status: 'in_progress',
        },
      },
      ...['a', '\nb', 'é', '😀'].map((delta) => ({
        type: 'tool_call_input.delta',
        call_id: 'c1',
        name: 'apply_patch',
        item_id: 'ctc_c1',
        delta,
      })),
      {
        type: 'output_item.done',
        item: {
          type: 'custom_tool_call',
          id: 'ctc_c1',
          call_id: 'c1',
          name: 'apply_patch',
          input: 'a\nbé😀',
          status: 'completed',
        },
      },
    ]);
  });

  it('gives the same text for every cut of the arguments', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1 }),
        fc.boolean(),
        (input, sizes, ascii) => {
          const json = JSON.stringify({ input });
          const args = ascii
            ? json.replace(/[\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
            : json;
          const events = createToolRestorer(map).restore(callEvents('apply_patch', cut(args, sizes)));
          expect(deltas(events).join('')).toBe(input);
          expect(events.at(-1)).toMatchObject({ item: { type: 'custom_tool_call', input } });
          for (const delta of deltas(events)) expect(delta.isWellFormed()).toBe(true);
        },
      ),
    );
  });

  it.each([
    ['another key', '{"patch":"*** Begin"}', '*** Begin'],
    ['a JSON string', '"*** Begin"', '*** Begin'],
    ['no JSON at all', '*** Begin Patch\n', '*** Begin Patch\n'],
    ['several keys', '{"a":"1","b":"2"}', '{"a":"1","b":"2"}'],
    ['input that comes second', '{"x":1,"input":"yes"}', 'yes'],
    ['line breaks left bare in the string', '{"input":"a\nb"}', 'a\nb'],
    ['a string that is cut off', '{"input":"ab', 'ab'],
  ])('makes sense of %s', (_name, args, input) => {
    const events = createToolRestorer(map).restore(callEvents('apply_patch', cut(args, [3])));
    expect(deltas(events).join('')).toBe(input);
    expect(events.at(-1)).toMatchObject({ item: { input } });
    expect(inputOfArguments(args)).toBe(input);
  });

  it('splits namespaces again', () => {
    const events = createToolRestorer(map).restore(callEvents('ns__t', ['{}']));
    expect(events[0]).toMatchObject({ item: { type: 'function_call', name: 't', namespace: 'ns' } });
    expect(events[1]).toMatchObject({ name: 't', delta: '{}' });
    expect(events[2]).toMatchObject({
      item: { type: 'function_call', id: 'fc_c1', name: 't', namespace: 'ns', arguments: '{}' },
    });
  });

  it('restores a shell call and a tool search whole', () => {
    const shell = createToolRestorer(map).restore(callEvents('local_shell', ['{"command":', '["ls"],"timeout_ms":5}']));
    expect(shell.map((event) => event.type)).toEqual(['output_item.added', 'output_item.done']);
    expect(shell[1]).toEqual({
      type: 'output_item.done',
      item: {
        type: 'local_shell_call',
        id: 'lsh_c1',
        call_id: 'c1',
        status: 'completed',
        action: { type: 'exec', command: ['ls'], timeout_ms: 5, env: {} },
      },
    });
    const search = createToolRestorer(map).restore(callEvents('tool_search', ['{"query":"x"}']));
    expect(search[1]).toMatchObject({
      item: { type: 'tool_search_call', execution: 'client', arguments: { query: 'x' } },
    });
  });

  it('keeps calls apart whose fragments interleave', () => {
    const second = callEvents('apply_patch', ['{"input":"2', '2"}']).map(
      (event) => JSON.parse(JSON.stringify(event).replaceAll('c1', 'c2')) as ModelEvent,
    );
    const first = callEvents('apply_patch', ['{"input":"1', '1"}']);
    const order = [first[0], second[0], first[1], second[1], first[2], second[2], first[3], second[3]].map(
      (event) => event!,
    );
    const events = createToolRestorer(map).restore(order);
    expect(deltas(events)).toEqual(['1', '2', '1', '2']);
  });

  it('passes calls that no tool of the request has', () => {
    const events = callEvents('other', ['{}']);
    expect(createToolRestorer(map).restore(events)).toEqual(events);
  });

  it('takes 8 MB of arguments in small pieces at a constant price', () => {
    const extractor = new InputExtractor();
    extractor.push('{"input":"');
    for (let index = 0; index < 4_000_000; index++) extractor.push('a\\');
    expect(extractor.text.length).toBeGreaterThan(3_000_000);
  });
});

describe('tool map: history', () => {
  it('writes calls and outputs as functions, and round-trips', () => {
    const tools = [patch, { type: 'namespace', name: 'ns', tools: [fn('t')] }, { type: 'local_shell' }];
    const map = createToolMap({ tools });
    const calls: Item[] = [
      { type: 'custom_tool_call', id: 'ctc_1', call_id: '1', name: 'apply_patch', input: 'a"\n', status: 'completed' },
      {
        type: 'function_call',
        id: 'fc_2',
        call_id: '2',
        name: 't',
        namespace: 'ns',
        arguments: '{}',
        status: 'completed',
      },
      {
        type: 'local_shell_call',
        id: 'lsh_3',
        call_id: '3',
        status: 'completed',
        action: { type: 'exec', command: ['ls'], env: {} },
      },
    ];
    const { items, uncarried } = mapInputItems(map, [
      ...calls,
      { type: 'custom_tool_call_output', call_id: '1', output: 'ok' },
      { type: 'local_shell_call_output', id: '3', output: 'ok' },
      { type: 'web_search_call', id: 'ws_1' },
      { role: 'user', content: 'hi' },
    ]);
    expect(items).toEqual([
      {
        type: 'function_call',
        call_id: '1',
        name: 'apply_patch',
        arguments: '{"input":"a\\"\\n"}',
        status: 'completed',
      },
      { type: 'function_call', call_id: '2', name: 'ns__t', arguments: '{}', status: 'completed' },
      {
        type: 'function_call',
        call_id: '3',
        name: 'local_shell',
        arguments: '{"command":["ls"],"env":{}}',
        status: 'completed',
      },
      { type: 'function_call_output', call_id: '1', output: 'ok' },
      { type: 'function_call_output', call_id: '3', output: 'ok' },
      { type: 'message', role: 'user', content: 'hi' },
    ]);
    expect(uncarried).toEqual([{ type: 'web_search_call', reason: 'the upstream cannot read it' }]);
    const back = items.slice(0, 3).map((item) => createToolRestorer(map).restoreItem(item as OutputItem));
    expect(back).toEqual(calls.map((item) => Object.fromEntries(Object.entries(item).filter(([key]) => key !== 'id'))));
  });

  it.each(['codex-http--tool', 'codex-gpt55--tool', 'codex-lite--tool'])('carries the real request %s', (name) => {
    const file = JSON.parse(readFileSync(new URL(`../bridge/clients/${name}.json`, import.meta.url), 'utf8')) as {
      requests: { body: { tools?: unknown[]; input: Item[] } }[];
    };
    const body = file.requests.at(-1)!.body;
    const map = createToolMap(body);
    const { items, uncarried } = mapInputItems(map, body.input);
    expect(uncarried).toEqual([]);
    expect(new Set(items.map((item) => item.type))).toEqual(
      new Set(['message', 'function_call', 'function_call_output']),
    );
    expect(map.uncarried.map((one) => one.type)).toEqual(name === 'codex-lite--tool' ? [] : ['web_search']);
    expect(names(map)).toContain(name === 'codex-lite--tool' ? 'exec' : 'exec_command');
    if (name === 'codex-lite--tool') expect(map.targetOf('exec')).toEqual({ kind: 'custom', name: 'exec' });
    if (name === 'codex-http--tool') expect(names(map)).toContain('multi_agent_v1__spawn_agent');
  });
});
