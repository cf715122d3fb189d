import { describe, expect, it } from 'vitest';
import { healed, healFor, heals, type HealName } from '../../packages/wire/src/dialects/heals.ts';
import { repairs } from '../../packages/wire/src/repairs.ts';

const user = { role: 'user', content: 'q' };
const image = { type: 'image_url', image_url: { url: 'data:,' } };
const gone = '(an image was here, which this model cannot see)';
const pictureBlock = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA==' } };
const textBlock = { type: 'text', text: gone };
const tool = { type: 'function', function: { name: 'f', strict: true, parameters: { type: 'object', strict: 1 } } };

/** What servers said, the body that they said it of, and what is sent instead. */
const rows: readonly (readonly [HealName, string, object, object])[] = [
  ['usage_refused', 'Unrecognized request argument supplied: stream_options', { stream_options: {} }, {}],
  [
    'max_tokens_refused',
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    { max_tokens: 5 },
    { max_completion_tokens: 5 },
  ],
  [
    'max_completion_tokens_refused',
    'max_completion_tokens: Extra inputs are not permitted',
    { max_completion_tokens: 5 },
    { max_tokens: 5 },
  ],
  [
    'effort_value_refused',
    'invalid reasoning value: \'xhigh\' (must be "high", "medium", "low", or "none")',
    { reasoning_effort: 'xhigh' },
    { reasoning_effort: 'high' },
  ],
  [
    'effort_value_refused',
    "Unsupported value: 'reasoning.effort' does not support 'minimal' with this model.",
    { reasoning: { effort: 'minimal', summary: 'auto' } },
    { reasoning: { effort: 'low', summary: 'auto' } },
  ],
  ['effort_refused', 'Argument not supported on this model: reasoningEffort', { reasoning_effort: 'high' }, {}],
  ['effort_refused', "Unsupported parameter: 'reasoning.effort'", { reasoning: { effort: 'low' } }, {}],
  [
    'temperature_refused',
    "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported.",
    { temperature: 0.2 },
    {},
  ],
  ['top_p_refused', "Unsupported parameter: 'top_p' is not supported with this model.", { top_p: 0.5 }, {}],
  ['parallel_tool_calls_refused', 'parallel_tool_calls is not supported', { parallel_tool_calls: true }, {}],
  [
    'strict_refused',
    'tools.0.function.strict: Extra inputs are not permitted',
    { tools: [tool] },
    { tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object', strict: 1 } } }] },
  ],
  [
    'developer_role_refused',
    "developer is not one of ['system', 'assistant', 'user', 'tool'] - 'messages.0.role'",
    { messages: [{ role: 'developer', content: 'x' }, user] },
    { messages: [{ role: 'system', content: 'x' }, user] },
  ],
  [
    'thinking_refused',
    'messages.1.content.0: Invalid `signature` in `thinking` block',
    {
      thinking: { type: 'adaptive' },
      messages: [
        user,
        { role: 'assistant', content: [{ type: 'thinking', thinking: 'hm', signature: 's' }] },
        user,
        {
          role: 'assistant',
          content: [
            { type: 'redacted_thinking', data: 'd' },
            { type: 'text', text: 'a' },
          ],
        },
        user,
      ],
    },
    {
      thinking: { type: 'adaptive' },
      messages: [user, user, { role: 'assistant', content: [{ type: 'text', text: 'a' }] }, user],
    },
  ],
  [
    'thinking_refused',
    'messages.3.content.1: `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified.',
    { messages: [user, { role: 'assistant', content: [{ type: 'thinking', thinking: '', signature: 's' }] }, user] },
    { messages: [user, user] },
  ],
  [
    'thinking_refused',
    'messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`.',
    {
      thinking: { type: 'enabled', budget_tokens: 2048 },
      context_management: { edits: [] },
      messages: [user, { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'f', input: {} }] }, user],
    },
    {
      thinking: { type: 'disabled' },
      messages: [user, { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'f', input: {} }] }, user],
    },
  ],
  [
    'system_between_turns_refused',
    'System message must be at the beginning.',
    {
      messages: [
        { role: 'system', content: 's' },
        user,
        { role: 'system', content: 'now' },
        { role: 'assistant', content: 'a' },
        { role: 'tool', content: 't' },
        { role: 'developer', content: [{ type: 'text', text: 'then' }] },
        { role: 'user', content: [{ type: 'text', text: 'b' }] },
      ],
    },
    {
      messages: [
        { role: 'system', content: 's' },
        { role: 'user', content: 'q\n\n<system-reminder>\nnow\n</system-reminder>' },
        { role: 'assistant', content: 'a' },
        { role: 'tool', content: 't' },
        {
          role: 'user',
          content: [
            { type: 'text', text: '<system-reminder>\nthen\n</system-reminder>' },
            { type: 'text', text: 'b' },
          ],
        },
      ],
    },
  ],
  [
    'system_between_turns_refused',
    "role 'system' is not supported on this model",
    { messages: [user, { role: 'system', content: [{ type: 'text', text: 'now' }] }] },
    { messages: [{ role: 'user', content: 'q\n\n<system-reminder>\nnow\n</system-reminder>' }] },
  ],
  [
    'json_schema_refused',
    'This response_format type is unavailable now',
    { response_format: { type: 'json_schema', json_schema: {} } },
    { response_format: { type: 'json_object' } },
  ],
  [
    'json_schema_refused',
    "text.format of type json_schema isn't known",
    { text: { format: { type: 'json_schema', schema: {} } } },
    { text: { format: { type: 'json_object' } } },
  ],
  [
    'images_refused',
    'Failed to deserialize the JSON body: messages[0]: unknown variant `image_url`, expected `text`',
    { messages: [{ role: 'user', content: [{ type: 'text', text: 'q' }, image] }] },
    {
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'q' },
            { type: 'text', text: gone },
          ],
        },
      ],
    },
  ],
  [
    'images_refused',
    'this is not a multimodal model: images are not supported',
    { input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'data:,' }] }] },
    { input: [{ role: 'user', content: [{ type: 'input_text', text: gone }] }] },
  ],
  [
    'images_refused',
    'this model does not support images',
    { messages: [{ role: 'user', content: [{ type: 'tool_result', content: [pictureBlock] }, pictureBlock] }] },
    { messages: [{ role: 'user', content: [{ type: 'tool_result', content: [textBlock] }, textBlock] }] },
  ],
  [
    'text_parts_refused',
    'messages.0.content: Input should be a valid string, invalid type',
    {
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
        },
      ],
    },
    { messages: [{ role: 'user', content: 'a\nb' }] },
  ],
];

describe('3.14 a refusal that names a field', () => {
  it.each(rows)('%s: %s', (name, message, body, sent) => {
    const whole = { model: 'm', ...body };
    const heal = healFor({ status: 400, message }, whole, new Set());
    expect(heal?.name).toBe(name);
    expect(healed(whole, new Set([name]))).toEqual({ body: { model: 'm', ...sent }, notes: [heal?.note] });
    expect(healed({ model: 'm' }, new Set([name]))).toEqual({ body: { model: 'm' }, notes: [] });
  });

  it('every row has a refusal above, and a repair of its name', () => {
    expect(heals.map(({ name }) => name).filter((name) => !rows.some(([row]) => row === name))).toEqual([]);
    expect(heals.filter(({ name }) => !Object.hasOwn(repairs, name))).toEqual([]);
  });

  it.each([
    ['a field that was not sent', 400, 'temperature is not supported', {}],
    ['another status', 500, 'temperature is not supported', { temperature: 1 }],
    ['a value out of its range', 400, 'temperature must be between 0 and 2', { temperature: 3 }],
    ['a limit that is too high', 400, 'max_tokens is too large: 9. Supported are at most 8', { max_tokens: 9 }],
    ['an image that is broken', 400, 'The image data you provided does not represent a picture', { messages: [image] }],
    [
      'a system that speaks at the beginning alone',
      500,
      'System message must be at the beginning.',
      { messages: [{ role: 'system', content: 's' }, user] },
    ],
    ['words about something else', 400, 'unknown model m', { temperature: 1, max_tokens: 1 }],
  ])('is not healed for %s', (_, status, message, body) => {
    expect(healFor({ status, message }, body, new Set())).toBeUndefined();
  });

  it.each([
    [400, 'temperature_refused'],
    [422, 'temperature_refused'],
    [400, 'images_refused'],
    [404, 'images_refused'],
    [415, 'images_refused'],
    [422, 'images_refused'],
    [500, 'images_refused'],
    [500, 'system_between_turns_refused'],
  ] as const)('with status %i is healed: %s', (status, name) => {
    const body = {
      temperature: 1,
      messages: [
        { role: 'user', content: [image] },
        { role: 'system', content: 's' },
      ],
    };
    const words = {
      images_refused: 'this model does not support image input',
      temperature_refused: 'Unsupported: temperature',
      system_between_turns_refused: 'System message must be at the beginning.',
    };
    expect(healFor({ status, message: words[name] }, body, new Set())?.name).toBe(name);
  });

  it.each([
    ['xhigh', 'high'],
    ['max', 'high'],
    ['minimal', 'low'],
    ['none', 'low'],
  ])('an effort of %s becomes %s', (asked, sent) => {
    expect(healed({ reasoning_effort: asked }, new Set(['effort_value_refused'])).body).toEqual({
      reasoning_effort: sent,
    });
  });

  it('is healed once', () => {
    const refusal = { status: 400, message: "Unsupported parameter: 'top_p'" };
    expect(healFor(refusal, { top_p: 1 }, new Set(['top_p_refused']))).toBeUndefined();
  });
});
