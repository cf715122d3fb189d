import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../packages/wire/src/base/json.ts';
import { fromMessagesRequest } from '../../packages/wire/src/messages/request-parse.ts';
import { toMessagesRequest } from '../../packages/wire/src/messages/request.ts';

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

  test('U10 consecutive requests have the same beginning, byte for byte', () => {
    for (const name of [
      'claude-code--image-websearch.json',
      'anthropic1-create--tool.json',
      'claude-code--parallel.json',
    ]) {
      const all = bodies(name).map((body) => {
        const { request, rest } = fromMessagesRequest(body);
        return toMessagesRequest({ ...request, extra: rest }).body;
      });
      const turns = all.filter(({ tools }) => JSON.stringify(tools) === JSON.stringify(all[0]?.['tools']));
      expect(turns.length).toBeGreaterThan(1);
      for (const [at, turn] of turns.slice(1).entries()) {
        const before = beginning(turns[at] ?? {});
        expect(beginning(turn).slice(0, before.length)).toBe(before);
      }
    }
  });
});

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
