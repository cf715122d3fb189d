import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { ListMessage } from '../../packages/bridge/src/inspect/api.ts';
import { recordTo, startMock } from '../../packages/testing/src/index.ts';
import { chatBody, hear } from '../mock/tape-support.ts';
import { runInProcess, startInProcess } from './harness.ts';

const folder = mkdtempSync(join(tmpdir(), 'turnwire-inspect-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What a browser makes of the link: the page, its files, and the list of exchanges. */
async function open(link: string) {
  const entered = await fetch(link, { redirect: 'manual' });
  const cookie = (entered.headers.get('set-cookie') ?? '').split(';', 1)[0] ?? '';
  const base = new URL(entered.headers.get('location') ?? '', link);
  const get = (path: string) => fetch(new URL(path, base), { headers: { cookie } });
  const [page, script] = [await get(''), await get('app.js')];
  const { rows } = (await (await get('api/exchanges?once=1')).json()) as ListMessage;
  return { statuses: [entered.status, page.status, script.status], html: await page.text(), rows };
}

/** The page is not for those who have no link, or another one. */
async function strangersAt(link: string): Promise<readonly number[]> {
  const { origin } = new URL(link);
  const answers = [fetch(`${origin}/inspect/`), fetch(`${origin}/inspect/?token=guessed`)];
  return (await Promise.all(answers)).map(({ status }) => status);
}

describe('turnwire bridge --inspect', { timeout: 60_000 }, () => {
  it('prints a link that opens the page, to who has its token alone, until Ctrl-C', async () => {
    await using mock = await startMock({ wire: 'chat' });
    const bridge = startInProcess(['bridge', '--upstream', mock.url, '--wire', 'chat', '--port', '0', '--inspect'], {
      cwd: folder,
    });
    const [link = ''] = await bridge.until(/http:\/\/127\.0\.0\.1:\d+\/inspect\/\?token=[0-9a-f]{32}/);
    await hear(new URL('/v1/chat/completions', link).href, { body: chatBody('hi') });
    const { statuses, html, rows } = await open(link);
    expect(statuses).toEqual([303, 200, 200]);
    expect(html).toContain('app.js');
    expect(rows).toMatchObject([{ route: 'chat_sse', model: 'm', state: 'completed' }]);
    expect(await strangersAt(link)).toEqual([401, 401]);
    bridge.signal('SIGINT');
    expect((await bridge.result).code).toBe(0);
    await expect(fetch(link)).rejects.toThrow();
  });

  it('without it there is no page, and turnwire top shows what was passed through all the same', async () => {
    await using mock = await startMock({ wire: 'chat' });
    const flags = ['--upstream', mock.url, '--mode', 'passthrough', '--port', '0', '--server-info', 'info.json'];
    const bridge = startInProcess(['bridge', ...flags], { cwd: folder });
    const [, url = ''] = await bridge.until(/OPENAI_BASE_URL=(\S+)\/v1/);
    await hear(`${url}/v1/chat/completions`, { body: chatBody('hi') });
    const { code, stdout } = await runInProcess(['top', '--url', url, '--once', '--json']);
    const { exchanges } = JSON.parse(stdout) as { exchanges: readonly object[] };
    expect(code).toBe(0);
    expect(exchanges).toMatchObject([{ route: 'passthrough', wire: 'chat', state: 'completed', status: 200 }]);
    expect((await fetch(`${url}/inspect/`)).status).toBe(404);
    bridge.signal('SIGTERM');
    expect((await bridge.result).code).toBe(0);
  });
});

describe('turnwire inspect', { timeout: 60_000 }, () => {
  it('prints a link to what files hold, until Ctrl-C', async () => {
    const tapes = join(folder, 'tapes');
    await using mock = await startMock({ wire: 'chat' });
    const recorder = await recordTo(tapes, { upstream: mock.url });
    await hear(`${recorder.url}/v1/chat/completions`, { body: chatBody('hi') });
    await recorder.close();
    const inspect = startInProcess(['inspect', 'tapes', '--server-info', 'past.json'], { cwd: folder });
    const [, link = ''] = await inspect.until(
      /^turnwire inspect: 1 exchange, see (http:\/\/127\.0\.0\.1:\d+\/inspect\/\?token=[0-9a-f]{32})\n/,
    );
    await expect.poll(async () => (await open(link)).rows).toMatchObject([{ model: 'm', state: 'completed' }]);
    expect((await open(link)).statuses).toEqual([303, 200, 200]);
    expect(await strangersAt(link)).toEqual([401, 401]);
    inspect.signal('SIGINT');
    expect(await inspect.result).toMatchObject({ code: 0, stderr: '' });
    expect(existsSync(join(folder, 'past.json'))).toBe(false);
    await expect(fetch(link)).rejects.toThrow();
  });

  it.each([
    ['none', /^turnwire inspect: cannot read \S+none: no such file/],
    ['.', /^turnwire inspect: no trace and no tape in /],
  ])('says in one line that %s cannot be shown', async (name, message) => {
    const empty = mkdtempSync(join(folder, 'empty-'));
    const { code, stderr } = await runInProcess(['inspect', name], { cwd: empty });
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
  });
});
