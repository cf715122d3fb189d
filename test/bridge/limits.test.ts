import { describe, expect, it } from 'vitest';
import { createBridge } from '../../packages/bridge/src/index.ts';
import type { Scenario } from '../../packages/testing/src/index.ts';
import { askJson, askSse, post, sseEvents, startRig, type Json } from './harness.ts';
import { chatChunk, startRawUpstream } from './raw-upstream.ts';

const USED = {
  input_tokens: 7,
  input_tokens_details: { cached_tokens: 2 },
  output_tokens: 5,
  output_tokens_details: { reasoning_tokens: 1 },
  total_tokens: 12,
};

/** The Responses API has every detail in each usage. */
const TOLD = { ...USED, input_tokens_details: { cached_tokens: 2, cache_write_tokens: 0 } };

const CHAT_USED = { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 };

function cut(finish: 'length' | 'content_filter'): Scenario {
  return { turns: [{ replies: [{ parts: [{ type: 'text', text: 'Half an' }], usage: USED, finish }] }] };
}

describe.each(['chat', 'responses'] as const)('bridge: an answer that was cut by a %s upstream', (wire) => {
  it.each(['length', 'content_filter'] as const)('tells what was used: %s', async (finish) => {
    await using at = await startRig({ wire, scenario: cut(finish) }, { wire });
    const how = `incomplete:${finish === 'length' ? 'max_output_tokens' : finish}`;
    for (const ask of [askSse, askJson]) {
      const end = await ask(at.bridge, { input: 'hi', max_output_tokens: 5 });
      expect([end.how, end.text, end.body?.usage]).toEqual([how, 'Half an', TOLD]);
    }
    const body = { model: 'm', messages: [{ role: 'user', content: 'hi' }], max_tokens: 5 };
    const whole = (await (await post(at.bridge, '/v1/chat/completions', body)).json()) as Json;
    expect(whole).toMatchObject({ usage: CHAT_USED, choices: [{ finish_reason: finish }] });
    const streamed = { ...body, stream: true, stream_options: { include_usage: true } };
    const events = sseEvents(await (await post(at.bridge, '/v1/chat/completions', streamed)).text());
    expect(events.at(-2)).toMatchObject({ choices: [], usage: CHAT_USED });
  });
});

const CUT = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"length"}]}\n\n';
const COUNTED = 'data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}\n\n';
const asked = { max_output_tokens: 2 };

it('tells and counts the usage that comes after the cut', async () => {
  await using upstream = await startRawUpstream();
  await using bridge = createBridge({ upstreams: [upstream.url], wire: 'chat', port: 0, drainTimeoutMs: 0 });
  await bridge.listen();
  const play = async (): Promise<void> => {
    const { res } = await upstream.next();
    res.writeHead(200).write(chatChunk('Hel'));
    res.write(CUT);
    res.end(COUNTED + 'data: [DONE]\n\n');
  };
  const usage = { input_tokens: 5, output_tokens: 2, total_tokens: 7 };
  const [streamed] = await Promise.all([askSse(bridge, { input: 'hi', ...asked }), play()]);
  expect(streamed).toMatchObject({ how: 'incomplete:max_output_tokens', violations: [], body: { usage } });
  const [whole] = await Promise.all([askJson(bridge, { input: 'hi', ...asked }), play()]);
  expect(whole).toMatchObject({ how: 'incomplete:max_output_tokens', text: 'Hel', body: { usage } });
  const messages = [{ role: 'user', content: 'hi' }];
  const request = { model: 'm', messages, max_tokens: 2, stream: true, stream_options: { include_usage: true } };
  const [chat] = await Promise.all([post(bridge, '/v1/chat/completions', request), play()]);
  expect(sseEvents(await chat.text()).slice(-3)).toMatchObject([
    { choices: [{ finish_reason: 'length' }] },
    { choices: [], usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 } },
    { type: '[DONE]' },
  ]);
  const metrics = await (await fetch(`${bridge.url}/metrics`)).text();
  expect(metrics).toContain('turnwire_tokens_total{direction="output"} 6');
});

it('ends a cut answer whose usage never comes', async () => {
  await using upstream = await startRawUpstream();
  await using bridge = createBridge({ upstreams: [upstream.url], wire: 'chat', port: 0, usageGraceMs: 20 });
  await bridge.listen();
  const answer = askSse(bridge, { input: 'hi', ...asked });
  const { res } = await upstream.next();
  res.writeHead(200).write(chatChunk('Hel') + CUT);
  expect(await answer).toMatchObject({
    how: 'incomplete:max_output_tokens',
    text: 'Hel',
    body: { usage: { total_tokens: 0 } },
  });
});
