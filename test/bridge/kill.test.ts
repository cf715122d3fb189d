import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { createBridge, type Bridge } from '../../packages/bridge/src/index.ts';
import { validateOrder } from '../../packages/wire/src/responses/validate.ts';
import { askSse, post, sseEvents, type Json } from './harness.ts';

const STREAMS = 20;

interface Upstream extends Disposable {
  readonly child: ChildProcess;
  readonly url: string;
}

async function startProcess(name: string): Promise<Upstream> {
  const child = fork(fileURLToPath(new URL('./upstream-process.ts', import.meta.url)), [name], {
    execArgv: ['--conditions=@turnwire/source'],
  });
  const [port] = (await once(child, 'message')) as [number];
  return { child, url: `http://127.0.0.1:${port}/v1`, [Symbol.dispose]: () => void child.kill('SIGKILL') };
}

interface Begun {
  /** The upstream that answers. */
  readonly from: string;
  readonly end: Promise<readonly Json[]>;
}

/** Settles when the client has the first delta. */
async function begin(bridge: Bridge): Promise<Begun> {
  const response = await post(bridge, '/v1/responses', { model: 'm', input: 'hi', stream: true });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  const read = async (): Promise<boolean> => {
    const { value, done } = await reader.read();
    text += value ?? '';
    return !done;
  };
  const from = (): string | undefined => /"delta":"(\w+)"/.exec(text)?.[1];
  while (from() === undefined) expect(await read()).toBe(true);
  const rest = async (): Promise<readonly Json[]> => {
    while (await read());
    return sseEvents(text);
  };
  return { from: from() ?? '', end: rest() };
}

test('kill -9 of one of two upstreams loses only the streams begun on it, each told by response.failed', async () => {
  using dying = await startProcess('dying');
  using staying = await startProcess('staying');
  await using bridge = createBridge({ upstreams: [dying.url, staying.url], wire: 'chat', port: 0, drainTimeoutMs: 0 });
  await bridge.listen();
  const streams = await Promise.all(Array.from({ length: STREAMS }, () => begin(bridge)));
  const lost = streams.filter(({ from }) => from === 'dying');
  const kept = streams.filter(({ from }) => from === 'staying');
  expect([lost.length, kept.length]).toEqual([STREAMS / 2, STREAMS / 2]);

  process.kill(dying.child.pid!, 'SIGKILL');
  for (const events of await Promise.all(lost.map(({ end }) => end))) {
    expect(validateOrder(events)).toEqual([]);
    const terminal = events.filter(({ type }) => /^response\.(completed|failed|incomplete)$/.test(String(type)));
    expect(terminal).toHaveLength(1);
    expect(terminal[0]).toMatchObject({ type: 'response.failed', response: { error: { code: 'server_error' } } });
  }

  staying.child.send('finish');
  for (const events of await Promise.all(kept.map(({ end }) => end))) {
    expect(validateOrder(events)).toEqual([]);
    expect(events.at(-1)?.type).toBe('response.completed');
  }
  const later = await Promise.all(Array.from({ length: STREAMS }, () => askSse(bridge, { input: 'hi' })));
  expect(later.map(({ how, text }) => [how, text])).toEqual(Array(STREAMS).fill(['completed', 'staying']));
});
