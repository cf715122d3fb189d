import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startMock, type Scenario } from '../../packages/testing/src/index.ts';
import { openLlama } from '../llama.ts';
import { FOUND, searcher, startEngine } from './search.ts';
import { explainRun, turnwireRun } from '../turnwire-run.ts';

const codex = {
  client: 'codex',
  program: [new URL('node_modules/.bin/codex', import.meta.url).pathname],
} as const;

const exec = (prompt: string) =>
  ['exec', '--skip-git-repo-check', '--dangerously-bypass-approvals-and-sandbox', prompt] as const;

/** A model that runs a command, then reports. */
const worker: Scenario = {
  turns: [
    {
      replies: [
        { parts: [{ type: 'tool_call', name: 'exec_command', arguments: { cmd: 'echo done > done.txt' } }] },
        { parts: (request) => [{ type: 'text', text: `All done. ${request.toolOutputs.length} output.` }] },
      ],
    },
  ],
};

/** A provider that is called as the one of the printed block, with another key: nothing of it may get into ours. */
const OWN_FILE = [
  '# mine',
  'model = "gpt-5.5"',
  'model_provider = "openai"',
  'approval_policy = "never"',
  '[model_providers.turnwire]',
  'name = "other"',
  'base_url = "http://127.0.0.1:9/v1"',
  'env_key = "OTHER_KEY"',
  '',
].join('\n');

void test('turnwire run codex finishes a tool turn in one command, and leaves the configuration as it is', async () => {
  await using mock = await startMock({ wire: 'chat', scenario: worker });
  const flags = ['--upstream', mock.url, '--context-window', '200000'];
  await turnwireRun(
    { ...codex, flags, args: exec('Do the work.') },
    async (run) => {
      assert.equal(run.code, 0, explainRun(run));
      assert.equal(run.stdout.trim(), 'All done. 1 output.', explainRun(run));
      assert.equal(await readFile(join(run.folder, 'done.txt'), 'utf8'), 'done\n');
      assert.match(run.stderr, /^turnwire: scripted at http:\/\/127\.0\.0\.1:\d+: 2 requests, .*\n$/m);
      assert.equal(await readFile(join(run.home, '.codex', 'config.toml'), 'utf8'), OWN_FILE);
    },
    async ({ home }) => {
      await mkdir(join(home, '.codex'));
      await writeFile(join(home, '.codex', 'config.toml'), OWN_FILE);
    },
  );
});

void test('turnwire run codex lets it search the web', async () => {
  const engine = await startEngine();
  await using mock = await startMock({ wire: 'chat', scenario: searcher });
  // Without a `--`, and without `http://`.
  const flags = ['--upstream', new URL(mock.url).host, '--search-url', engine.url];
  await turnwireRun({ ...codex, flags, args: exec('Search.'), isClear: true }, (run) => {
    assert.equal(run.code, 0, explainRun(run));
    assert.equal(run.stdout.trim(), FOUND, explainRun(run));
  });
  engine.close();
});

const llama = await openLlama();
const skip = 'reason' in llama ? llama.reason : false;
const url = 'reason' in llama ? '' : llama.url;
after(() => ('reason' in llama ? undefined : llama.stop()));

void test('turnwire run codex finishes a turn on a real llama-server', { skip }, async () => {
  const run = { ...codex, flags: ['--upstream', url], args: exec('Say something.'), timeoutMs: 170_000 };
  await turnwireRun(run, (ended) => {
    assert.equal(ended.code, 0, explainRun(ended));
    // The model and its window are the server's.
    assert.match(ended.stderr, /^model: tiny$/m, explainRun(ended));
    assert.match(
      ended.stderr,
      /^turnwire: tiny at .*: \d+ requests?, [\d,]+ tokens in, [\d,]+ out/m,
      explainRun(ended),
    );
  });
});
