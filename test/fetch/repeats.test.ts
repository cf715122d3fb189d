import { describe, expect, it } from 'vitest';
import { healing } from '../../packages/wire/src/fetch/index.ts';
import { PassedEvents } from '../../packages/wire/src/fetch/passed-events.ts';
import { Patience } from '../../packages/wire/src/read/patience.ts';
import { manualClock } from '../transport/support/manual-clock.ts';

/** The events of a Responses stream with one text, numbered from 0 on but where told otherwise. */
function responses(pieces: readonly string[], told: string, numbers: Readonly<Record<number, number>> = {}): string {
  const response = { id: 'resp_1', object: 'response', status: 'in_progress', output: [] };
  const item = { id: 'msg_1', type: 'message', role: 'assistant', status: 'in_progress', content: [] };
  const at = { item_id: 'msg_1', output_index: 0, content_index: 0 };
  const part = { type: 'output_text', text: told, annotations: [] };
  const done = { ...item, status: 'completed', content: [part] };
  const events = [
    { type: 'response.created', response },
    { type: 'response.in_progress', response },
    { type: 'response.output_item.added', output_index: 0, item },
    { type: 'response.content_part.added', ...at, part: { ...part, text: '' } },
    ...pieces.map((delta) => ({ type: 'response.output_text.delta', ...at, delta })),
    { type: 'response.output_text.done', ...at, text: told },
    { type: 'response.content_part.done', ...at, part },
    { type: 'response.output_item.done', output_index: 0, item: done },
    { type: 'response.completed', response: { ...response, status: 'completed', output: [done] } },
  ];
  return events
    .map((event, n) => ({ ...event, sequence_number: numbers[n] ?? n }))
    .map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
    .join('');
}

async function healed(body: string): Promise<string> {
  const init = { headers: { 'content-type': 'text/event-stream' } };
  const fetch = healing({ fetch: () => Promise.resolve(new Response(body, init)) });
  const asked = { method: 'POST', body: JSON.stringify({ model: 'm', input: 'hi', stream: true }) };
  return await (await fetch('http://127.0.0.1/v1/responses', asked)).text();
}

const eventsOf = (body: string): { type: string; sequence_number: number; delta?: string; text?: string }[] =>
  [...body.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data ?? '') as ReturnType<typeof eventsOf>[number]);

describe('events that only repeat one before them', () => {
  it('go on as they came, byte for byte', async () => {
    const body = responses(['one', ' two', ' three', ' four'], 'one two three four');
    expect(await healed(body)).toBe(body);
  });

  it('are looked at: a number that goes back', async () => {
    const body = responses(['one', ' two', ' three', ' four'], 'one two three four', { 6: 2 });
    const events = eventsOf(await healed(body));
    expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, n) => n));
    expect(events.flatMap(({ delta }) => delta ?? []).join('')).toBe('one two three four');
  });

  it('are looked at: a text that is not the sum of its deltas', async () => {
    const body = responses(['one', ' two', ' three'], 'one two three four');
    const events = eventsOf(await healed(body));
    expect(events.flatMap(({ delta }) => delta ?? []).join('')).toBe('one two three four');
    expect(events.find(({ type }) => type === 'response.output_text.done')?.text).toBe('one two three four');
  });
});

describe('what went on as it came', () => {
  it('is kept as one event for each place', () => {
    const passed = new PassedEvents();
    const text = (delta: string, item_id = 'a') => ({ type: 'output_text.delta', delta, item_id }) as const;
    const sure = { ...text('!'), logprobs: [{ token: '!', logprob: -0.1 }] };
    const input = (delta: string, call_id: string) => ({ type: 'tool_call_input.delta', call_id, delta }) as const;
    const thought = (delta: string, content_index: number) =>
      ({ type: 'reasoning_text.delta', content_index, delta }) as const;
    for (const event of [
      ...[text(' '), text('one'), text(' '), text('two'), sure, text('three'), text('four', 'b')],
      ...[input('{', '1'), input('}', '1'), input('{}', '2'), thought('x', 0), thought('y', 0), thought('z', 1)],
    ]) {
      passed.add(event);
    }
    expect(passed.take()).toEqual([
      ...[text(' '), text('one two'), sure, text('three'), text('four', 'b')],
      ...[input('{}', '1'), input('{}', '2'), thought('xy', 0), thought('z', 1)],
    ]);
    expect(passed.take()).toEqual([]);
  });
});

describe('patience', () => {
  const setUp = () => {
    const clock = manualClock();
    const expired: string[] = [];
    const patience = new Patience(clock, { idle: 300, progress: 5000, first: 0 }, (name) => expired.push(name));
    const wait = (ms: number): void => {
      patience.begin();
      clock.advance(ms);
      patience.end();
    };
    return { clock, expired, patience, wait };
  };

  it('counts waits alone', () => {
    const { clock, expired, wait } = setUp();
    wait(200);
    clock.advance(10_000);
    wait(99);
    expect(expired).toEqual([]);
    wait(1);
    expect(expired).toEqual(['idle']);
  });

  it('begins anew for what came, and tells of the other bound', () => {
    const { expired, patience, wait } = setUp();
    for (let n = 0; n < 20; n++) {
      wait(250);
      patience.renew('idle');
    }
    expect(expired).toEqual(['progress']);
  });

  it('leaves no timer for longer than a second, and none when it is closed', () => {
    const { clock, patience, wait } = setUp();
    patience.drop('idle');
    wait(10);
    clock.advance(1000);
    expect(clock.pending).toBe(0);
    wait(2000);
    expect(clock.pending).toBe(0);
    patience.begin();
    patience.close();
    expect(clock.pending).toBe(0);
  });
});
