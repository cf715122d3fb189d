import { Writable } from 'node:stream';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { Scenario } from '../../packages/testing/src/index.ts';
import { askChat, askSse, post, startRig, type Json } from './harness.ts';
import { startBridge, startRawUpstream } from './raw-upstream.ts';

const hello: Scenario = { turns: [{ replies: [{ parts: [{ type: 'text', text: 'Hello' }] }] }] };
const chat = { wire: 'chat', scenario: hello } as const;
const responses = { wire: 'responses', scenario: hello } as const;

async function notCarried(response: Response): Promise<string | null> {
  await response.text();
  return response.headers.get('x-turnwire-not-carried');
}

describe('bridge: what a request says', () => {
  it.each([
    ['input[0].content[1]', { type: 'input_file', file_url: 'http://127.0.0.1/a.pdf' }],
    ['input[0].content[1]', { type: 'input_image', file_id: 'file_1' }],
  ])('is a 400 that names %s, a file or an image that a chat server has no form for: %j', async (param, part) => {
    await using at = await startRig(chat, { wire: 'chat' });
    for (const stream of [true, false]) {
      const body = {
        model: 'm',
        stream,
        input: [{ role: 'user', content: [{ type: 'input_text', text: 'Read.' }, part] }],
      };
      const answer = await post(at.bridge, '/v1/responses', body);
      const { error } = (await answer.json()) as { error: Json };
      expect([answer.status, error.param, error.code]).toEqual([400, param, 'unsupported_content']);
      expect(error.message).toContain(JSON.stringify(part.type));
    }
    expect(at.mock.requests).toEqual([]);
  });

  it('is a 400 where a Responses server has no form for it', async () => {
    await using at = await startRig(responses, { wire: 'responses' });
    const content = [{ type: 'video_url', video_url: { url: 'data:video/mp4;base64,AA==' } }];
    const answer = await post(at.bridge, '/v1/chat/completions', { model: 'm', messages: [{ role: 'user', content }] });
    const { error } = (await answer.json()) as { error: Json };
    expect([answer.status, error.message]).toEqual([400, expect.stringContaining('"video_url"')]);
    expect(at.mock.requests).toEqual([]);
  });

  it('is named where a Responses server has no place for what stands beside it', async () => {
    await using at = await startRig(responses, { wire: 'responses' });
    const content = [{ type: 'text', text: 'hi', cache_control: { type: 'ephemeral' } }];
    const messages = [{ role: 'user', name: 'ann', content }];
    const answer = await post(at.bridge, '/v1/chat/completions', { model: 'm', messages });
    expect(await notCarried(answer)).toBe('name, cache_control');
    expect(at.mock.requests[0]?.body?.input).toEqual([
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'hi' }] },
    ]);
  });

  it('is named where it is a field that a server is not sent, unless it is only a hint', async () => {
    await using at = await startRig(chat, { wire: 'chat' });
    const hints = { prompt_cache_key: 'k', include: ['reasoning.encrypted_content'], text: { verbosity: 'low' } };
    const asked = { model: 'm', input: 'hi', ...hints };
    expect(await notCarried(await post(at.bridge, '/v1/responses', asked))).toBeNull();
    const more = { max_tool_calls: 2, top_logprobs: 3, truncation: 'auto', include: ['message.output_text.logprobs'] };
    const body = { ...asked, ...more, moderation: null };
    expect(await notCarried(await post(at.bridge, '/v1/responses', body))).toBe(
      'include, max_tool_calls, top_logprobs',
    );
    await using other = await startRig(responses, { wire: 'responses' });
    const messages = [{ role: 'user', content: 'hi' }];
    const told = await post(other.bridge, '/v1/chat/completions', { model: 'm', messages, stop: ['x'], seed: 1 });
    expect(await notCarried(told)).toBe('stop, seed');
  });

  it('asks for encrypted reasoning, whatever else is to be included', async () => {
    await using at = await startRig(responses, { wire: 'responses' });
    const encrypted = 'reasoning.encrypted_content';
    for (const [include, sent] of [
      [undefined, [encrypted]],
      [null, [encrypted]],
      [[], [encrypted]],
      [['message.output_text.logprobs'], ['message.output_text.logprobs', encrypted]],
      [[encrypted], [encrypted]],
    ]) {
      await askSse(at.bridge, { input: 'hi', include });
      expect(at.mock.requests.at(-1)?.body?.include).toEqual(sent);
    }
  });

  it('carries every tool_choice of chat to a server that has the tools', async () => {
    await using at = await startRig(responses, { wire: 'responses', tools: 'native' });
    const custom = { type: 'custom', custom: { name: 'exec' } };
    const allowed = { mode: 'required', tools: [{ type: 'function', function: { name: 'f' } }, custom] };
    const flat = [
      { type: 'function', name: 'f' },
      { type: 'custom', name: 'exec' },
    ];
    for (const [choice, sent] of [
      [custom, flat[1]],
      [{ type: 'function', function: { name: 'f' } }, flat[0]],
      [
        { type: 'allowed_tools', allowed_tools: allowed },
        { type: 'allowed_tools', mode: 'required', tools: flat },
      ],
      ['none', 'none'],
    ]) {
      const tools = [{ type: 'function', function: { name: 'f' } }, custom];
      const body = { model: 'm', messages: [{ role: 'user', content: 'hi' }], tools, tool_choice: choice };
      await (await post(at.bridge, '/v1/chat/completions', body)).text();
      expect(at.mock.requests.at(-1)?.body?.tool_choice).toEqual(sent);
    }
  });

  it.each(['chat', 'responses'] as const)('describes the schema of the answer to a %s server', async (wire) => {
    await using at = await startRig({ wire, scenario: hello }, { wire });
    const schema = { name: 'n', description: 'A bill.', schema: { type: 'object' }, strict: true };
    const seen = (): unknown => {
      const { text, response_format } = at.mock.requests.at(-1)?.body as { text?: Json; response_format?: Json };
      return wire === 'chat' ? response_format?.json_schema : text?.format;
    };
    await askSse(at.bridge, { input: 'hi', text: { format: { type: 'json_schema', ...schema } } });
    expect(seen()).toMatchObject(schema);
    const response_format = { type: 'json_schema', json_schema: schema };
    const body = { model: 'm', messages: [{ role: 'user', content: 'hi' }], response_format };
    await (await post(at.bridge, '/v1/chat/completions', body)).text();
    expect(seen()).toMatchObject(schema);
  });

  it('leaves the parts be that only chat servers know', async () => {
    await using at = await startRig(chat, { wire: 'chat' });
    const content = [
      { type: 'text', text: 'What is this?' },
      { type: 'video_url', video_url: { url: 'data:video/mp4;base64,AA==' } },
      { type: 'audio_url', audio_url: { url: 'data:audio/wav;base64,AA==' } },
    ];
    const body = { model: 'm', messages: [{ role: 'user', content }] };
    expect(await notCarried(await post(at.bridge, '/v1/chat/completions', body))).toBeNull();
    expect(at.mock.requests[0]?.body?.messages).toEqual(body.messages);
  });
});

describe('bridge: what an answer says', () => {
  const item = { type: 'web_search_call', id: 'ws_1', status: 'completed', action: { type: 'search', query: 'q' } };
  const scenario: Scenario = {
    turns: [
      {
        replies: [
          {
            parts: [
              { type: 'item', item },
              { type: 'text', text: 'Found.' },
            ],
          },
        ],
      },
    ],
  };
  const messages = [{ role: 'user', content: 'hi' }];

  it('is named to a chat client that has no place for it, in the log where it streams', async () => {
    const lines: Json[] = [];
    const logger = pino(
      { level: 'debug' },
      new Writable({ write: (line, _, done) => done(void lines.push(JSON.parse(String(line)) as Json)) }),
    );
    await using at = await startRig({ wire: 'responses', scenario }, { wire: 'responses', logger });
    const whole = await post(at.bridge, '/v1/chat/completions', { model: 'm', messages });
    expect(await notCarried(whole)).toBe('web_search_call');
    expect((await askChat(at.bridge, { messages })).text).toBe('Found.');
    const told = lines.filter(({ msg }) => msg === 'the client cannot be given all of the answer');
    expect(told).toMatchObject([
      { level: 40, lost: ['web_search_call'] },
      { level: 20, lost: ['web_search_call'] }, // what is the same again
    ]);
    expect(await notCarried(await post(at.bridge, '/v1/responses', { model: 'm', input: 'hi' }))).toBeNull();
  });

  it('is named where the server said what no item has a place for', async () => {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream]);
    const answer = post(bridge, '/v1/responses', { model: 'm', input: 'hi' });
    const message = { role: 'assistant', content: 'Hear.', audio: { data: 'AA==' } };
    const choices = [{ index: 0, message, finish_reason: 'stop' }];
    (await upstream.next()).res.setHeader('content-type', 'application/json').end(JSON.stringify({ id: 'c', choices }));
    expect(await notCarried(await answer)).toBe('audio');
  });
});

it('streams the sources of a text', async () => {
  const source = (n: number): Json => ({
    type: 'url_citation',
    url: `http://127.0.0.1/${n}`,
    title: 't',
    start_index: 0,
    end_index: 2,
  });
  const part = { type: 'output_text', text: 'So.', annotations: [source(1), source(2)], logprobs: [] };
  const item = { type: 'message', id: 'msg_1', role: 'assistant', status: 'completed', content: [part] };
  const scenario: Scenario = { turns: [{ replies: [{ parts: [{ type: 'item', item }] }] }] };
  await using at = await startRig({ wire: 'responses', scenario }, { wire: 'responses' });
  const end = await askSse(at.bridge, { input: 'hi' });
  expect(end.violations).toEqual([]);
  const told = end.events.filter((event) => event.type === 'response.output_text.annotation.added');
  expect(told.map((event) => [event.annotation_index, event.annotation])).toEqual([
    [0, source(1)],
    [1, source(2)],
  ]);
  expect(told[0]).toMatchObject({ item_id: 'msg_1', output_index: 0, content_index: 0 });
});
