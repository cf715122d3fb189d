import fc from 'fast-check';

/**
 * Streams as servers might send them, well-formed and not: what comes out is a body of SSE text. Small alphabets on
 * purpose, so that the same index, id and text meet often.
 */

const text = fc.oneof(
  fc.constantFrom('a', '', ' the', '\n', '"', '\\', '{', '}', '"}', '\u2028', 'é', '🙂', '\ud83d', 'x'.repeat(20)),
  fc.constantFrom('<think>', '</think>', '<thi', 'nk>'),
  fc.string({ maxLength: 6 }),
);
const maybe = <T>(arb: fc.Arbitrary<T>): fc.Arbitrary<T | null | undefined> =>
  fc.oneof({ weight: 3, arbitrary: arb }, { weight: 1, arbitrary: fc.constantFrom(null, undefined) });

const wrongType = fc.constantFrom<unknown>(0, 7, true, [], {}, 'text', [null], { text: 'in' });

const fragment = fc.record(
  {
    index: fc.constantFrom<unknown>(0, 1, -1, 0.5, 'x'),
    id: fc.constantFrom<unknown>('call_a', 'call_b', '', 3),
    type: fc.constantFrom('function', 'custom'),
    function: fc.record(
      { name: fc.constantFrom('f', '', 'g'), arguments: fc.oneof(text, fc.constantFrom<unknown>({ a: 1 }, 4, '{}')) },
      { requiredKeys: [] },
    ),
    custom: fc.record({ name: fc.constantFrom('c', ''), input: text }, { requiredKeys: [] }),
  },
  { requiredKeys: [] },
);

const delta = fc.record(
  {
    role: fc.constant('assistant'),
    content: fc.oneof(maybe(text), fc.array(fc.record({ text }), { maxLength: 2 }), wrongType),
    reasoning: fc.oneof(text, fc.record({ text }), fc.record({ content: text }), wrongType),
    reasoning_content: maybe(text),
    reasoning_details: fc.array(fc.record({ text }), { maxLength: 2 }),
    refusal: maybe(text),
    tool_calls: fc.oneof(fc.array(fragment, { maxLength: 2 }), wrongType),
  },
  { requiredKeys: [] },
);

const finish = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(null, undefined, '') },
  { weight: 1, arbitrary: fc.constantFrom('stop', 'tool_calls', 'length', 'content_filter', 'eos', 'error') },
);

const usage = fc.record(
  { prompt_tokens: fc.constantFrom(0, 3), completion_tokens: fc.nat(200), total_tokens: fc.constantFrom(0, 9) },
  { requiredKeys: [] },
);

const choice = fc.record(
  {
    index: fc.constantFrom<unknown>(0, 0, 0, 1, 'x'),
    delta,
    message: delta,
    finish_reason: finish,
    usage: maybe(usage),
  },
  { requiredKeys: ['delta'] },
);

/** Consecutive chunks of one shape, which is what the fast path is for. */
const run = fc
  .record({
    id: fc.constantFrom('chatcmpl-1', 'é'),
    shape: fc.constantFrom('content', 'reasoning_content', 'arguments', 'reasoning'),
    texts: fc.array(text, { minLength: 2, maxLength: 8 }),
    created: fc.array(fc.nat(3), { minLength: 8, maxLength: 8 }),
    first: fc.boolean(),
    spaced: fc.boolean(),
    index: fc.constantFrom(0, 1),
    pad: fc.boolean(),
  })
  .map(({ id, shape, texts, created, first, spaced, index, pad }) =>
    texts.map((one, n) => {
      const inner =
        shape === 'arguments' ? { tool_calls: [{ index, function: { arguments: one } }] } : { [shape]: one };
      const choices = [{ index, delta: inner, finish_reason: null }];
      const more = { created: created[n], ...(pad ? { obfuscation: 'p'.repeat(n) } : {}) };
      const object = first ? { choices, id, ...more } : { id, ...more, choices };
      return spaced ? JSON.stringify(object, undefined, 1).replaceAll('\n', ' ') : JSON.stringify(object);
    }),
  );

const chatObject = fc.record(
  {
    id: fc.constantFrom<unknown>('chatcmpl-1', 5),
    choices: fc.oneof(
      { weight: 9, arbitrary: fc.array(choice, { maxLength: 2 }) },
      { weight: 1, arbitrary: wrongType },
    ),
    usage: maybe(usage),
    error: fc.oneof(
      { weight: 20, arbitrary: fc.constantFrom(null, undefined) },
      { weight: 1, arbitrary: fc.constantFrom('bad', { message: 'm', code: 429 }) },
    ),
  },
  { requiredKeys: ['choices'] },
);

const junk = fc.constantFrom<string>(
  '{"truncated":',
  'not json',
  '[1]',
  'null',
  '{"choices":[{"delta":{"content":"a"}',
  '""',
  '{}',
);

/** Around the bound, and now and then far beyond it. */
const levels = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(1, 499, 500, 501) },
  { weight: 1, arbitrary: fc.constant(20_000) },
);

/** JSON text of so many levels. */
const nest = fc.tuple(levels, fc.boolean(), fc.boolean()).map(([count, objects, whole]) => {
  const inside = count - 1; // the event around it is the first level
  const [open, close] = objects ? ['{"a":', '}'] : ['[', ']'];
  return open.repeat(inside) + (whole ? '0' + close.repeat(inside) : '');
});

/** A run in which one event differs by one character: nearly what a template knows, and often no JSON any more. */
function nearly(runs: fc.Arbitrary<string[]>): fc.Arbitrary<string[]> {
  const near = fc.constantFrom('0', '1', '"', '\\', '\t', ' ', '-', '.', ',', 'e', 'n', '{', '}', '', 'é', '\u0000');
  return fc.tuple(runs, fc.nat(7), fc.nat(200), near, fc.boolean()).map(([events, which, at, char, insert]) =>
    events.map((event, n) => {
      if (n !== which % events.length) return event;
      const place = at % (event.length + 1);
      return event.slice(0, place) + char + event.slice(insert ? place : place + 1);
    }),
  );
}

const chatData = fc.oneof(
  { weight: 6, arbitrary: run },
  { weight: 3, arbitrary: nearly(run) },
  { weight: 6, arbitrary: chatObject.map((object) => [JSON.stringify(object)]) },
  { weight: 1, arbitrary: junk.map((one) => [one]) },
  { weight: 1, arbitrary: nest.map((deep) => [`{"x":${deep},"choices":[{"index":0,"delta":{"content":"a"}}]}`]) },
  { weight: 1, arbitrary: fc.constantFrom('[DONE]', 'DONE', ' [DONE] ').map((one) => [one]) },
);

const ITEMS = ['it_1', 'it_2', undefined] as const;
const itemId = fc.constantFrom(...ITEMS);
const place = fc.constantFrom(0, 1, undefined);

const item = fc
  .record({
    type: fc.constantFrom('message', 'reasoning', 'function_call', 'custom_tool_call', 'web_search_call'),
    id: itemId,
    call_id: fc.constantFrom('call_a', undefined),
    text,
  })
  .map(({ type, text: body, ...ids }) => ({
    ...ids,
    type,
    ...(type === 'message' ? { role: 'assistant', content: [{ type: 'output_text', text: body }] } : {}),
    ...(type === 'reasoning' ? { summary: [] } : {}),
    ...(type === 'function_call' ? { name: 'f', arguments: body } : {}),
    ...(type === 'custom_tool_call' ? { name: 'c', input: body } : {}),
  }));

const deltaTypes = [
  'response.output_text.delta',
  'response.refusal.delta',
  'response.reasoning_text.delta',
  'response.reasoning_summary_text.delta',
  'response.function_call_arguments.delta',
  'response.custom_tool_call_input.delta',
] as const;

const responsesRun = fc
  .record({
    type: fc.constantFrom(...deltaTypes),
    texts: fc.array(text, { minLength: 1, maxLength: 8 }),
    item_id: itemId,
    output_index: place,
    content_index: place,
    start: fc.nat(12),
    pad: fc.boolean(),
  })
  .map(({ texts, start, pad, type, ...place_ }) =>
    texts.map((one, n) =>
      JSON.stringify({
        type,
        sequence_number: start + n,
        ...place_,
        delta: one,
        ...(pad ? { obfuscation: 'p'.repeat(n) } : {}),
      }),
    ),
  );

const response = fc.record(
  {
    id: fc.constantFrom<unknown>('resp_1', 4),
    output: fc.array(item, { maxLength: 3 }),
    usage: maybe(fc.constant({ input_tokens: 1, output_tokens: 2 })),
  },
  { requiredKeys: [] },
);

const responsesEvent = fc.oneof(
  fc.record({
    type: fc.constantFrom('response.output_item.added', 'response.output_item.done'),
    item: fc.oneof(item, wrongType),
    output_index: place,
  }),
  fc.record({ type: fc.constantFrom('response.created', 'response.in_progress'), response }),
  fc.record({ type: fc.constant('response.output_text.done'), item_id: itemId, text }),
  fc.record({ type: fc.constant('response.function_call_arguments.done'), item_id: itemId, arguments: text }),
  fc.record({ type: fc.constant('response.output_text.delta'), delta: wrongType, item_id: itemId }),
  fc.record({ type: fc.constantFrom('response.new_thing.delta', 'x'), delta: text }),
);

const ending = fc.oneof(
  fc.record({ type: fc.constantFrom('response.completed', 'response.incomplete', 'response.failed'), response }),
  fc.record({ type: fc.constant('error'), code: fc.constantFrom('slow_down', 'x'), message: text }),
);

const responsesData = fc.oneof(
  { weight: 6, arbitrary: responsesRun },
  { weight: 3, arbitrary: nearly(responsesRun) },
  { weight: 6, arbitrary: responsesEvent.map((event) => [JSON.stringify(event)]) },
  { weight: 1, arbitrary: ending.map((event) => [JSON.stringify(event)]) },
  { weight: 1, arbitrary: junk.map((one) => [one]) },
  { weight: 1, arbitrary: nest.map((deep) => [`{"x":${deep},"type":"response.output_text.delta","delta":"a"}`]) },
  { weight: 1, arbitrary: nest.map((deep) => [`{"type":"response.output_item.done","item":${deep}}`]) },
);

const blockIndex = fc.constantFrom<unknown>(0, 0, 1, 2, undefined, -1, '0');
const callId = fc.constantFrom('toolu_a', 'toolu_b', undefined, 7);

const contentBlock = fc.oneof(
  fc.record({
    type: fc.constant('text'),
    text: maybe(text),
    citations: maybe(fc.constant([{ type: 'char_location' }])),
  }),
  fc.record({ type: fc.constant('thinking'), thinking: maybe(text), signature: maybe(text) }),
  fc.record({ type: fc.constant('redacted_thinking'), data: maybe(text) }),
  fc.record({
    type: fc.constant('tool_use'),
    id: callId,
    name: fc.constantFrom('f', 'g', '', undefined),
    input: fc.constantFrom<unknown>({}, { a: 1 }, undefined, null, '{"a":1}'),
  }),
  fc.record({ type: fc.constantFrom('server_tool_use', 'web_search_tool_result', 'x'), id: fc.constant('srv') }),
  wrongType,
);

const blockDelta = fc.oneof(
  fc.record({ type: fc.constant('text_delta'), text: fc.oneof({ weight: 6, arbitrary: text }, wrongType) }),
  fc.record({ type: fc.constant('thinking_delta'), thinking: fc.oneof({ weight: 6, arbitrary: text }, wrongType) }),
  fc.record({ type: fc.constant('signature_delta'), signature: fc.oneof({ weight: 6, arbitrary: text }, wrongType) }),
  fc.record({
    type: fc.constant('input_json_delta'),
    partial_json: fc.oneof({ weight: 6, arbitrary: fc.oneof(text, fc.constantFrom('{}', '{"a"', ':1}')) }, wrongType),
  }),
  fc.record({
    type: fc.constant('citations_delta'),
    citation: fc.oneof(fc.constant({ type: 'web_search_result_location', url: 'u' }), wrongType),
  }),
  fc.record({ type: fc.constantFrom('new_delta', undefined), text }),
  wrongType,
);

const messagesUsage = fc.record(
  {
    input_tokens: fc.constantFrom<unknown>(0, 3, null),
    output_tokens: fc.constantFrom<unknown>(0, 9, 'x'),
    cache_read_input_tokens: fc.constantFrom(0, 5),
    output_tokens_details: fc.constantFrom<unknown>({ thinking_tokens: 2 }, null),
  },
  { requiredKeys: [] },
);

const messagesEvent = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('message_start'),
      message: fc.oneof(
        fc.record(
          {
            id: fc.constantFrom<unknown>('msg_a', 4),
            usage: maybe(messagesUsage),
            content: fc.array(contentBlock, { maxLength: 2 }),
          },
          { requiredKeys: [] },
        ),
        wrongType,
      ),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ type: fc.constant('content_block_start'), index: blockIndex, content_block: contentBlock }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constantFrom('content_block_delta', 'content_block_delta', undefined),
      index: blockIndex,
      delta: blockDelta,
    }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('content_block_stop'), index: blockIndex }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('ping', 'x') }) },
);

const messagesEnding = fc.oneof(
  fc.record({
    type: fc.constant('message_delta'),
    delta: fc.record({
      stop_reason: fc.constantFrom<unknown>('end_turn', 'tool_use', 'max_tokens', 'refusal', 'x', null, ''),
    }),
    usage: maybe(messagesUsage),
  }),
  fc.record({ type: fc.constant('message_stop') }),
  fc.record({
    type: fc.constant('error'),
    error: fc.oneof(fc.record({ type: fc.constant('api_error'), message: text }), wrongType),
  }),
);

/** Consecutive deltas of one shape. */
const messagesRun = fc
  .record({
    shape: fc.constantFrom(
      ['text_delta', 'text'],
      ['thinking_delta', 'thinking'],
      ['input_json_delta', 'partial_json'],
      ['signature_delta', 'signature'],
    ),
    texts: fc.array(text, { minLength: 1, maxLength: 8 }),
    index: fc.constantFrom(0, 1),
    estimate: fc.boolean(),
    first: fc.boolean(),
  })
  .map(({ shape: [type = '', field = ''], texts, index, estimate, first }) =>
    texts.map((one, n) => {
      const inner = { type, [field]: one, ...(estimate ? { estimated_tokens: n } : {}) };
      const type_ = 'content_block_delta';
      return JSON.stringify(first ? { delta: inner, type: type_, index } : { type: type_, index, delta: inner });
    }),
  );

const messagesData = fc.oneof(
  { weight: 6, arbitrary: messagesRun },
  { weight: 3, arbitrary: nearly(messagesRun) },
  { weight: 8, arbitrary: messagesEvent.map((event) => [JSON.stringify(event)]) },
  { weight: 1, arbitrary: messagesEnding.map((event) => [JSON.stringify(event)]) },
  { weight: 1, arbitrary: junk.map((one) => [one]) },
  {
    weight: 1,
    arbitrary: nest.map((deep) => [
      `{"x":${deep},"type":"content_block_delta","delta":{"type":"text_delta","text":"a"}}`,
    ]),
  },
  { weight: 1, arbitrary: fc.constantFrom('[DONE]', 'DONE').map((one) => [one]) },
);

/** How one event's data is written as lines. */
const framing = fc.record({
  event: fc.constantFrom('', 'event: response.x\n', 'event: content_block_delta\n', 'id: 4\nretry: 10\n'),
  prefix: fc.constantFrom('data: ', 'data: ', 'data: ', 'data:'),
  /** Where the data is broken into a second `data:` line; JSON takes a line end at most of these places. */
  breakAt: fc.oneof(
    { weight: 8, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom(',', '{', ':') },
  ),
  after: fc.constantFrom('', '', '', ': ping\n\n', ':\n', '\n', 'nonsense line\n\n', ': open '),
});

type Framing = typeof framing extends fc.Arbitrary<infer F> ? F : never;

function frame(data: string, { event, prefix, breakAt, after }: Framing): string {
  const lines = breakAt === undefined ? data : data.replace(breakAt, `${breakAt}\n${prefix}`);
  return `${event}${prefix}${lines}\n\n${after === ': open ' ? ': comment\n' : after}`;
}

function bodyOf(data: fc.Arbitrary<string[]>): fc.Arbitrary<string> {
  return fc
    .tuple(
      fc.array(fc.tuple(data, framing), { maxLength: 10 }),
      fc.constantFrom('', '\uFEFF'),
      fc.constantFrom('', 'data: {"choices":[]}', 'da'),
    )
    .map(
      ([groups, bom, rest]) =>
        bom + groups.flatMap(([lines, how]) => lines.map((line) => frame(line, how))).join('') + rest,
    );
}

/** Bodies of the chat wire. */
export const chatBodies = bodyOf(chatData);
/** Bodies of the Responses wire. */
export const responsesBodies = bodyOf(responsesData);
/** Bodies of the Messages wire. */
export const messagesBodies = bodyOf(messagesData);

/** Decoder options of every kind. */
export const decoderOptions = fc.record({
  usageAsked: fc.boolean(),
  tokenLimit: fc.boolean(),
  onClose: fc.constantFrom('error' as const, 'complete' as const),
  thinkTags: fc.constantFrom(false, true, 'opened' as const),
  toolCallsOnStop: fc.constantFrom('drop' as const, 'promote' as const),
  maxEventBytes: fc.constantFrom(120, 300, 16_000_000),
});
