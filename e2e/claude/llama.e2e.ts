import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { protocolIds } from '../../packages/wire/src/index.ts';
import { withRecordedBridge, type RecordedBridge } from '../answers.ts';
import { openLlama } from '../llama.ts';
import { explain, runClaude } from './run-claude.ts';

/** Below the bound of a test, so that what Claude Code said is seen. */
const CLAUDE_MS = 170_000;

const llama = await openLlama();
const skip = 'reason' in llama ? llama.reason : false;
const url = 'reason' in llama ? '' : llama.url;
after(() => ('reason' in llama ? undefined : llama.stop()));

/** The model's weights are random: what it says and calls is another thing each time, that the turn ends well is not. */
for (const wire of protocolIds) {
  void test(`Claude Code finishes a turn on a real llama-server over its ${wire} wire`, { skip }, () =>
    withRecordedBridge(url, wire, turn),
  );
}

async function turn(bridge: RecordedBridge): Promise<void> {
  const options = { url: bridge.url, model: 'tiny', prompt: 'Say something.', timeoutMs: CLAUDE_MS };
  await runClaude(options, async (run) => {
    assert.equal(run.code, 0, explain(run));
    assert.equal(run.result?.is_error, false, explain(run));
    const answers = await bridge.turns();
    assert.ok(answers.length > 0, `the server was not asked\n${explain(run)}`);
    for (const answer of answers) assert.equal(answer.end, 'completed', explain(run));
    // The last answer is what it prints, every word of it.
    assert.equal(run.result.result.trim(), answers.at(-1)?.texts.join('').trim(), explain(run));
  });
}
