import { describe, expect, it } from 'vitest';
import { ModelError } from '../../packages/wire/src/model/errors.ts';
import type { ModelEvent } from '../../packages/wire/src/model/events.ts';
import { testTool } from '../agent/helpers.ts';
import { answer, call, calls, completed, done, message, retrying, usage, type Step } from '../agent/scripted-model.ts';
import { gate, keys, startChat, transcript, type RunningChat } from './harness.ts';

const ANSWER = `Here is **bold** and \`code\`.

- one
- two

\`\`\`ts
const a = "x"; // why
\`\`\`

| a | b |
|---|---|
| 1 | 日本 |

The end 👩‍👩‍👧 of it.`;

function deltas(text: string, size: number, id = 'msg_1'): ModelEvent[] {
  const pieces = text.match(new RegExp(`[^]{1,${size}}`, 'gu')) ?? [];
  return pieces.map((delta) => ({ type: 'output_text.delta', delta, item_id: id }));
}

function reasoning(id: string, text: string): ModelEvent {
  return {
    type: 'output_item.done',
    item: { type: 'reasoning', id, summary: [], content: [{ type: 'reasoning_text', text }] },
  };
}

async function shown(script: Step[], columns = 80): Promise<{ chat: RunningChat; rows: string[] }> {
  const chat = await startChat([script], { columns, rows: 50 });
  chat.say('go');
  await chat.idle();
  return { chat, rows: transcript(chat.terminal.all()) };
}

const count = (rows: readonly string[], text: string): number => rows.filter((row) => row.includes(text)).length;

describe('an answer on the screen', () => {
  it.each([1, 7, 10_000])(
    'looks the same when it is streamed in pieces of %i as when only its end comes',
    async (size) => {
      const final = await shown(answer(ANSWER));
      const streamed = await shown([...deltas(ANSWER, size), ...answer(ANSWER)]);
      expect(streamed.rows).toEqual(final.rows);
      expect(final.rows).toEqual([
        '› go',
        'Here is bold and code.',
        '- one',
        '- two',
        '  const a = "x"; // why',
        '┌───┬──────┐',
        '│ a │ b    │',
        '├───┼──────┤',
        '│ 1 │ 日本 │',
        '└───┴──────┘',
        'The end 👩‍👩‍👧 of it.',
      ]);
      expect(streamed.chat.terminal.lookOf('bold')).toMatchObject({ bold: true });
      expect(streamed.chat.terminal.lookOf('const')).toMatchObject({ colour: 5 });
      expect(streamed.chat.terminal.lookOf('// why')).toMatchObject({ dim: true });
    },
  );

  it('has its tables aligned as they say, however narrow', async () => {
    const table = '| left | count | middle |\n|:---|---:|:---:|\n| a | 7 | x |\n| **b** | 1234 | `long text` |';
    const wide = await shown(answer(table));
    const looks = ['left', 'count', 'middle', '1234'].map((text) => wide.chat.terminal.lookOf(text)?.bold);
    expect(looks).toEqual([true, true, true, false]);
    expect(wide.rows.slice(1)).toEqual([
      '┌──────┬───────┬───────────┐',
      '│ left │ count │  middle   │',
      '├──────┼───────┼───────────┤',
      '│ a    │     7 │     x     │',
      '├──────┼───────┼───────────┤',
      '│ b    │  1234 │ long text │',
      '└──────┴───────┴───────────┘',
    ]);
    expect((await shown(answer(table), 24)).rows.slice(1)).toEqual([
      '┌──────┬───────┬───────┐',
      '│ left │ count │ middl │',
      '│      │       │   e   │',
      '├──────┼───────┼───────┤',
      '│ a    │     7 │   x   │',
      '├──────┼───────┼───────┤',
      '│ b    │  1234 │ long  │',
      '│      │       │ text  │',
      '└──────┴───────┴───────┘',
    ]);
  });

  it('has links that can be followed where the terminal is known to have them, and always the address', async () => {
    const long = `https://example.com/${'a'.repeat(60)}`;
    const text = `[docs](https://example.com/a) [no](javascript:alert(1)) <${long}>`;
    const rows = ['› go', 'docs (https://example.com/a) no (javascript:alert(1))', long.slice(0, 60), long.slice(60)];
    const plain = await shown(answer(text), 60);
    expect(plain.rows).toEqual(rows);
    expect(plain.chat.terminal.written).not.toContain('\x1b]8;');
    const chat = await startChat([answer(text)], { columns: 60, rows: 50, links: true });
    chat.say('go');
    await chat.idle();
    expect(transcript(chat.terminal.all())).toEqual(rows);
    // eslint-disable-next-line no-control-regex -- it is a control sequence
    const followed = Array.from(chat.terminal.written.matchAll(/\x1b\]8;;([^\x1b]+)\x1b\\/g), ([, address]) => address);
    // Both rows of the long one lead to all of it.
    expect(followed).toEqual(['https://example.com/a', long, long]);
  });

  it('shows code without its fences, and fences that are code as they are', async () => {
    const { rows } = await shown(answer('A:\n````md\n```sh\nls\n```\n````\n> quoted\n> ```\n> code\n> ```\n\nB'));
    expect(rows).toEqual(['› go', 'A:', '  ```sh', '  ls', '  ```', '│ quoted', '│', '│', '│   code', 'B']);
  });

  it('is shown once, also when its end comes twice', async () => {
    const { rows } = await shown([
      ...deltas('Only once.', 3),
      done(message('Only once.')),
      done(message('Only once.')),
      completed(),
    ]);
    expect(rows).toEqual(['› go', 'Only once.']);
  });

  it('is what its end says, whatever the deltas said', async () => {
    const { rows } = await shown([...deltas('Paris is in Itxly.', 4), ...answer('Paris is in France.')]);
    expect(rows).toEqual(['› go', 'Paris is in France.']);
  });

  it('comes from servers without ids as well', async () => {
    const { rows } = await shown([
      { type: 'output_text.delta', delta: 'No ' },
      { type: 'output_text.delta', delta: 'ids.' },
      done({ ...message('No ids.'), id: undefined } as never),
      completed(),
    ]);
    expect(rows).toEqual(['› go', 'No ids.']);
  });

  it('cannot move the cursor or change colours', async () => {
    const evil = 'a\x1b[2J\x1b[3Jb\x1b]0;title\x07c\r\x9bd\u202ee';
    const { rows, chat } = await shown([...deltas(evil, 1), ...answer(evil)]);
    expect(rows).toEqual(['› go', 'abcde']);
    expect(chat.terminal.written).not.toContain('\x1b[3J');
  });

  it('keeps a refusal', async () => {
    const item = { ...message(''), content: [{ type: 'refusal' as const, refusal: 'No.' }] };
    const { rows } = await shown([{ type: 'refusal.delta', delta: 'No.', item_id: 'msg_1' }, done(item), completed()]);
    expect(rows).toEqual(['› go', 'No.', '! The model refuses this.']);
  });
});

describe('an answer with nothing in it', () => {
  it.each([
    ['no item', [completed()]],
    ['an empty one', answer('')],
    ['reasoning alone', [reasoning('rs_1', 'Hm.'), completed()]],
  ])('is told: %s', async (_, script: Step[]) => {
    const { rows } = await shown(script);
    expect(rows.filter((row) => !row.startsWith('✻'))).toEqual(['› go', '! The answer is empty.']);
  });

  it('is told after a tool as well', async () => {
    const chat = await startChat([calls(call('look', {})), answer('')], { tools: [testTool('look', () => 'x')] });
    chat.say('go');
    await chat.idle();
    expect(transcript(chat.terminal.all())).toEqual(['› go', '✓ look · x', '! The answer is empty.']);
  });
});

describe('reasoning', () => {
  it('is a dim line for each block, and Ctrl-O shows all of it', async () => {
    const { chat, rows } = await shown([
      reasoning('rs_1', 'First thought.'),
      reasoning('rs_2', '**Second** thought.'),
      ...answer('Done.'),
    ]);
    expect(rows).toEqual(['› go', '✻ Thought: First thought. (ctrl+o)', '✻ Thought: Second (ctrl+o)', 'Done.']);
    expect(chat.terminal.lookOf('First')).toMatchObject({ dim: true });
    chat.terminal.press(keys.ctrlO);
    await chat.terminal.until('  **Second** thought.');
    expect(transcript(chat.terminal.all())).toEqual([
      '› go',
      '✻ Thinking',
      '  First thought.',
      '✻ Thinking',
      '  **Second** thought.',
      'Done.',
    ]);
    expect(chat.terminal.lookOf('First')).toMatchObject({ dim: true, italic: true });
    chat.terminal.press(keys.ctrlO);
    await chat.terminal.until('Thought: First');
    expect(transcript(chat.terminal.all())).toEqual(rows);
  });

  it('looks the same streamed, and shows its end while it comes', async () => {
    const held = gate();
    const delta = (text: string): ModelEvent => ({
      type: 'reasoning_text.delta',
      delta: text,
      content_index: 0,
      item_id: 'rs_1',
    });
    const chat = await startChat([
      [delta('First '), delta('thought.'), held.wait, reasoning('rs_1', 'First thought.'), ...answer('Done.')],
    ]);
    chat.say('go');
    await chat.terminal.until('  First thought.');
    expect(chat.terminal.lookOf('First')).toMatchObject({ dim: true, italic: true });
    held.open();
    await chat.idle();
    expect(transcript(chat.terminal.all())).toEqual(['› go', '✻ Thought: First thought. (ctrl+o)', 'Done.']);
  });
});

describe('turns', () => {
  it('begin with empty buffers', async () => {
    const cut = new ModelError({ kind: 'server_error', message: 'broke' });
    const chat = await startChat([[...deltas('Left over', 4), cut], answer('Fresh.')]);
    chat.say('one');
    await chat.terminal.until('server_error: broke');
    chat.say('two');
    await chat.idle();
    expect(transcript(chat.terminal.all())).toEqual(['› one', 'Left over', '✗ server_error: broke', '› two', 'Fresh.']);
  });

  it('are interrupted by Esc, which keeps what was said for the eye', async () => {
    const chat = await startChat([
      [...deltas('Half an ans', 4), () => new Promise(() => undefined)],
      answer('Second.'),
    ]);
    chat.say('one');
    await chat.terminal.until('Half an ans');
    chat.terminal.press(keys.escape);
    await chat.idle();
    chat.say('two');
    await chat.idle();
    expect(transcript(chat.terminal.all())).toEqual([
      '› one',
      'Half an ans',
      '! Interrupted. What was said is kept.',
      '› two',
      'Second.',
    ]);
  });

  it('tell usage, time to the first token and speed in the status line', async () => {
    const chat = await startChat([answer('Hi.', { usage })]);
    chat.say('go');
    await chat.idle();
    await chat.terminal.until(/TTFT \d+ ms .* 10 in \(1 cached\) 5 out · tiny at test/);
  });
});

describe('a retry', () => {
  const waits = (held: ReturnType<typeof gate>, text: string, attempt: number, ...drawn: Step[]): Step[] => [
    ...deltas(text, 5),
    ...drawn,
    { ...retrying(['msg_1'], attempt), max: 5, delay_ms: 400 } as ModelEvent,
    held.wait,
    ...deltas('The true answer.', 4, 'msg_2'),
    done(message('The true answer.', 'msg_2')),
    completed(),
  ];

  it('is told in the status line, and what is void goes', async () => {
    const held = gate();
    const chat = await startChat([waits(held, 'A broken ans', 2)]);
    chat.say('go');
    await chat.terminal.until('Reconnecting 2/5 … (stream_truncated, in 400 ms)');
    expect(transcript(chat.terminal.all())).toEqual(['› go']);
    held.open();
    await chat.idle();
    expect(transcript(chat.terminal.all())).toEqual(['› go', 'The true answer.']);
    expect(chat.terminal.screen().join('\n')).not.toContain('Reconnecting');
  });

  it('marks what has already left the screen', async () => {
    const held = gate();
    const long = Array.from({ length: 60 }, (_, at) => `Line ${at} of it.`).join('\n\n');
    const drawn = gate();
    const chat = await startChat([waits(held, long, 1, drawn.wait)], { rows: 20 });
    chat.say('go');
    await chat.terminal.until('Line 59');
    drawn.open();
    await chat.terminal.until('Reconnecting');
    held.open();
    await chat.idle();
    const rows = transcript(chat.terminal.all());
    expect(rows.at(-2)).toBe('⟲ What stands above of this answer is void.');
    expect(rows.at(-1)).toBe('The true answer.');
    expect(new Set(rows).size).toBe(rows.length);
    expect(rows).not.toContain('Line 59 of it.');
  });
});

describe('a tool call', () => {
  it('is shown as it is written, then in one line', async () => {
    const held = gate();
    const text = JSON.stringify({ n: 12 });
    const lines = Array.from({ length: 100 }, (_, at) => `out ${at}`).join('\n');
    const tool = testTool('count', () => lines);
    const chat = await startChat(
      [
        [
          { type: 'output_item.added', item: { ...call('count', ''), status: 'in_progress' } },
          { type: 'tool_call_input.delta', call_id: 'call_1', delta: text.slice(0, 4) },
          held.wait,
          { type: 'tool_call_input.delta', call_id: 'call_1', delta: text.slice(4) },
          ...calls(call('count', text)),
        ],
        answer('Counted.'),
      ],
      { tools: [tool], rows: 30 },
    );
    chat.say('go');
    await chat.terminal.until('◌ count {"n"▍');
    held.open();
    await chat.idle();
    expect(transcript(chat.terminal.all())).toEqual(['› go', '✓ count 12 · 100 lines (ctrl+o)', 'Counted.']);
    expect(tool.runs).toBe(1);
  });

  it('that does not exist, or is not JSON, is told and the turn goes on', async () => {
    const chat = await startChat(
      [calls(call('nothing', {})), calls(call('count', '{"n":', 'call_2')), answer('Well.')],
      {
        tools: [testTool('count', () => 'x')],
      },
    );
    chat.say('go');
    await chat.idle();
    const rows = transcript(chat.terminal.all());
    expect(count(rows, '✗ nothing')).toBe(1);
    expect(count(rows, 'are not JSON')).toBe(1);
    expect(rows.at(-1)).toBe('Well.');
  });
});
