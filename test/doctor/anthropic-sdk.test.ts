import Anthropic from '@anthropic-ai/sdk';
import { betaTool } from '@anthropic-ai/sdk/helpers/beta/json-schema';
import { describe, expect, it } from 'vitest';
import { listFaults, scenario, startMock, type MockServer } from '../../packages/testing/src/index.ts';
import { quirkOn } from '../../turnwire/src/doctor/quirks.ts';

/** Arguments that make a fault show quickly. */
const args: Readonly<Record<string, string>> = {
  status: '503',
  'retry-after': '1:1',
  'slow-headers': '300',
  'slow-first-byte': '300',
  'slow-close': '300',
  'keep-alive-comments': '300',
  drip: '5',
  'stall-after': '5',
  'reset-after': '5',
  'cut-after': '5',
  'endless-line': '3000000',
  'turn-state': 'ts-1',
  'param-refused': 'metadata',
};

const script = scenario()
  .reasoning('Hm.')
  .text('Let me see.')
  .toolCall('number', { n: 1 })
  .toolCall('number', { n: 2 })
  .next()
  .text('It is 41, from afar.');

/** What the tool runner of the real SDK makes of a server: the calls that it ran, and its last answer; or how it failed. */
async function runnerOn(server: MockServer): Promise<unknown> {
  const client = new Anthropic({ baseURL: server.url, apiKey: 'none', maxRetries: 1 });
  const ran: unknown[] = [];
  const number = betaTool({
    name: 'number',
    description: 'A number',
    inputSchema: { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] },
    run: (input) => {
      ran.push(input);
      return '41';
    },
  });
  const messages = [{ role: 'user' as const, content: 'Which numbers?' }];
  const runner = client.beta.messages.toolRunner(
    { model: 'm', max_tokens: 100, messages, tools: [number], stream: true, max_iterations: 4 },
    { signal: AbortSignal.timeout(DEADLINE) },
  );
  try {
    for await (const answer of runner) await answer.done();
    const { content } = await runner.done();
    return { ran, said: content.map((block) => ('text' in block ? block.text : block.type)) };
  } catch (error) {
    return error instanceof Error ? error.name : String(error);
  }
}

const DEADLINE = 8000;
const clean = { ran: [{ n: 1 }, { n: 2 }], said: ['It is 41, from afar.'] };

/** Where what was seen is not what is told of the SDK, and why. */
const otherwise: Readonly<Record<string, string>> = {
  'slow-close': 'late, and whole',
  'one-chunk': 'late, and whole',
  'tool-id-missing': 'the scripted server takes a result without an id',
  'invalid-utf8': 'the character was lost at the server',
  'failed-then-hold': 'it fails at once, as upon any error: it does not wait',
};

describe('the tool runner of @anthropic-ai/sdk stumbles where the table says so, and nowhere else', () => {
  it('reads a good server', async () => {
    await using server = await startMock({ wire: 'messages', scenario: script });
    expect(await runnerOn(server)).toEqual(clean);
  });

  it.concurrent.each(listFaults('messages').map(({ name }) => name))('%s', { timeout: 60_000 }, async (name) => {
    const arg = args[name];
    const faults = [arg === undefined ? name : `${name}:${arg}`];
    await using server = await startMock({ wire: 'messages', scenario: script, faults });
    const seen = await runnerOn(server);
    const { stumbles } = quirkOn(name, 'messages');
    const told = stumbles.some((text) => /^(@anthropic-ai\/sdk|everybody)\b/.test(text));
    const stumbled = JSON.stringify(seen) !== JSON.stringify(clean);
    expect({ stumbled, seen }).toEqual({ stumbled: otherwise[name] === undefined ? told : !told, seen });
  });
});
