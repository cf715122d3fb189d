import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { openChatBackend, type OpenBackend } from '../../turnwire/src/cli/chat-backend.ts';
import { ClipboardImages } from '../../turnwire/src/cli/clipboard-image.ts';
import { page } from '../../turnwire/src/cli/pager.ts';
import { startMock } from '../../packages/testing/src/index.ts';
import type { Clock } from '../../packages/wire/src/base/clock.ts';
import { eventsOf, temporaryFolder, typesOf } from '../agent/helpers.ts';
import { slowMcpServer } from '../agent/slow-mcp-server.ts';
import { noElicitor, TestClock } from '../terminal/harness.ts';

async function backendIn(cwd: string, more: object = {}, clock?: Clock): Promise<OpenBackend> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const cli = {
    args: [],
    env: { PATH: process.env.PATH, MY_API_KEY: 'sesame' },
    cwd,
    home: join(cwd, '.home'),
    stdin,
    stdout,
    stderr,
    onSignal: () => () => undefined,
  };
  const flags = { tools: 'all', approve: 'never', maxRequests: 5, sandbox: 'off', ...more } as const;
  const backend = await openChatBackend({
    cli,
    name: 'turnwire chat',
    flags,
    instructions: undefined,
    ...(clock && { clock }),
  });
  onTestFinished(() => backend.close());
  return backend;
}

test('a command of the person runs in the folder, as the model’s do, and says what it prints while it runs', async () => {
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, 'here.txt'), '');
  const backend = await backendIn(cwd);
  const told: string[] = [];
  const output = (_stream: string, delta: string) => void told.push(delta);
  const command = 'ls; echo "key:$MY_API_KEY"; exit 3';
  const result = await backend.runCommand(command, { signal: new AbortController().signal, output });
  expect(result).toEqual({ ok: false, exitCode: 3, output: 'exit code 3\nhere.txt\nkey:\n' });
  expect(told.join('')).toBe('here.txt\nkey:\n');
});

test('what only the own configuration may say is told once when a project says it', async () => {
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, 'turnwire.toml'), 'project_doc_max_bytes = 0\nfetch_private_hosts = ["127.0.0.1"]\n');
  const { greeting } = await backendIn(cwd, { trustProject: true });
  const told = (key: string) => greeting.filter((line) => line.endsWith(`${key} counts in your own config.toml alone`));
  expect([told('project_doc_max_bytes').length, told('fetch_private_hosts').length]).toEqual([1, 1]);
});

test('a chat without commands has none for the person either', async () => {
  const backend = await backendIn(await temporaryFolder(), { tools: 'read' });
  const run = { signal: new AbortController().signal, output: () => undefined };
  await expect(backend.runCommand('ls', run)).rejects.toThrow(
    'there are no commands: the chat was started with other --tools',
  );
});

test('a conversation begins without an MCP server that is slow to start, and has its tools once it is up', async () => {
  const slow = await slowMcpServer();
  const cwd = await temporaryFolder();
  await mkdir(join(cwd, '.home/.config/turnwire'), { recursive: true });
  await writeFile(join(cwd, '.home/.config/turnwire/config.toml'), `[mcp_servers.slow]\nurl = "${slow.url}"\n`);
  const model = await startMock();
  onTestFinished(() => model.close());
  const clock = new TestClock();
  const backend = await backendIn(cwd, { baseUrl: model.baseUrl, wire: 'chat', model: 'm' }, clock);
  const opening = backend.open({ type: 'new' }, () => Promise.resolve({ type: 'deny' }), noElicitor);
  await slow.asked;
  clock.pass(2000);
  const { agent, notes } = await opening;
  expect(notes).toContain('starting MCP server slow: its tools join when it is up');
  const isThere = () => JSON.stringify(model.requests.at(-1)?.body).includes('mcp__slow__late');
  expect(typesOf(await eventsOf(agent.run('/say now')))).toContain('turn.completed');
  expect(isThere()).toBe(false);
  slow.start();
  // The test's own timeout is the bound.
  while (!isThere()) await eventsOf(agent.run('/say later'));
});

test('the scripted server has no models to choose from', async () => {
  expect(await (await backendIn(await temporaryFolder())).models()).toEqual([]);
});

test('the pager gets the text, and one that cannot be run is told', async () => {
  const file = join(await temporaryFolder(), 'out.txt');
  await page('long text', `cat > ${file}`);
  expect(await readFile(file, 'utf8')).toBe('long text\n');
  // Who leaves it before its end breaks nothing.
  await page('x'.repeat(1_000_000), 'true');
  await expect(page('x', 'no-such-pager-there')).rejects.toThrow(
    'the pager "no-such-pager-there" cannot be run: set PAGER',
  );
});

test('an image of the clipboard is a file until the chat is over', async () => {
  const bin = await temporaryFolder();
  const given = join(bin, 'given.png');
  await writeFile(given, 'PNG');
  await writeFile(join(bin, 'xclip'), `#!/bin/sh\ncat ${given}\n`, { mode: 0o755 });
  const { PATH } = process.env;
  onTestFinished(() => void (process.env.PATH = PATH));
  process.env.PATH = `${bin}:/usr/bin:/bin`;
  const clipboard = new ClipboardImages();
  const path = (await clipboard.take()) ?? '';
  expect(await readFile(path, 'utf8')).toBe('PNG');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  await clipboard.close();
  await expect(stat(path)).rejects.toThrow('ENOENT');
  process.env.PATH = bin;
  await writeFile(join(bin, 'xclip'), '');
  expect(await new ClipboardImages().take()).toBeUndefined();
});
