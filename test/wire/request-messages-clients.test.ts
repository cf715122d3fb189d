import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../packages/wire/src/base/json.ts';
import { fromMessagesRequest } from '../../packages/wire/src/messages/request-parse.ts';
import { toMessagesRequest } from '../../packages/wire/src/messages/request.ts';
import type { ModelRequest } from '../../packages/wire/src/model/request.ts';
import { fromChatRequest } from '../../packages/wire/src/chat/request-parse.ts';
import { toChatRequest } from '../../packages/wire/src/chat/request.ts';
import { chatQuirksOf, type ChatQuirks } from '../../packages/wire/src/quirks.ts';

/** Requests of real clients, and what is read of them: both whole, in files side by side. */
const folder = new URL('../captures/clients/', import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith('.json') && !name.endsWith('.parsed.json'));

function bodies(name: string): JsonObject[] {
  return JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as JsonObject[];
}

function parsed(body: JsonObject): unknown {
  try {
    return fromMessagesRequest(body);
  } catch (error) {
    return { refused: error };
  }
}

describe('requests of real clients', () => {
  test.each(names)('Q1 Q2 Q3 Q4 Q5 Q6 Q7 Q8 %s is read whole', (name) => {
    const file = new URL(name.replace('.json', '.parsed.json'), folder);
    const read: unknown = JSON.parse(JSON.stringify(bodies(name).map(parsed)));
    expect(read).toEqual(JSON.parse(readFileSync(file, 'utf8')));
  });

  test.each(names)('%s loses nothing on the way to a server of the same wire', (name) => {
    for (const body of bodies(name)) {
      if (body['thread'] !== undefined) continue;
      const { request, rest, stream } = fromMessagesRequest(body);
      const written = toMessagesRequest({ ...request, extra: { ...rest, stream } });
      expect(written.notes).toEqual([]);
      expect(withoutBilling(normal(written.body))).toEqual(withoutBilling(normal({ stream: false, ...body })));
    }
  });

  const conversations = [
    'claude-code--image-websearch.json',
    'claude-code--parallel.json',
    'anthropic1-create--tool.json',
  ];
  const servers = {
    'a Messages server': (request: ModelRequest) => toMessagesRequest(request).body,
    Anthropic: (request: ModelRequest) => toMessagesRequest(request, { quirks: at('https://api.anthropic.com') }).body,
    'a chat server': (request: ModelRequest) => toChatRequest(request).body,
    OpenRouter: (request: ModelRequest) => toChatRequest(request, { quirks: at('https://openrouter.ai/api/v1') }).body,
  };

  test.each(
    conversations.flatMap((name) => Object.entries(servers).map(([server, write]) => ({ name, server, write }))),
  )('U10 consecutive requests of $name begin with the same bytes for $server', ({ name, write }) => {
    const all = bodies(name).map((body) => {
      const { request, rest } = fromMessagesRequest(body);
      return write({ ...request, extra: { system: rest.system } });
    });
    const turns = all.filter(({ tools }) => JSON.stringify(tools) === JSON.stringify(all[0]?.['tools']));
    expect(turns.length).toBeGreaterThan(1);
    for (const [place, turn] of turns.slice(1).entries()) {
      const before = beginning(turns[place] ?? {});
      expect(before.length).toBeGreaterThan(300);
      expect(beginning(turn).slice(0, before.length)).toBe(before);
    }
  });

  test("Q2 U10 OpenRouter's Claude is told what to keep: the system, and the last two places where it was asked", () => {
    const [, , third] = bodies('claude-code--image-websearch.json');
    const { request } = fromMessagesRequest(third ?? {});
    const written = toChatRequest(request, { quirks: at('https://openrouter.ai/api/v1') }).body;
    const messages = written['messages'] as JsonObject[];
    const marked = messages.flatMap((message, place) =>
      JSON.stringify(message).includes('cache_control') ? [place] : [],
    );
    const asks = messages.flatMap(({ role }, place) =>
      (role === 'user' || role === 'tool') && !/user|tool/.test(String(messages[place + 1]?.['role'])) ? [place] : [],
    );
    expect(marked).toEqual([0, ...asks.slice(-2)]);
    expect(JSON.stringify(toChatRequest(request).body)).not.toContain('cache_control');
    for (const place of marked) {
      const { role, content, cache_control } = messages[place] as JsonObject;
      const mark = role === 'tool' ? cache_control : (content as JsonObject[]).at(-1)?.['cache_control'];
      expect(mark).toEqual({ type: 'ephemeral' });
    }
  });

  test('U10 a chat client of OpenRouter that marks something itself is not helped', () => {
    const own = {
      messages: [{ role: 'user', content: [{ type: 'text', text: 'a', cache_control: { type: 'ephemeral' } }] }],
    };
    const all = { cache_control: { type: 'ephemeral' }, messages: [{ role: 'user', content: 'a' }] };
    for (const body of [own, all]) {
      const { request, rest } = fromChatRequest(body);
      const written = toChatRequest({ ...request, extra: rest }, { quirks: at('https://openrouter.ai/api/v1') }).body;
      expect(JSON.stringify(written).match(/cache_control/g)).toHaveLength(1);
    }
  });
});

function at(baseUrl: string): ChatQuirks {
  return chatQuirksOf(baseUrl, 'anthropic/claude-sonnet-4.5');
}

/** What a server reads, without the marks and the end of its list of messages. */
function beginning({ system, tools, messages }: JsonObject): string {
  const text = JSON.stringify([tools, system, messages], (key, value: unknown) =>
    key === 'cache_control' ? undefined : value,
  );
  return text.slice(0, -2);
}

/** Texts as lists of blocks: both forms mean the same. */
function normal(body: JsonObject): JsonObject {
  const messages = (body['messages'] as JsonObject[]).map(({ role, content }) => ({ role, content: blocks(content) }));
  const tools = body['tools'] === undefined ? {} : { tools: (body['tools'] as JsonObject[]).map(withoutType) };
  return { ...body, ...tools, ...('system' in body ? { system: blocks(body['system']) } : {}), messages };
}

function blocks(content: unknown): unknown {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content;
}

/** `custom` is the type of a tool without one. */
function withoutType({ type, ...tool }: JsonObject): JsonObject {
  return type === undefined || type === 'custom' ? tool : { type, ...tool };
}

function withoutBilling(body: JsonObject): JsonObject {
  const system = body['system'];
  if (!Array.isArray(system)) return body;
  return { ...body, system: (system as JsonObject[]).filter(({ text }) => !String(text).startsWith('x-anthropic-')) };
}
