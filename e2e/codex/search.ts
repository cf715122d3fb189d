import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Scenario } from '../../packages/testing/src/index.ts';

/** A model that searches once with the tool of Codex' web search, and says what it was told. */
export const searcher: Scenario = {
  turns: [
    {
      replies: [
        { parts: [{ type: 'tool_call', name: 'web__run', arguments: { search_query: [{ q: 'the answer' }] } }] },
        { parts: (request) => [{ type: 'text', text: request.toolOutputs.map(({ text }) => text).join() }] },
      ],
    },
  ],
};

/** What {@link searcher} is told with the engine of {@link startEngine}. */
export const FOUND = 'Results for "the answer":\n\n[turn0search0] A page\nhttps://a.example/\nIt says 42.';

/** A search engine in the form of SearXNG, with one page. */
export async function startEngine(): Promise<{ readonly url: string; close(): void }> {
  const engine = createServer((_, res) => {
    const results = [{ url: 'https://a.example/', title: 'A page', content: 'It says 42.' }];
    res.setHeader('content-type', 'application/json').end(JSON.stringify({ results }));
  }).listen(0, '127.0.0.1');
  await once(engine, 'listening');
  const { port } = engine.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => void engine.close() };
}
