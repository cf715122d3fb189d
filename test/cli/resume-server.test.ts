import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { startMock, type MockServer } from '../../packages/testing/src/index.ts';
import { ThreadStore } from '../../packages/agent/src/index.ts';
import { openChatBackend } from '../../turnwire/src/cli/chat-backend.ts';
import { eventsOf, temporaryFolder } from '../agent/helpers.ts';
import { noElicitor } from '../terminal/harness.ts';
import { runInProcess, type CliResult } from './harness.ts';

async function serve(text: string): Promise<MockServer> {
  const replies = [{ parts: [{ type: 'text' as const, text }] }];
  const server = await startMock({ scenario: { turns: [{ replies }, { replies }, { replies }] } });
  onTestFinished(() => server.close());
  return server;
}

/** The models that a server was asked for. */
function modelsOf({ requests }: MockServer): unknown[] {
  return requests.map(({ body }) => (body as { model: string }).model);
}

interface Place {
  readonly cwd: string;
  readonly exec: (args: readonly string[], env?: Record<string, string>) => Promise<CliResult>;
  readonly direct: (server: MockServer, ...more: string[]) => string[];
  readonly configure: (toml: string) => Promise<void>;
  readonly threadText: () => Promise<string>;
  readonly threads: string;
}

async function place(): Promise<Place> {
  const cwd = await temporaryFolder();
  const home = join(cwd, '.home');
  const threads = join(home, '.local/state/turnwire/threads');
  return {
    cwd,
    threads,
    exec: (args, env = {}) => runInProcess(['exec', ...args], { cwd, home, env }),
    direct: ({ baseUrl }, ...more) => ['--base-url', baseUrl, '--wire', 'chat', '--model', 'tiny', ...more],
    configure: async (toml) => {
      await mkdir(join(home, '.config/turnwire'), { recursive: true });
      await writeFile(join(home, '.config/turnwire/config.toml'), toml);
    },
    threadText: async () => {
      const [name = ''] = (await readdir(threads)).filter((file) => file.endsWith('.jsonl'));
      return readFile(join(threads, name), 'utf8');
    },
  };
}

test('a conversation goes on with its own server, wire, model and key', async () => {
  const { exec, direct, threadText } = await place();
  const server = await serve('Hello.');
  const env = { MY_KEY: 'sesame-open-you' };
  expect(await exec(direct(server, '--env-key', 'MY_KEY', 'hi'), env)).toMatchObject({ code: 0, stdout: 'Hello.\n' });
  const second = await exec(['--resume', 'last', 'and now?'], env);
  expect(second).toEqual({ code: 0, stdout: 'Hello.\n', stderr: '' });
  const [, again] = server.requests;
  expect(again?.body).toMatchObject({ model: 'tiny' });
  expect(again?.headers.authorization).toBe('Bearer sesame-open-you');
  expect(await threadText()).toContain('"env_key":"MY_KEY"');
  expect(await threadText()).not.toContain('sesame');
  const third = await exec(['--resume', 'last', 'and without the key?']);
  expect(third.code).toBe(2);
  expect(third.stderr).toContain('the environment variable MY_KEY is not set');
});

test('flags win, and that is told', async () => {
  const { exec, direct } = await place();
  const [one, other] = [await serve('One.'), await serve('Other.')];
  await exec(direct(one, 'hi'));
  const moved = await exec(direct(other, '--resume', 'last', 'and now?'));
  expect(moved.stdout).toBe('Other.\n');
  expect(moved.stderr).toBe(
    `turnwire exec: note: the conversation was with tiny at ${one.baseUrl} so far, and goes on with tiny at ${other.baseUrl}\n`,
  );
  expect(await exec(['--resume', 'last', 'still?'])).toEqual({ code: 0, stdout: 'Other.\n', stderr: '' });
  await exec(['--resume', 'last', '--model', 'large', 'larger?']);
  expect(modelsOf(other)).toEqual(['tiny', 'tiny', 'large']);
});

test('a provider of the configuration is taken as it is there now, and not the default one', async () => {
  const { exec, configure } = await place();
  const [one, other] = [await serve('One.'), await serve('Other.')];
  const table = (name: string, { baseUrl }: MockServer, more = ''): string =>
    `[model_providers.${name}]\nbase_url = "${baseUrl}"\nwire_api = "chat"\nmodel = "m"\n${more}`;
  const tables = table('one', one, 'http_headers = { "x-team" = "blue" }\n') + table('other', other);
  await configure(`model_provider = "other"\n${tables}`);
  await exec(['--provider', 'one', 'hi']);
  expect(await exec(['--resume', 'last', 'and now?'])).toEqual({ code: 0, stdout: 'One.\n', stderr: '' });
  expect(one.requests.map(({ headers }) => headers['x-team'])).toEqual(['blue', 'blue']);
});

test('the model that was chosen for a conversation stays where flags name its own server, and only there', async () => {
  const { exec, configure } = await place();
  const [one, other] = [await serve('One.'), await serve('Other.')];
  const table = (name: string, { baseUrl }: MockServer): string =>
    `[model_providers.${name}]\nbase_url = "${baseUrl}"\nwire_api = "chat"\nmodel = "of-${name}"\n`;
  await configure(`model_provider = "other"\n${table('one', one)}${table('other', other)}`);
  await exec(['--provider', 'one', '--model', 'chosen', 'hi']);
  const again = await exec(['--provider', 'one', '--resume', 'last', 'and now?']);
  expect(again).toEqual({ code: 0, stdout: 'One.\n', stderr: '' });
  await exec(['--base-url', one.baseUrl, '--wire', 'chat', '--resume', 'last', 'and by its address?']);
  expect(modelsOf(one)).toEqual(['chosen', 'chosen', 'chosen']);
  const moved = await exec(['--provider', 'other', '--resume', 'last', 'and there?']);
  expect(moved.stderr).toBe(
    `turnwire exec: note: the conversation was with chosen at ${one.baseUrl} so far, and goes on with of-other at ${other.baseUrl}\n`,
  );
  expect(modelsOf(other)).toEqual(['of-other']);
});

test('the scripted model never goes on with a real conversation, and with its own it does', async () => {
  const { exec, direct, cwd, threads } = await place();
  const tour = await exec(['hi']);
  expect(tour.code).toBe(0);
  expect(await exec(['--resume', 'last', 'more'])).toMatchObject({ code: 0 });
  const thread = new ThreadStore(threads).create(cwd);
  const item = { type: 'message', role: 'user', content: 'hi' } as const;
  await thread.append({ type: 'turn.started', turn: 1, at: '2026-01-01T00:00:00Z' });
  await thread.append({ type: 'input', item });
  await thread.release();
  const refused = await exec(['--resume', thread.id, 'more']);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain(
    `--resume: the thread ${thread.id} does not say which model server it was with, and the scripted model does not go on with it: name a server, e.g. --base-url`,
  );
  const server = await serve('Hello.');
  expect(await exec(direct(server, '--resume', thread.id, 'more'))).toMatchObject({ code: 0, stdout: 'Hello.\n' });
  expect(await exec(['--resume', thread.id, 'more'])).toMatchObject({ code: 0, stdout: 'Hello.\n' });
});

test('in a scripted chat a conversation brings its own server back', async () => {
  const { exec, direct, cwd } = await place();
  const server = await serve('Hello.');
  await exec(direct(server, 'hi'));
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const context = {
    args: [],
    env: {},
    cwd,
    home: join(cwd, '.home'),
    stdin,
    stdout,
    stderr,
    onSignal: () => () => undefined,
  };
  const flags = { tools: 'none', approve: 'never', maxRequests: 5 } as const;
  const backend = await openChatBackend({ cli: context, name: 'turnwire chat', flags, instructions: undefined });
  onTestFinished(() => backend.close());
  const approver = () => Promise.resolve({ type: 'deny' } as const);
  expect(backend.provider).toBe('scripted');
  const { agent, provider } = await backend.open({ type: 'resume', id: 'last' }, approver, noElicitor);
  expect(provider).toMatchObject({ name: server.baseUrl, model: 'tiny' });
  await eventsOf(agent.run('and now?'));
  expect(server.requests).toHaveLength(2);
  // And the next one stays with it.
  const next = await backend.open({ type: 'new' }, approver, noElicitor);
  expect(next.provider).toBeUndefined();
  expect(next.agent.model.server).toMatchObject({ base_url: server.baseUrl, model: 'tiny' });
});

test('a provider that the configuration has no more is told, and its server is gone on with', async () => {
  const { exec, configure } = await place();
  const one = await serve('One.');
  const table = `[model_providers.one]\nbase_url = "${one.baseUrl}"\nwire_api = "chat"\nmodel = "m"\n`;
  await configure(`model_provider = "one"\n${table}`);
  await exec(['hi']);
  await configure('');
  expect(await exec(['--resume', 'last', 'and now?'])).toEqual({
    code: 0,
    stdout: 'One.\n',
    stderr: `turnwire exec: note: provider "one" at ${one.baseUrl} is not in the configuration any more: the conversation goes on with that server as the thread remembers it\n`,
  });
});
