import { expect, test } from 'vitest';
import { createProvider } from '../../packages/client/src/provider/provider.ts';
import { createModelSession } from '../../packages/client/src/session/session.ts';
import { scenario, startMock } from '../../packages/testing/src/index.ts';
import type { OutputItem } from '../../packages/wire/src/model/items.ts';

test.each([
  ['chat', false],
  ['responses', false],
  ['responses', true],
  ['messages', false],
] as const)('a session reads think tags on %s (WebSocket: %s)', async (wireApi, supportsWebsockets) => {
  await using server = await startMock({ scenario: scenario().text('<think>Why</think>So') });
  const provider = createProvider({ baseUrl: server.baseUrl, wireApi, supportsWebsockets, thinkTags: true });
  const session = createModelSession({ provider });
  const items: OutputItem[] = [];
  try {
    const input = [{ type: 'message', role: 'user', content: 'hi' }] as const;
    for await (const event of session.turn().stream({ input: [...input] })) {
      if (event.type === 'output_item.done') items.push(event.item);
    }
  } finally {
    await session.close();
  }
  expect(items).toMatchObject([
    { type: 'reasoning', content: [{ text: 'Why' }] },
    { type: 'message', content: [{ text: 'So' }] },
  ]);
  expect(server.requests.map(({ transport }) => transport)).toEqual([supportsWebsockets ? 'websocket' : 'http']);
});
