import { describe, expect, it } from 'vitest';
import type { Bridge } from '../../packages/bridge/src/index.ts';
import { askSse, type Ended, type Json } from './harness.ts';
import { startBridge, startRawUpstream, type RawExchange, type RawUpstream } from './raw-upstream.ts';

const user = { type: 'message', role: 'user', content: 'hi' };

function event(fields: Json): string {
  return `data: ${JSON.stringify(fields)}\n\n`;
}

/** A good answer with reasoning that its server encrypted. */
function think({ res }: RawExchange, sealed: string): void {
  const item = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: sealed };
  const part = { type: 'output_text', text: 'Hi', annotations: [] };
  const message = { type: 'message', id: 'msg_1', role: 'assistant', status: 'completed', content: [part] };
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  res.write(event({ type: 'response.created', response: { id: 'resp_1' } }));
  for (const [at, one] of [item, message].entries()) {
    res.write(event({ type: 'response.output_item.added', output_index: at, item: one }));
    res.write(event({ type: 'response.output_item.done', output_index: at, item: one }));
  }
  res.end(event({ type: 'response.completed', response: { id: 'resp_1', output: [item, message] } }));
}

/** Asks, and has the first of these servers that is asked answer. */
async function asked(bridge: Bridge, upstreams: readonly RawUpstream[], input: readonly unknown[], sealed: string) {
  const answer = askSse(bridge, { input, store: false });
  const next = upstreams.map(async (upstream, at) => ({ at, exchange: await upstream.next() }));
  const { at, exchange } = await Promise.race(next);
  think(exchange, sealed);
  return { at, body: exchange.body, ended: await answer };
}

function reasoningOf({ body }: { readonly body: Json | undefined }): Json[] {
  const list = (body?.output ?? body?.input ?? []) as Json[];
  return list.filter(({ type }) => type === 'reasoning');
}

describe('what one server encrypted', () => {
  it('goes back to its own maker while that can be asked, and never to another, where there are several', async () => {
    await using one = await startRawUpstream();
    await using two = await startRawUpstream();
    await using bridge = await startBridge([one, two], { wire: 'responses' });
    const first: { ended: Ended; at: number; body: Json } = await asked(bridge, [one], [user], 'SEALED');
    const [given] = reasoningOf(first.ended);
    expect(first.ended.violations).toEqual([]);
    expect(given?.encrypted_content).toMatch(/^turnwire-sealed:127\.0\.0\.1%3A\d+:SEALED$/);
    const input = [user, given, { ...user, role: 'user', content: 'more' }];
    // In turn it would be the other one.
    const again = await asked(bridge, [one], input, 'MORE');
    expect(reasoningOf(again)[0]?.encrypted_content).toBe('SEALED');
    void one.next().then(({ res }) => res.writeHead(503).end('{}'));
    const second = await asked(bridge, [two], input, 'OTHER');
    expect(reasoningOf(second)).toEqual([]);
    expect(JSON.stringify(second.body)).not.toContain('SEALED');
    // Who made the last of it goes on.
    const third = await asked(bridge, [two], [...input, ...reasoningOf(second.ended)], 'AGAIN');
    expect(reasoningOf(third)).toEqual([
      { type: 'reasoning', status: 'completed', summary: [], encrypted_content: 'OTHER' },
    ]);
  });

  it('keeps what can be read of it for the other', async () => {
    await using one = await startRawUpstream();
    await using bridge = await startBridge([one], { wire: 'responses' });
    const summary = [{ type: 'summary_text', text: 'I thought.' }];
    const foreign = { type: 'reasoning', summary, encrypted_content: 'turnwire-sealed:openai:SEALED' };
    const { body, ended } = await asked(bridge, [one], [user, foreign, user], 'OWN');
    expect(reasoningOf({ body })).toEqual([{ type: 'reasoning', summary }]);
    // One server alone: what it encrypted leaves as it is, for clients that may go to it themselves.
    expect(reasoningOf(ended)[0]?.encrypted_content).toBe('OWN');
  });

  it('leaves without a label where all servers are of one maker', async () => {
    await using one = await startRawUpstream();
    const upstreams = [one, { url: `${one.url}/?deployment=2` }];
    await using bridge = await startBridge(upstreams, { wire: 'responses' });
    const { ended } = await asked(bridge, [one], [user], 'OWN');
    expect(reasoningOf(ended)[0]?.encrypted_content).toBe('OWN');
  });
});

describe("OpenAI's own hosts", () => {
  it('are never sent raw reasoning, nor reasoning that they did not encrypt', async () => {
    await using upstream = await startRawUpstream();
    // Every host is the upstream here: a proxy of plain HTTP is asked for the whole address.
    const httpProxy = new URL(upstream.url).origin;
    await using bridge = await startBridge([{ url: 'http://api.openai.com/v1' }], {
      wire: 'responses',
      proxy: { httpProxy },
    });
    const content = [{ type: 'reasoning_text', text: 'raw' }];
    const own = { type: 'reasoning', id: 'rs_0', summary: [], content, encrypted_content: 'SEALED' };
    const raw = { type: 'reasoning', id: 'rs_1', summary: [], content };
    const foreign = { ...raw, encrypted_content: 'turnwire-sealed:x.ai:OTHER' };
    const { body } = await asked(bridge, [upstream], [user, own, raw, foreign, user], 'NEW');
    expect(reasoningOf({ body })).toEqual([{ type: 'reasoning', summary: [], encrypted_content: 'SEALED' }]);
    expect(JSON.stringify(body)).not.toMatch(/raw|OTHER/);
  });
});
