import { describe, expect, test } from 'vitest';
import { Agent, sessionModel, type AgentEvent } from '../../packages/agent/src/index.ts';
import { createProvider } from '../../packages/client/src/provider/provider.ts';
import { createModelSession } from '../../packages/client/src/session/session.ts';
import { listFaults, startMock, type FaultWire, type Scenario } from '../../packages/testing/src/index.ts';
import { protocolIds } from '../../packages/wire/src/index.ts';
import { isToolCall } from '../../packages/wire/src/model/items.ts';
import { eventsOf, of, shortHistory, testTool } from './helpers.ts';

/** Faults that need an argument to do anything. */
const argumentsOf: Readonly<Record<string, string>> = {
  status: '503',
  'turn-state': 'abc',
  'param-refused': 'temperature',
};

const scenario: Scenario = {
  turns: [
    {
      replies: [
        {
          parts: [
            { type: 'reasoning', text: 'A number is asked for.' },
            { type: 'text', text: 'Let me look.' },
            { type: 'tool_call', name: 'number', arguments: { n: 1 } },
          ],
        },
        { parts: [{ type: 'text', text: 'It is 41.' }] },
      ],
    },
  ],
};

/** For servers that may fall silent; a bound that is short would take one on a busy machine for silent. */
const SHORT = {
  streamIdleTimeoutMs: 400,
  progressTimeoutMs: 800,
  totalTimeoutMs: 5000,
  websocketConnectTimeoutMs: 500,
};

async function runWith(fault: string, wire: FaultWire, limits: Partial<typeof SHORT> = SHORT) {
  const supportsWebsockets = wire === 'websocket';
  const wireApi = wire === 'websocket' ? 'responses' : wire;
  await using server = await startMock({ scenario, faults: [fault] });
  const provider = createProvider({
    baseUrl: server.baseUrl,
    wireApi,
    supportsWebsockets,
    model: 'm',
    requestMaxRetries: 1,
    streamMaxRetries: 1,
    ...limits,
  });
  const session = createModelSession({ provider, random: () => 0 });
  const tool = testTool('number', () => '41');
  const agent = new Agent({ model: sessionModel(session), tools: [tool], maxRequests: 4 });
  try {
    return { events: await eventsOf(agent.run('Which number?')), agent, tool };
  } finally {
    await session.close();
  }
}

/** What must hold whatever a server does. */
function expectOrder(events: readonly AgentEvent[], agent: Agent, runs: number): void {
  const ends = events.filter((event) => /^turn\.(completed|failed|interrupted)$/.test(event.type));
  expect(ends).toHaveLength(1);
  expect(events.at(-1)).toBe(ends[0]);
  expect(events[0]?.type).toBe('turn.started');
  const started = of(events, 'tool.started').map((event) => event.call_id);
  expect(
    of(events, 'tool.finished')
      .map((event) => event.call_id)
      .sort(),
  ).toEqual(started.sort());
  const calls = agent.items.filter(isToolCall).map((item) => item.call_id);
  const outputs = agent.items
    .filter((item) => item.type === 'function_call_output')
    .map((item) => ('call_id' in item ? item.call_id : ''));
  expect(outputs).toEqual(calls);
  expect(runs).toBeLessThanOrEqual(calls.length);
}

const wires: readonly FaultWire[] = [...protocolIds, 'websocket'];

describe.each(wires)('the loop on the %s wire', (wire) => {
  const faults = listFaults().filter((fault) => fault.wires.includes(wire));

  test.concurrent.each(faults.map((fault) => fault.name))('%s', async (name) => {
    const argument = argumentsOf[name];
    const fault = argument === undefined ? name : `${name}:${argument}`;
    const { events, agent, tool } = await runWith(fault, wire);
    expectOrder(events, agent, tool.runs);
  });
});

/** Faults of one answer that a second request heals, with the place where they strike. */
const healed = [
  'cut-after:200',
  'cut-after:1200',
  'reset-after:800',
  'cut-mid-event',
  'no-finish-close',
  'error-mid-stream',
  'stall-after:3',
  'status:503',
  'rate-limit-text',
  'empty-stream',
];

describe.each(protocolIds)('a fault of one answer on the %s wire', (wire) => {
  // The second request is the one with the tool's output; the first has the call.
  test.concurrent.each(healed.flatMap((fault) => [`${fault}@1`, `${fault}@2`]))(
    '%s: the turn completes and the tool ran once',
    async (fault) => {
      const limits = fault.startsWith('stall-after') ? { streamIdleTimeoutMs: 1000 } : {};
      const { events, agent, tool } = await runWith(fault, wire, limits);
      expectOrder(events, agent, tool.runs);
      expect(events.at(-1)).toMatchObject({ type: 'turn.completed' });
      expect(tool.runs).toBe(1);
      expect(shortHistory(agent).at(-1)).toBe('assistant: It is 41.');
    },
  );
});
