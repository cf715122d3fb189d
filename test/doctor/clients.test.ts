import { describe, expect, it } from 'vitest';
import { quirks } from '../../turnwire/src/doctor/index.ts';
import { clients, judgeClients, unharmed } from '../../turnwire/src/doctor/quirks/clients.ts';
import { quirkOn } from '../../turnwire/src/doctor/quirks.ts';
import { questions } from '../../turnwire/src/doctor/requests.ts';
import { wireChecks } from '../../turnwire/src/doctor/wire-checks.ts';
import type { ProbeWire } from '../../turnwire/src/doctor/wires.ts';
import { listFaults, startMock } from '../../packages/testing/src/index.ts';
import { createDecoder, isProtocolId, protocols, Repairs, type ProtocolId } from '../../packages/wire/src/index.ts';

describe('who stumbles, client by client', () => {
  it('tells what each was seen to do, who was seen to be unharmed, and who was not tried', () => {
    const { stumbles } = quirkOn('tool-index-missing', 'chat');
    expect(
      judgeClients('tool-index-missing', 'chat', stumbles).map(({ client, outcome, does }) => [client, outcome, does]),
    ).toEqual([
      ['openai 7.55', 'stumbles', 'throws'],
      ['AI SDK 7', 'gets the answer', ''],
      ['Codex on the chat wire (to 0.80)', 'not measured', ''],
      ['opencodex bridge', 'gets the answer', ''],
      ['opencode', 'not measured', ''],
      ['pi-ai 1.5', 'not measured', ''],
    ]);
  });

  it('tells no client of a wire that it does not speak, and where each claim comes from', () => {
    const told = judgeClients('finish-then-hold', 'messages', quirkOn('finish-then-hold', 'messages').stumbles);
    expect(told.map(({ client }) => client)).toEqual([
      'Claude Code 2.1',
      '@anthropic-ai/sdk 1.11',
      'AI SDK 7',
      'pi-ai 0.74',
      'opencode',
    ]);
    expect(told.filter(({ source }) => source === '')).toEqual([]);
  });

  it('names nobody where it is everybody', () => {
    const told = judgeClients('no-keep-alive', 'server', quirkOn('no-keep-alive', 'server').stumbles);
    expect(told.map(({ client, does }) => [client, does])).toEqual([
      ['everybody', 'a new connection for each request'],
    ]);
  });

  it('tells clients that were not tried by what they do', () => {
    expect(judgeClients('status', 'server', ['hand-written clients: give up'])[0]).toEqual({
      client: 'hand-written clients',
      outcome: 'stumbles',
      does: 'give up',
      source: '',
    });
  });

  it('says of nobody that it stumbles and does not', () => {
    const both = Object.entries(unharmed).flatMap(([wire, rows]) =>
      Object.entries(rows).flatMap(([quirk, ids]) => {
        const { stumbles } = quirkOn(quirk, wire as ProbeWire);
        return ids
          .filter((id) => stumbles.some((text) => text.startsWith(`${clients[id].name}: `)))
          .map((id) => [wire, quirk, id]);
      }),
    );
    expect(both).toEqual([]);
  });
});

it('says in a few words what a server could do about each finding', () => {
  const wrong = Object.entries(quirks).filter(([, { mend }]) => !/^[a-z].*[^.]$/.test(mend));
  expect(wrong).toEqual([]);
});

/** Streams that show a fault, one after the other. */
const asked = ['answer', 'tool', 'parallel', 'reasoning'] as const;

async function repairsOf(fault: string, wire: ProtocolId): Promise<ReadonlySet<string>> {
  const repairs = new Repairs();
  await using mock = await startMock({ faults: [fault] });
  for (const name of asked) {
    const response = await fetch(`${mock.baseUrl}/${protocols[wire].path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...protocols[wire].headers },
      body: JSON.stringify(wireChecks[wire].body(questions[name], 'm')),
    });
    const decoder = createDecoder(wire, {
      repairs,
      thinkTags: fault === 'think-tags-opened' ? 'opened' : true,
      toolCallsOnStop: 'promote',
    });
    const body = response.body as unknown as AsyncIterable<Uint8Array>;
    for await (const chunk of body) {
      decoder.push(chunk);
      if (decoder.phase !== 'streaming') break;
    }
    decoder.end({ type: 'close' });
  }
  return repairs.names;
}

/** Told by the transport, or made on the way to the server: `test/bridge` shows those. */
const elsewhere = /_refused$|^wrong_content_type$/;

const healed = listFaults().flatMap((fault) => {
  const { repairs = [] } = quirks[fault.name] ?? {};
  return repairs.some((name) => elsewhere.test(name)) || repairs.length === 0 ? [] : [{ ...fault, repairs }];
});

describe('the names of the repairs', () => {
  it.each(healed)('of $name are those that are made', async ({ name, wires, repairs }) => {
    const made = await Promise.all(wires.filter(isProtocolId).map(async (wire) => [...(await repairsOf(name, wire))]));
    for (const repair of repairs) expect(made.flat()).toContain(repair);
  });
});
