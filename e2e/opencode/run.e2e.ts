import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startMock, type Scenario } from '../../packages/testing/src/index.ts';
import { openLlama } from '../llama.ts';
import { explainRun, turnwireRun } from '../turnwire-run.ts';

// The program itself, without the launcher, which wants its install script to have run.
const program = `node_modules/opencode-${process.platform}-${process.arch}/bin/opencode`;
const opencode = {
  client: 'opencode',
  program: [new URL(program, import.meta.url).pathname],
  // Nothing beyond loopback.
  env: { OPENCODE_DISABLE_MODELS_FETCH: '1', OPENCODE_DISABLE_AUTOUPDATE: '1', OPENCODE_DISABLE_DEFAULT_PLUGINS: '1' },
  timeoutMs: 170_000,
} as const;

/** A model that runs a command, then reports. */
const worker: Scenario = {
  turns: [
    {
      replies: [
        {
          parts: [
            { type: 'tool_call', name: 'bash', arguments: { command: 'echo done > done.txt', description: 'Work' } },
          ],
        },
        { parts: (request) => [{ type: 'text', text: `All done. ${request.toolOutputs.length} output.` }] },
      ],
    },
  ],
};

void test('turnwire run opencode finishes a tool turn in one command', async () => {
  await using mock = await startMock({ wire: 'chat', scenario: worker });
  await turnwireRun({ ...opencode, flags: ['--upstream', mock.url], args: ['run', 'Do the work.'] }, async (run) => {
    assert.equal(run.code, 0, explainRun(run));
    assert.match(run.stdout, /All done\. 1 output\./, explainRun(run));
    assert.equal(await readFile(join(run.folder, 'done.txt'), 'utf8'), 'done\n', explainRun(run));
    assert.match(run.stderr, /^turnwire: scripted at http:\/\/127\.0\.0\.1:\d+: \d+ requests, /m, explainRun(run));
  });
});

const llama = await openLlama();
const skip = 'reason' in llama ? llama.reason : false;
const url = 'reason' in llama ? '' : llama.url;
after(() => ('reason' in llama ? undefined : llama.stop()));

void test('turnwire run opencode finishes a turn on a real llama-server', { skip }, async () => {
  await turnwireRun({ ...opencode, flags: ['--upstream', url], args: ['run', 'Say something.'] }, (run) => {
    assert.equal(run.code, 0, explainRun(run));
    assert.match(run.stderr, /^turnwire: tiny at .*: \d+ requests?, [\d,]+ tokens in, [\d,]+ out/m, explainRun(run));
  });
});
