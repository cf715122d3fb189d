import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'smol-toml';
import { expect, it } from 'vitest';
import { startMock } from '@turnwire/testing';
import { announcement, type Announced } from '../../turnwire/src/cli/announcement.ts';
import { startInProcess } from './harness.ts';

const about: Announced = { websocket: true, mode: 'translate', model: undefined, models: [] };

function blockOf(url: string, more: Partial<Announced>): unknown {
  const text = announcement({ url }, { ...about, ...more });
  return parse(/^For Codex, .*\n\n([^]*?\n)\nFor Claude Code/m.exec(text)?.[1] ?? '');
}

/** As `turnwire setup codex` writes it. */
const provider = {
  name: 'turnwire',
  wire_api: 'responses',
  supports_websockets: true,
  auth: { command: 'echo', args: ['none'] },
};

it.each<[Partial<Announced>, object]>([
  [{}, { model: 'MODEL' }],
  [{ models: [{ id: 'tiny', contextWindow: 4096 }] }, { model: 'tiny', model_context_window: 4096 }],
  [{ models: [{ id: 'a "b"' }, { id: 'c', contextWindow: 1 }] }, { model: 'a "b"' }],
  [
    { model: 'alias', models: [{ id: 'tiny', contextWindow: 7 }] },
    { model: 'alias', model_context_window: 7 },
  ],
  [
    { model: 'x', contextWindow: 5, models: [{ id: 'a' }, { id: 'b' }] },
    { model: 'x', model_context_window: 5 },
  ],
])('names a real model and its window (%j)', (more, expected) => {
  expect(blockOf('http://127.0.0.1:1', more)).toEqual({
    ...expected,
    model_provider: 'turnwire',
    model_providers: { turnwire: { ...provider, base_url: 'http://127.0.0.1:1/v1' } },
  });
});

it('tells Codex of a token, of web search, and of WebSockets that are not there', () => {
  const more = { websocket: false, searchUrl: 'http://s', authTokenEnv: 'TOKEN' };
  expect(blockOf('http://127.0.0.1:1', more)).toEqual({
    model: 'MODEL',
    model_provider: 'turnwire',
    model_providers: {
      turnwire: {
        ...provider,
        base_url: 'http://127.0.0.1:1/v1',
        supports_websockets: false,
        supports_standalone_web_search: true,
        auth: { command: 'printenv', args: ['TOKEN'] },
      },
    },
    features: { standalone_web_search: true },
  });
});

it.each([
  ['tiny', undefined, 'none'],
  ["$(touch owned)'; touch owned; '", 'TOKEN', 'sesame'],
])('starts Claude Code with what it needs, whatever a model is called (%j)', (id, authTokenEnv, token) => {
  const models = [{ id, contextWindow: 4096 }];
  const text = announcement(
    { url: 'http://127.0.0.1:1' },
    { ...about, models, ...(authTokenEnv === undefined ? {} : { authTokenEnv }) },
  );
  const line = /^For Claude Code .*\n\n([^]*?\n)\n/m.exec(text)?.[1] ?? '';
  const folder = mkdtempSync(join(tmpdir(), 'turnwire-line-'));
  writeFileSync(join(folder, 'claude'), '#!/bin/sh\nenv\n', { mode: 0o755 });
  const env = { PATH: `${folder}:${process.env.PATH ?? ''}`, TOKEN: 'sesame' };
  const printed = execFileSync('/bin/sh', ['-c', line], { cwd: folder, env, encoding: 'utf8' });
  const set = printed.split('\n').filter((one) => /^(?:ANTHROPIC|CLAUDE)_/.test(one));
  expect([set.toSorted(), readdirSync(folder)]).toEqual([
    [
      `ANTHROPIC_AUTH_TOKEN=${token}`,
      'ANTHROPIC_BASE_URL=http://127.0.0.1:1',
      `ANTHROPIC_DEFAULT_HAIKU_MODEL=${id}`,
      `ANTHROPIC_DEFAULT_OPUS_MODEL=${id}`,
      `ANTHROPIC_DEFAULT_SONNET_MODEL=${id}`,
      `ANTHROPIC_MODEL=${id}`,
      `ANTHROPIC_SMALL_FAST_MODEL=${id}`,
      'CLAUDE_CODE_MAX_CONTEXT_TOKENS=4096',
    ],
    ['claude'],
  ]);
  rmSync(folder, { recursive: true });
});

it('says which other models there are', () => {
  const models = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((id) => ({ id }));
  expect(announcement({ url: 'http://h:1' }, { ...about, models })).toContain(
    'model = "a" # or b, c, d, e, f, 1 more\n',
  );
});

it.each([
  ['http://0.0.0.0:9', 'http://127.0.0.1:9'],
  ['http://[::]:9', 'http://[::1]:9'],
  ['http://192.0.2.1:9', 'http://192.0.2.1:9'],
])('%s is told as %s', (listening, told) => {
  const text = announcement({ url: listening }, { ...about, authTokenEnv: 'TOKEN' });
  expect(text).toContain(`base_url = "${told}/v1"`);
  expect(text).toContain(`For other clients: OPENAI_BASE_URL=${told}/v1 OPENAI_API_KEY=$TOKEN\n`);
  expect(text.includes('Other machines reach it')).toBe(listening !== told);
});

it('is asked from the server, which may also be dead', async () => {
  await using mock = await startMock({ wire: 'chat' });
  for (const [upstream, model] of [
    [mock.url, 'scripted'],
    ['http://127.0.0.1:1', 'MODEL'],
  ] as const) {
    const bridge = startInProcess(['bridge', '--upstream', upstream, '--port', '0', '--log-level', 'silent']);
    await bridge.until(new RegExp(`^model = "${model}"$[^]*OPENAI_BASE_URL`, 'm'));
    bridge.signal('SIGTERM');
    expect((await bridge.result).code).toBe(0);
  }
});
