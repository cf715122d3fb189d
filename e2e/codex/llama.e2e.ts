import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { protocolIds } from '../../packages/wire/src/index.ts';
import { withRecordedBridge, type RecordedBridge } from '../answers.ts';
import { openLlama } from '../llama.ts';
import { explain, runCodex } from './run-codex.ts';

/** Below the bound of a test, so that what Codex said is seen. */
const CODEX_MS = 170_000;

const llama = await openLlama();
const skip = 'reason' in llama ? llama.reason : false;
const url = 'reason' in llama ? '' : llama.url;
after(() => ('reason' in llama ? undefined : llama.stop()));

/** The model's weights are random: what it says and calls is another thing each time, that the turn ends well is not. */
for (const wire of protocolIds) {
  void test(`Codex finishes a turn on a real llama-server over its ${wire} wire`, { skip }, () =>
    withRecordedBridge(url, wire, (bridge) => turn(bridge, wire === 'chat')),
  );
}

async function turn(bridge: RecordedBridge, websockets: boolean): Promise<void> {
  const options = {
    baseUrl: `${bridge.url}/v1`,
    model: 'tiny',
    websockets,
    prompt: 'Say something.',
    readOnly: true, // its commands are random too
    timeoutMs: CODEX_MS,
  };
  await runCodex(options, async (run) => {
    assert.equal(run.code, 0, explain(run));
    assert.equal(run.events.at(-1)?.type, 'turn.completed', explain(run));
    const answers = await bridge.turns();
    assert.ok(answers.length > 0, `the server was not asked\n${explain(run)}`);
    for (const answer of answers) assert.equal(answer.end, 'completed', explain(run));
    // The turn goes on as long as the model calls something, and no longer.
    const calls = answers.map((answer) => answer.calls > 0);
    assert.deepEqual(calls, [...calls.slice(1).map(() => true), false], explain(run));
    // Every word that the server sent, and no other.
    const said = run.events.filter((event) => event.item?.type === 'agent_message').map((event) => event.item?.text);
    assert.deepEqual(
      said.filter((text) => text?.trim() !== ''),
      answers.flatMap((answer) => answer.texts).filter((text) => text.trim() !== ''),
      explain(run),
    );
  });
}
