import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ModelEvent } from '../../packages/wire/src/model/events.ts';
import type { Item, OutputItem } from '../../packages/wire/src/model/items.ts';
import { clientTools } from '../../packages/wire/src/tools/client-tools.ts';
import { InputExtractor, inputOfArguments } from '../../packages/wire/src/tools/input-extractor.ts';
import { createToolMap, createToolRestorer, mapInputItems, type ToolMap } from '../../packages/wire/src/tools/index.ts';

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

describe('tool map: the shell and the file editor of the Responses API', () => {
  const tools = [{ type: 'shell', environment: { type: 'local' } }, { type: 'apply_patch' }];
  const map = createToolMap({ tools });
  const restored = (name: string, args: string): OutputItem => createToolRestorer(map).restoreItem(call(name, args));

  it('makes them functions and lets them be chosen', () => {
    expect(map.tools).toMatchObject([
      { name: 'shell', parameters: { required: ['commands'] } },
      { name: 'apply_patch', parameters: { required: ['type', 'path'] } },
    ]);
    const choose = (toolChoice: unknown): unknown => createToolMap({ tools, toolChoice }).toolChoice;
    expect(choose({ type: 'shell' })).toEqual({ type: 'function', name: 'shell' });
    expect(choose({ type: 'apply_patch' })).toEqual({ type: 'function', name: 'apply_patch' });
    const allowed = createToolMap({ tools, toolChoice: { type: 'allowed_tools', tools: [{ type: 'apply_patch' }] } });
    expect(names(allowed)).toEqual(['apply_patch']);
  });

  it('tells the model of the skills of a local shell', () => {
    const skills = [{ name: 'pdf', description: 'Fills forms.', path: '/skills/pdf' }];
    const [tool] = createToolMap({ tools: [{ type: 'shell', environment: { type: 'local', skills } }] }).tools;
    expect(tool?.description).toContain('- pdf (/skills/pdf): Fills forms.');
  });

  it.each(['container_auto', 'container_reference'])('leaves a shell in a container (%s) to the server', (type) => {
    const hosted = createToolMap({
      tools: [{ type: 'shell', environment: { type } }, fn('shell')],
      toolChoice: { type: 'shell' },
    });
    expect([names(hosted), hosted.toolChoice]).toEqual([['shell'], 'auto']);
    expect(hosted.uncarried.map(({ type: left }) => left)).toEqual(['shell', 'tool_choice']);
  });

  it('keeps functions and custom tools of the same names apart from them', () => {
    const both = createToolMap({
      tools: [...tools, fn('shell'), patch, { type: 'namespace', name: 'ns', tools: [fn('shell')] }],
    });
    const [shell, editor, plain, custom, inner] = names(both);
    expect([plain, editor, inner]).toEqual(['shell', 'apply_patch', 'ns__shell']);
    expect(new Set(names(both)).size).toBe(5);
    const typeOf = (name: string | undefined): unknown =>
      createToolRestorer(both).restoreItem(call(String(name), '{"input":"","commands":["ls"]}')).type;
    expect([shell, editor, plain, custom, inner].map(typeOf)).toEqual([
      'shell_call',
      'apply_patch_call',
      'function_call',
      'custom_tool_call',
      'function_call',
    ]);
    const chosen = (toolChoice: unknown): unknown =>
      createToolMap({ tools: [...tools, fn('shell'), patch], toolChoice }).toolChoice;
    expect(chosen({ type: 'shell' })).toEqual({ type: 'function', name: shell });
    expect(chosen({ type: 'function', name: 'shell' })).toEqual({ type: 'function', name: 'shell' });
    expect(chosen({ type: 'custom', name: 'apply_patch' })).toEqual({ type: 'function', name: custom });
  });

  it('does not take a function for the tool of the server that is chosen', () => {
    const other = createToolMap({ tools: [fn('web_search')], toolChoice: { type: 'web_search' } });
    expect(other.toolChoice).toBe('auto');
  });

  it('restores their calls whole', () => {
    const shell = createToolRestorer(map).restore(
      callEvents('shell', ['{"commands":["ls"', ',"pwd"],"timeout_ms":5}']),
    );
    const item = {
      type: 'shell_call',
      id: 'sh_c1',
      call_id: 'c1',
      status: 'completed',
      action: { commands: ['ls', 'pwd'], timeout_ms: 5, max_output_length: null },
      environment: { type: 'local' },
    };
    expect(shell).toEqual([
      { type: 'output_item.added', item: { ...item, status: 'in_progress' } },
      { type: 'output_item.done', item },
    ]);
    const operation = { type: 'update_file', path: 'a.txt', diff: '@@\n-a\n+b\n' };
    expect(
      createToolRestorer(map)
        .restore(callEvents('apply_patch', [JSON.stringify(operation)]))
        .at(-1),
    ).toEqual({
      type: 'output_item.done',
      item: { type: 'apply_patch_call', id: 'apc_c1', call_id: 'c1', status: 'completed', operation },
    });
  });

  it.each([
    ['one command', '{"commands":"ls"}', ['ls']],
    ['another name', '{"command":"ls -la"}', ['ls -la']],
    ['a bare list', '["ls","pwd"]', ['ls', 'pwd']],
    ['a program with its arguments', '{"command":["bash","-lc","ls | head"]}', ['ls | head']],
    ['words that may be one command or several', '{"command":["rm","-r","a b"]}', []],
    ['other things in the list', '{"commands":["ls",7]}', []],
    ['nothing', '{}', []],
    ['half of the arguments', '{"commands":["rm -rf `pwd`/', []],
    ['text that is no JSON', 'rm -rf x', []],
  ])('makes a legal shell call of %s', (_name, args, commands) => {
    expect(restored('shell', args)).toMatchObject({ type: 'shell_call', action: { commands } });
  });

  it('takes only sensible limits of a shell call', () => {
    const action = { commands: ['ls'], timeout_ms: 2, max_output_length: null };
    expect(restored('shell', '{"commands":["ls"],"timeout_ms":1.5,"max_output_length":"9"}')).toMatchObject({ action });
    const none = { ...action, timeout_ms: null };
    expect(restored('shell', '{"commands":["ls"],"timeout_ms":-1}')).toMatchObject({ action: none });
  });

  it.each([
    ['a deletion', { type: 'delete_file', path: 'a', diff: '' }, { type: 'delete_file', path: 'a' }],
    ['an operation inside', { operation: { type: 'delete_file', path: 'a' } }, { type: 'delete_file', path: 'a' }],
    [
      'a new file without its plus signs',
      { type: 'create_file', path: 'a', diff: '- x\n\n+ y\n' },
      { type: 'create_file', path: 'a', diff: '+- x\n+\n++ y\n' },
    ],
    [
      'a new file with bare empty lines',
      { type: 'create_file', path: 'a', diff: '+x\n\n+y' },
      { type: 'create_file', path: 'a', diff: '+x\n+\n+y' },
    ],
    ['an empty new file', { type: 'create_file', path: 'a' }, { type: 'create_file', path: 'a', diff: '' }],
    [
      'a diff with its headers',
      { type: 'update_file', path: 'a', diff: '*** Begin Patch\n*** Update File: a\n@@\n-x\n+y\n*** End Patch' },
      { type: 'update_file', path: 'a', diff: '@@\n-x\n+y\n' },
    ],
    [
      'the text of the freeform tool',
      { input: '*** Begin Patch\n*** Add File: ü b.txt\n+x\n*** End Patch\n' },
      { type: 'create_file', path: 'ü b.txt', diff: '+x\n' },
    ],
  ])('makes an operation of %s', (_name, args, operation) => {
    expect(restored('apply_patch', JSON.stringify(args))).toMatchObject({ operation });
    expect((restored('apply_patch', JSON.stringify(args)) as { operation?: unknown }).operation).toEqual(operation);
  });

  it.each([
    ['half of the arguments', '{"type":"delete_file","path":"a'],
    ['no path', '{"type":"delete_file"}'],
    ['no type', '{"path":"a","diff":"+x"}'],
    ['an update without a diff', '{"type":"update_file","path":"a"}'],
    [
      'two files in one text',
      JSON.stringify({ input: '*** Begin Patch\n*** Delete File: a\n*** Delete File: b\n*** End Patch' }),
    ],
  ])('makes an operation that nobody can do of %s', (_name, args) => {
    const operation = { type: 'update_file', path: '', diff: args };
    expect(restored('apply_patch', args)).toMatchObject({ type: 'apply_patch_call', operation });
  });

  it('writes a function call of their name as a call of them, where there is no such function', () => {
    const both = createToolMap({ tools: [...tools, patch] });
    const { items } = mapInputItems(both, [call('shell', '{}'), call('apply_patch', '{}')]);
    expect(names(both).slice(0, 2)).toEqual(['shell', 'apply_patch']);
    expect(items).toMatchObject([{ name: 'shell' }, { name: names(both)[2] }]);
  });

  it('writes their calls and outputs as functions', () => {
    const calls: Item[] = [
      {
        type: 'shell_call',
        call_id: '1',
        status: 'completed',
        action: { commands: ['ls', 'sleep 9'], timeout_ms: 5, max_output_length: null },
      },
      { type: 'apply_patch_call', call_id: '2', status: 'completed', operation: { type: 'delete_file', path: 'a' } },
    ];
    const outputs: Item[] = [
      {
        type: 'shell_call_output',
        call_id: '1',
        output: [
          { stdout: 'a\n', stderr: 'odd', outcome: { type: 'exit', exit_code: 1 } },
          { stdout: '', stderr: '', outcome: { type: 'timeout' } },
        ],
      },
      { type: 'apply_patch_call_output', call_id: '2', status: 'failed', output: 'no such file' },
    ];
    const { items, uncarried } = mapInputItems(map, [...calls, ...outputs]);
    expect(uncarried).toEqual([]);
    expect(items).toMatchObject([
      { type: 'function_call', name: 'shell', arguments: '{"commands":["ls","sleep 9"],"timeout_ms":5}' },
      { type: 'function_call', name: 'apply_patch', arguments: '{"type":"delete_file","path":"a"}' },
      {
        type: 'function_call_output',
        call_id: '1',
        output: '[command 1]\na\n[stderr]\nodd\n[exit code 1]\n[command 2]\n[timed out]',
      },
      { type: 'function_call_output', call_id: '2', output: 'Failed: no such file' },
    ]);
    const back = items.slice(0, 2).map((item) => createToolRestorer(map).restoreItem(item as OutputItem));
    expect(back).toMatchObject(calls);
  });

  it.each([
    ['an empty success', { type: 'apply_patch_call_output', status: 'completed' }, 'Done.'],
    ['an empty failure', { type: 'apply_patch_call_output', status: 'failed', output: '' }, 'Failed.'],
    [
      'an unknown exit',
      { type: 'shell_call_output', output: [{ stdout: 'x', stderr: '', outcome: { type: 'exit', exit_code: null } }] },
      'x\n[exit code unknown]',
    ],
  ])('says %s in words', (_name, item, output) => {
    expect(mapInputItems(map, [{ ...item, call_id: '1' }]).items).toMatchObject([{ output }]);
  });

  it('tells the model of a call that named no command', () => {
    const { items } = mapInputItems(map, [{ type: 'shell_call_output', call_id: '1', output: [] }]);
    expect(items).toMatchObject([{ output: expect.stringContaining('`commands` has to be a list') as string }]);
  });
});

describe('the table of client-run tools', () => {
  it('has each tool under its kind, and no two of one item type or id prefix', () => {
    const rows = Object.entries(clientTools);
    expect(rows.map(([kind]) => kind)).toEqual(rows.map(([, tool]) => tool.kind));
    const words = rows.flatMap(([, tool]) => [tool.callType, tool.outputType, tool.idPrefix]);
    expect(new Set(words).size).toBe(3 * rows.length);
  });

  it.each(Object.values(clientTools))('answers an aborted $callType with an output that some tool has', (tool) => {
    const outputs: unknown[] = Object.values(clientTools).map(({ outputType }) => outputType);
    expect(outputs).toContain(tool.aborted('c1').type);
    expect(tool.aborted('c1')).toMatchObject({ call_id: 'c1' });
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
