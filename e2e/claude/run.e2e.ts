import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startMock, type Scenario } from '../../packages/testing/src/index.ts';
import { openLlama } from '../llama.ts';
import { explainRun, turnwireRun } from '../turnwire-run.ts';

const launcher = new URL('node_modules/@anthropic-ai/claude-code/cli-wrapper.cjs', import.meta.url).pathname;
const claude = {
  client: 'claude',
  // Its own launcher: no install script has put the program where `claude` would be.
  program: [process.execPath, launcher],
  env: {
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_TELEMETRY: '1',
    DISABLE_AUTOUPDATER: '1',
    IS_SANDBOX: '1',
  },
} as const;

/** A model that runs a command, then reports. */
const worker: Scenario = {
  turns: [
    {
      replies: [
        {
          parts: [
            {
              type: 'tool_call',
              name: 'Bash',
              arguments: { command: 'echo done > done.txt', description: 'Work' },
            },
          ],
        },
        { parts: (request) => [{ type: 'text', text: `All done. ${request.toolOutputs.length} output.` }] },
      ],
    },
  ],
};

/** Settings that would lead it elsewhere. */
const OWN_SETTINGS = JSON.stringify({
  env: { ANTHROPIC_BASE_URL: 'http://127.0.0.1:9', ANTHROPIC_AUTH_TOKEN: 'other', CLAUDE_CODE_USE_BEDROCK: '1' },
});

void test('turnwire run claude finishes a tool turn in one command, whatever its settings say', async () => {
  await using mock = await startMock({ wire: 'chat', scenario: worker });
  await turnwireRun(
    { ...claude, flags: ['--upstream', mock.url], args: ['-p', 'Do the work.', '--allowedTools', 'Bash'] },
    async (run) => {
      assert.equal(run.code, 0, explainRun(run));
      assert.equal(run.stdout.trim(), 'All done. 1 output.', explainRun(run));
      assert.equal(await readFile(join(run.folder, 'done.txt'), 'utf8'), 'done\n');
      assert.match(run.stderr, /^turnwire: scripted at http:\/\/127\.0\.0\.1:\d+: \d+ requests, /m, explainRun(run));
      assert.equal(await readFile(join(run.home, '.claude', 'settings.json'), 'utf8'), OWN_SETTINGS);
    },
    async ({ home }) => {
      await mkdir(join(home, '.claude'));
      await writeFile(join(home, '.claude', 'settings.json'), OWN_SETTINGS);
    },
  );
});

const llama = await openLlama();
const skip = 'reason' in llama ? llama.reason : false;
const url = 'reason' in llama ? '' : llama.url;
after(() => ('reason' in llama ? undefined : llama.stop()));

void test('turnwire run claude finishes a turn on a real llama-server', { skip }, async () => {
  const run = { ...claude, flags: ['--upstream', url], args: ['-p', 'Say something.'], timeoutMs: 170_000 };
  await turnwireRun(run, (ended) => {
    assert.equal(ended.code, 0, explainRun(ended));
    assert.match(
      ended.stderr,
      /^turnwire: tiny at .*: \d+ requests?, [\d,]+ tokens in, [\d,]+ out/m,
      explainRun(ended),
    );
    // Claude Code says so where it does not know how much fits.
    assert.doesNotMatch(ended.stderr, /assumes a context window/, explainRun(ended));
  });
});
