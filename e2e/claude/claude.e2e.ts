import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createBridge } from '../../packages/bridge/src/index.ts';
import { startMock, type Scenario } from '../../packages/testing/src/index.ts';
import { protocolIds } from '../../packages/wire/src/index.ts';
import { explain, runClaude } from './run-claude.ts';

const COMMAND = `printf '%s\\n' "hi \\"ü€😀\\"" > shell.txt && cat shell.txt`;

function bash(command: string) {
  return { type: 'tool_call', name: 'Bash', arguments: { command, description: 'Work' } } as const;
}

/** A model that runs a command, then two at once, then reports. */
const worker: Scenario = {
  turns: [
    {
      replies: [
        {
          parts: [
            { type: 'reasoning', text: 'A file first.' },
            { type: 'text', text: 'First the command.' },
            bash(COMMAND),
          ],
        },
        { parts: [bash('echo one > one.txt'), bash('echo two > two.txt')] },
        { parts: (request) => [{ type: 'text', text: `All done. ${request.toolOutputs.length} outputs.` }] },
      ],
    },
  ],
};

async function works(run: Parameters<Parameters<typeof runClaude>[1]>[0]): Promise<void> {
  assert.equal(run.code, 0, explain(run));
  assert.equal(run.result?.is_error, false, explain(run));
  assert.equal(run.result.result, 'All done. 3 outputs.', explain(run));
  assert.equal(await readFile(join(run.folder, 'shell.txt'), 'utf8'), 'hi "ü€😀"\n', explain(run));
  assert.equal(await readFile(join(run.folder, 'one.txt'), 'utf8'), 'one\n', explain(run));
  assert.equal(await readFile(join(run.folder, 'two.txt'), 'utf8'), 'two\n', explain(run));
}

for (const wire of protocolIds) {
  void test(`Claude Code runs one command and two at once on a ${wire} server`, async () => {
    await using mock = await startMock({ wire, scenario: worker });
    await using bridge = createBridge({ upstreams: [mock.url], port: 0, drainTimeoutMs: 0 });
    await bridge.listen();
    await runClaude({ url: bridge.url, model: 'my-model', prompt: 'Do the work.', allowedTools: 'Bash' }, works);
    const turns = mock.requests.filter(({ view }) => view?.toolNames.includes('Bash') === true);
    assert.equal(turns.length, 3);
  });
}

/** What a server does wrong, and Claude Code alone stumbles over or waits for. */
const faults = [
  'finish-then-hold',
  'no-sentinel',
  'usage-never',
  'stop-with-tools',
  'tool-index-missing',
  'tool-interleaved',
  'finish-empty',
];

for (const fault of faults) {
  void test(`Claude Code does not stumble over ${fault} of a chat server`, async () => {
    await using mock = await startMock({ wire: 'chat', scenario: worker, faults: [fault] });
    await using bridge = createBridge({ upstreams: [mock.url], port: 0, drainTimeoutMs: 0 });
    await bridge.listen();
    await runClaude({ url: bridge.url, model: 'my-model', prompt: 'Do the work.', allowedTools: 'Bash' }, works);
  });
}
