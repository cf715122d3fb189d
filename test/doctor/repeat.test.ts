import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { examine } from '../../turnwire/src/doctor/index.ts';
import { startMock } from '../../packages/testing/src/index.ts';

const quick = { wires: ['chat'], timeoutMs: 15_000, holdMs: 100, concurrency: 1 } as const;

/** Only what went wrong. */
function counts(rates: Awaited<ReturnType<typeof examine>>['rates']): Readonly<Record<string, string>> {
  return Object.fromEntries(rates.filter(({ k }) => k > 0).map(({ name, k, n }) => [name, `${k} of ${n}`]));
}

describe('--repeat', () => {
  it.each([
    ['tool-args-invalid', { 'invalid-json': '6 of 6' }],
    ['tool-id-missing', { 'missing-id': '3 of 3' }],
  ])('counts what %s does', async (fault, wanted) => {
    await using mock = await startMock({ faults: [fault] });
    const { rates, probes } = await examine({ url: mock.url, ...quick, repeat: 3 });
    expect(counts(rates)).toMatchObject(wanted);
    expect(probes.find(({ name }) => name === 'repeated calls')).toMatchObject({ outcome: 'fault', again: [fault] });
  });

  it('counts what differs from time to time, and says when', async () => {
    const answers = ['{"city":"Paris","unit":"celsius"}', '{"city":"Paris"}', '{"town":1}', '{"city":'];
    await using server = await modelServer(answers);
    const rounds: string[] = [];
    const onRound = (wire: string, done: number, times: number): void => void rounds.push(`${wire} ${done}/${times}`);
    const { rates } = await examine({ url: server.url, ...quick, repeat: 4, onRound });
    expect(rounds).toEqual(['chat 1/4', 'chat 2/4', 'chat 3/4', 'chat 4/4']);
    // The tool call had the first, so the pairs are the second with the third, and the fourth with the first.
    expect(counts(rates)).toEqual({
      'invalid-json': '2 of 8',
      'schema-mismatch': '4 of 6',
      'stream-differs': '2 of 4',
    });
  });

  it('asks nothing more of a server whose plain answer fails already', async () => {
    await using mock = await startMock({ faults: ['cut-after:3'] });
    const { rates, probes } = await examine({ url: mock.url, ...quick, repeat: 3 });
    expect([rates, probes.at(-1)]).toMatchObject([[], { name: 'repeated calls', outcome: 'not-run' }]);
  });
});

/** A chat server whose calls have these arguments in turn, streamed or not. */
async function modelServer(args: readonly string[]): Promise<AsyncDisposable & { readonly url: string }> {
  let asked = 0;
  const server = createServer((req, res) => {
    void bodyOf(req).then((body) => {
      const isRepeated =
        body.includes('"get_weather"}') && body.includes('"max_tokens":400') && !body.includes('get_time {');
      const text = isRepeated ? (args[asked++ % args.length] ?? '') : (args[0] ?? '');
      const call = { index: 0, id: 'c1', type: 'function', function: { name: 'get_weather', arguments: text } };
      const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
      if (!body.includes('"stream":true')) {
        const message = { role: 'assistant', content: null, tool_calls: [call] };
        res.writeHead(200, { 'content-type': 'application/json' });
        res.end(JSON.stringify({ id: 'x', choices: [{ index: 0, message, finish_reason: 'tool_calls' }], usage }));
        return;
      }
      const chunk = (value: object): string =>
        `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', ...value })}\n\n`;
      const choice = (delta: object, finish_reason: string | null) => ({
        choices: [{ index: 0, delta, finish_reason }],
      });
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.end(
        `${chunk(choice({ tool_calls: [call] }, null))}${chunk(choice({}, 'tool_calls'))}${chunk({ choices: [], usage })}data: [DONE]\n\n`,
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function bodyOf(req: IncomingMessage): Promise<string> {
  let body = '';
  for await (const data of req) body += String(data);
  return body;
}
