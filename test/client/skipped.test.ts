import { expect, test } from 'vitest';
import { createProvider } from '../../packages/client/src/provider/provider.ts';
import { createModelSession } from '../../packages/client/src/session/session.ts';
import { scenario, startMock, type Fault } from '../../packages/testing/src/index.ts';

/** An event that is no object, behind the first. */
const junk: Fault = {
  text: 'junk',
  spec: { name: 'junk', summary: '', wires: ['chat', 'responses', 'messages', 'websocket'], create: () => hooks },
  create: () => hooks,
};
const hooks = {
  text: ([first = '', second = '', ...rest]: string[], { wire }: { wire: string }) => [
    first,
    wire === 'websocket' ? '17' : `data: 17\n\n${second}`,
    ...rest,
  ],
};

test.each([
  ['chat', false],
  ['responses', false],
  ['messages', false],
  ['responses', true],
] as const)(
  'an observer hears how many events of an answer on %s were skipped (WebSocket: %s)',
  async (wireApi, ws) => {
    await using server = await startMock({ scenario: scenario().text('Hi'), faults: [junk] });
    const provider = createProvider({ baseUrl: server.baseUrl, wireApi, supportsWebsockets: ws });
    const told: number[] = [];
    const session = createModelSession({ provider, observer: { onSkipped: (events) => told.push(events) } });
    try {
      const input = [{ type: 'message', role: 'user', content: 'hi' }] as const;
      for await (const event of session.turn().stream({ input: [...input] })) if (event.type === 'completed') break;
    } finally {
      await session.close();
    }
    expect(told).toEqual([1]);
  },
);
