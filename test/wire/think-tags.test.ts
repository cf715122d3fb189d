import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createResponsesFrameDecoder, Repairs, type ProtocolId } from '../../packages/wire/src/index.ts';
import { thinkTags, type ThinkTags } from '../../packages/wire/src/dialects/think-tags.ts';
import type { ModelEvent } from '../../packages/wire/src/model/events.ts';
import type { OutputItem } from '../../packages/wire/src/model/items.ts';
import { ThinkReader } from '../../packages/wire/src/think-tags/think-reader.ts';
import { chatBody, chunk, decodeText, responsesBody } from './helpers.ts';
import { read } from './rules.ts';

/** What the events come to: merged deltas, and the items in the order in which they were done. */
function summary(events: readonly ModelEvent[]) {
  const deltas = { reasoning: '', text: '' };
  for (const event of events) {
    if (event.type === 'reasoning_text.delta') deltas.reasoning += event.delta;
    if (event.type === 'output_text.delta') deltas.text += event.delta;
  }
  const done = events.flatMap((event) => (event.type === 'output_item.done' ? [brief(event.item)] : []));
  return { ...deltas, done };
}

function brief(item: OutputItem): string {
  const parts = 'content' in item && Array.isArray(item.content) ? (item.content as { text?: string }[]) : [];
  const name = item.type === 'function_call' ? String(item.name) : parts.map(({ text }) => text ?? '').join('|');
  return `${String(item.type)}:${String(item.status)}:${name}`;
}

/** The pieces of a text, merged. */
function readText(pieces: readonly string[], tags: Exclude<ThinkTags, false> = true) {
  const reader = new ThinkReader(tags);
  const found = { reasoning: '', text: '' };
  const sink = {
    onReasoning: (text: string) => void (found.reasoning += text),
    onText: (text: string) => void (found.text += text),
  };
  for (const piece of pieces) reader.push(piece, sink);
  reader.end(sink);
  return found;
}

const fence = '```';

describe('the text of an answer', () => {
  it.each(['think', 'thinking', 'thought', 'reasoning', 'mm:think'])('<%s> at its beginning is reasoning', (tag) => {
    expect(readText([`<${tag}>a</${tag}>b`])).toEqual({ reasoning: 'a', text: 'b' });
  });

  it.each(thinkTags)('$open at its beginning is reasoning', ({ open, close }) => {
    expect(readText([`${open}\nTwo and two.\n${close}\n\nFour.`])).toEqual({
      reasoning: 'Two and two.',
      text: 'Four.',
    });
  });

  it.each<[string, string, string, string]>([
    ['white space before the tag', '\n <think>a</think>b', 'a', 'b'],
    ['an empty thought, as Qwen3 writes when it does not think', '<think>\n\n</think>\n\nHi', '', 'Hi'],
    ['a tag that is never closed', '<think>a\nb\n', 'a\nb', ''],
    ['a cut closing tag', '<think>a</thi', 'a</thi', ''],
    ['a cut opening tag', ' <thin', '', ' <thin'],
    ['reasoning only', '<think>a</think>\n', 'a', ''],
    ['a tag behind other text', 'So: <think>a</think>', '', 'So: <think>a</think>'],
    ['a tag in code', '`<think>` opens a thought', '', '`<think>` opens a thought'],
    ['a block of code', `${fence}\n<think>a</think>\n${fence}`, '', `${fence}\n<think>a</think>\n${fence}`],
    ['a closing tag without an opening one', 'a</think>b', '', 'a</think>b'],
    ['the closing tag of another pair', '<think>a</thought>b</think>c', 'a</thought>b', 'c'],
    ['a second thought, which is text', '<think>a</think>b<think>c</think>', 'a', 'b<think>c</think>'],
    ['another spelling', '<THINK>a</THINK>', '', '<THINK>a</THINK>'],
    ['a closing tag in a span', '<think>use `</think>` here</think>b', 'use `</think>` here', 'b'],
    ['a span of two backticks', '<think>``a ` </think>`` b</think>c', '``a ` </think>`` b', 'c'],
    ['a backtick alone in its line', '<think>a ` is odd</think>\nb', 'a ` is odd', 'b'],
    ['a backtick alone, and no more lines', '<think>a ` is odd</think>b', 'a ` is odd', 'b'],
    [
      'a closing tag in a block',
      `<think>See:\n${fence}html\n</think>\n${fence}\nso</think>b`,
      `See:\n${fence}html\n</think>\n${fence}\nso`,
      'b',
    ],
    ['a block of tildes', '<think>~~~\n</think>\n~~~\n</think>b', '~~~\n</think>\n~~~', 'b'],
    [
      'a block that is closed in the line of the tag',
      `<think>\n${fence}\na\n${fence}</think>b`,
      `${fence}\na\n${fence}`,
      'b',
    ],
    ['a block that nobody closed', `<think>${fence}\na\n</think>\nThe answer.`, `${fence}\na`, 'The answer.'],
    [
      'a block that nobody closed before an answer with one',
      `<think>${fence}\na\n</think>\nUse:\n${fence}js\nb\n${fence}\n`,
      `${fence}\na`,
      `Use:\n${fence}js\nb\n${fence}\n`,
    ],
  ])('%s', (_what, text, reasoning, answer) => {
    expect(readText([text])).toEqual({ reasoning, text: answer });
  });

  it.each<[string, string, string, string]>([
    ['begins within', 'a\n</think>\n\nb', 'a', 'b'],
    ['may open the tag again', '<think>a</think>b', 'a', 'b'],
    ['may never close it', 'a', 'a', ''],
    ['may be a cut tag', '<thi', '<thi', ''],
  ])('of a prompt that ends in the opening tag: %s', (_what, text, reasoning, answer) => {
    expect(readText([text], 'opened')).toEqual({ reasoning, text: answer });
  });

  it('is the same however it is cut', () => {
    const word = fc.constantFrom(
      ...['<think>', '</think>', '<thought>', '</thought>', '<', '</', 'think>', '\n', ' ', 'a', 'b c', '`', '``'],
      ...[fence, `\n${fence}`, `\n${fence}js\n`, '~~~', 'é', '🙂'],
    );
    const text = fc.array(word, { maxLength: 24 }).map((words) => words.join(''));
    const places = fc.array(fc.nat(200), { maxLength: 12 });
    fc.assert(
      fc.property(
        text,
        places,
        fc.constantFrom<true | 'opened'>(true, 'opened'),
        fc.boolean(),
        (rest, cuts, tags, begins) => {
          const whole = begins ? `<think>${rest}` : rest;
          const ends = [...cuts.map((at) => at % (whole.length + 1)), 0, whole.length].sort((a, b) => a - b);
          const pieces = ends.slice(1).map((end, n) => whole.slice(ends[n], end));
          expect(readText(pieces, tags)).toEqual(readText([whole], tags));
          expect(
            readText(
              Array.from(whole, (character) => character),
              tags,
            ),
          ).toEqual(readText([whole], tags));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('is held no longer than a bound: a tag in what may be code counts as one', () => {
    const long = 'x'.repeat(5000);
    expect(readText([`<think>${fence}\n</think>`, long, `\n${fence}\n`])).toEqual({
      reasoning: fence,
      text: `${long}\n${fence}\n`,
    });
  });
});

const thought = { type: 'reasoning', id: 'rs_1', summary: [], content: [{ type: 'reasoning_text', text: 'Why.' }] };
const said = { type: 'output_text', text: 'So.', annotations: [] };
const whole = '<think>\nWhy.\n</think>\n\nSo.';
const pieces = ['<th', 'ink>\n', 'Wh', 'y.\n', '</think', '>\n\nS', 'o.'];

const chat = (texts: readonly string[], finish = 'stop'): string =>
  chatBody(...texts.map((content) => chunk({ content })), chunk({}, finish), '[DONE]');

const message = (text: string) => ({
  type: 'message',
  id: 'm',
  role: 'assistant',
  status: 'completed',
  content: text === '' ? [] : [{ type: 'output_text', text, annotations: [] }],
});

const responses = (texts: readonly string[]): ({ type: string } & Record<string, unknown>)[] => [
  { type: 'response.created', response: { id: 'r' } },
  { type: 'response.output_item.added', output_index: 0, item: { ...message(''), status: 'in_progress' } },
  ...texts.map((delta) => ({
    type: 'response.output_text.delta',
    item_id: 'm',
    output_index: 0,
    content_index: 0,
    delta,
  })),
  { type: 'response.output_item.done', output_index: 0, item: message(texts.join('')) },
  { type: 'response.completed', response: { id: 'r', status: 'completed', output: [message(texts.join(''))] } },
];

describe('events', () => {
  it('of a chat stream: the thought is an item of its own, done where it ends', () => {
    expect(read('chat', chat(pieces), { thinkTags: true }).events).toEqual([
      { type: 'created' },
      { type: 'output_item.added', item: { ...thought, content: [], status: 'in_progress' } },
      { type: 'reasoning_text.delta', delta: 'Wh', content_index: 0, item_id: 'rs_1' },
      { type: 'reasoning_text.delta', delta: 'y.', content_index: 0, item_id: 'rs_1' },
      { type: 'output_item.done', item: { ...thought, status: 'completed' } },
      {
        type: 'output_item.added',
        item: { type: 'message', id: 'msg_1', role: 'assistant', status: 'in_progress', content: [] },
      },
      { type: 'output_text.delta', delta: 'S', item_id: 'msg_1' },
      { type: 'output_text.delta', delta: 'o.', item_id: 'msg_1' },
      {
        type: 'output_item.done',
        item: { type: 'message', id: 'msg_1', role: 'assistant', status: 'completed', content: [said] },
      },
      { type: 'completed', response_id: '', finish_reason: 'stop', ended_by: 'finish_reason' },
    ]);
  });

  it('of a Responses stream, over SSE and in frames', () => {
    const events = responses(pieces);
    const frames = createResponsesFrameDecoder({ thinkTags: true });
    const told = { reasoning: 'Why.', text: 'So.', done: ['reasoning:completed:Why.', 'message:completed:So.'] };
    expect(summary(read('responses', responsesBody(...events), { thinkTags: true }).events)).toEqual(told);
    expect(summary(events.flatMap((event) => frames.pushText(JSON.stringify(event))))).toEqual(told);
  });

  it.each<[ProtocolId, object]>([
    ['chat', { choices: [{ index: 0, message: { role: 'assistant', content: whole }, finish_reason: 'stop' }] }],
    ['responses', { id: 'r', status: 'completed', output: [message(whole)] }],
  ])('of a JSON body of %s', (wire, body) => {
    expect(summary(read(wire, JSON.stringify(body), { thinkTags: true }).events).done).toEqual([
      'reasoning:completed:Why.',
      'message:completed:So.',
    ]);
  });

  it('are what they were where nobody asks', () => {
    expect(summary(read('chat', chat(pieces)).events)).toEqual({
      reasoning: '',
      text: whole,
      done: [`message:completed:${whole}`],
    });
    expect(read('chat', chat(['Hi']), { thinkTags: true })).toEqual(read('chat', chat(['Hi'])));
    expect(read('responses', responsesBody(...responses(['Hi'])), { thinkTags: true })).toEqual(
      read('responses', responsesBody(...responses(['Hi']))),
    );
  });

  it.each<ProtocolId>(['chat', 'responses'])('of %s with reasoning only have no message', (wire) => {
    const texts = ['<think>Why.', '</think>\n'];
    const body = wire === 'chat' ? chat(texts) : responsesBody(...responses(texts));
    const { events } = read(wire, body, { thinkTags: true });
    expect(summary(events)).toEqual({ reasoning: 'Why.', text: '', done: ['reasoning:completed:Why.'] });
    expect(events.filter(({ type }) => type === 'output_item.added')).toHaveLength(1);
  });

  it('a thought that a limit cuts is incomplete, and the answer fails', () => {
    const { events, error } = read('chat', chat(['<think>Wh'], 'length'), { thinkTags: true, tokenLimit: true });
    expect(summary(events)).toEqual({ reasoning: 'Wh', text: '', done: ['reasoning:incomplete:Wh'] });
    expect(error).toMatchObject({ kind: 'incomplete', code: 'max_output_tokens' });
  });

  it('a stream that breaks off closes what is open', () => {
    const { events, error } = read('chat', chatBody(chunk({ content: '<think>Wh' })), { thinkTags: true });
    expect(summary(events)).toEqual({ reasoning: 'Wh', text: '', done: ['reasoning:incomplete:Wh'] });
    expect(error).toMatchObject({ kind: 'stream_truncated' });
    expect(summary(read('chat', chatBody(chunk({ content: ' <thi' })), { thinkTags: true }).events)).toEqual({
      reasoning: '',
      text: ' <thi',
      done: ['message:incomplete: <thi'],
    });
  });

  it('a thought stands before the calls that follow, closed or not', () => {
    const call = { index: 0, id: 'c', type: 'function', function: { name: 'now', arguments: '{}' } };
    for (const text of ['<think>Why.</think>', '<think>Why.']) {
      const body = chatBody(chunk({ content: text }), chunk({ tool_calls: [call] }), chunk({}, 'tool_calls'));
      expect(summary(read('chat', body, { thinkTags: true }).events).done).toEqual([
        'reasoning:completed:Why.',
        'function_call:completed:now',
      ]);
    }
  });

  it('each choice has a thought of its own', () => {
    const piece = (index: number, content: string, finish_reason: string | null = null) => ({
      choices: [{ index, delta: { content }, finish_reason }],
    });
    const body = chatBody(piece(0, '<think>a'), piece(1, '<thought>b'), piece(0, '</think>c'), piece(1, '</thought>d'));
    expect(
      summary(read('chat', body + chatBody(piece(0, '', 'stop'), piece(1, '', 'stop')), { thinkTags: true }).events),
    ).toEqual({
      reasoning: 'ab',
      text: 'cd',
      done: ['reasoning:completed:a', 'reasoning:completed:b', 'message:completed:c', 'message:completed:d'],
    });
  });

  it('the whole text of an item wins over its deltas', () => {
    const [created, added, delta] = responses(['<think>Wh']);
    const body = responsesBody(created!, added!, delta!, ...responses([whole]).slice(3));
    expect(summary(read('responses', body, { thinkTags: true }).events).done).toEqual([
      'reasoning:completed:Why.',
      'message:completed:So.',
    ]);
  });

  it('two messages without ids are two, each with its thought', () => {
    const delta = (text: string, place?: object) => ({ type: 'response.output_text.delta', delta: text, ...place });
    const body = responsesBody(delta('<think>a'), delta('<think>b', { output_index: 0, content_index: 0 }));
    const { events } = read('responses', body, { thinkTags: true });
    expect(summary(events).done).toEqual(['reasoning:incomplete:a', 'reasoning:incomplete:b']);
  });

  it('places in the text count from its new beginning', () => {
    const text = '<think>Why.</think>See a page.';
    const annotation = { type: 'url_citation', url: 'https://example.com/', title: 't' };
    const item = {
      ...message(''),
      content: [{ type: 'output_text', text, annotations: [{ ...annotation, start_index: 25, end_index: 29 }] }],
    };
    const body = JSON.stringify({ id: 'r', status: 'completed', output: [item] });
    expect(read('responses', body, { thinkTags: true }).events).toContainEqual({
      type: 'output_item.done',
      item: {
        ...message(''),
        content: [
          { type: 'output_text', text: 'See a page.', annotations: [{ ...annotation, start_index: 6, end_index: 10 }] },
        ],
      },
    });
  });

  it('a state that a server wants back stays on the message', () => {
    const extra_content = { google: { thought_signature: 's' } };
    const body = chatBody(chunk({ content: '<thought>Why.</thought>', extra_content }), chunk({}, 'stop'));
    expect(summary(read('chat', body, { thinkTags: true }).events).done).toEqual([
      'reasoning:completed:Why.',
      'message:completed:',
    ]);
  });

  it('are a repair with a name', () => {
    const repairs = new Repairs();
    decodeText('chat', chat(['<think>a</think>b']), { thinkTags: true, repairs });
    expect([...repairs.names]).toEqual(['think_tags']);
    const none = new Repairs();
    decodeText('chat', chat(['b </think>']), { thinkTags: true, repairs: none });
    expect([...none.names]).toEqual([]);
  });
});
