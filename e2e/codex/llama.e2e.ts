import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createBridge } from '../../packages/bridge/src/index.ts';
import { recordTo } from '../../packages/testing/src/index.ts';
import type { ProtocolId } from '../../packages/wire/src/index.ts';
import { answersOf } from '../answers.ts';
import { openLlama } from '../llama.ts';
import { explain, runCodex } from './run-codex.ts';

/** Below the bound of a test, so that what Codex said is seen. */
const CODEX_MS = 170_000;

const llama = await openLlama();
const skip = 'reason' in llama ? llama.reason : false;
const url = 'reason' in llama ? '' : llama.url;
after(() => ('reason' in llama ? undefined : llama.stop()));

/** The model's weights are random: what it says and calls is another thing each time, that the turn ends well is not. */
for (const wire of ['chat', 'responses'] as const) {
  void test(`Codex finishes a turn on a real llama-server over its ${wire} wire`, { skip }, async () => {
    const tapes = await mkdtemp(join(tmpdir(), 'turnwire-llama-'));
    try {
      await turn(wire, tapes);
    } finally {
      await rm(tapes, { recursive: true, force: true });
    }
  });
}

async function turn(wire: ProtocolId, tapes: string): Promise<void> {
  await using recorder = await recordTo(tapes, { upstream: url });
  await using bridge = createBridge({ upstreams: [recorder.url], wire, port: 0, drainTimeoutMs: 0 });
  await bridge.listen();
  const options = {
    baseUrl: `${bridge.url}/v1`,
    model: 'tiny',
    websockets: wire === 'chat',
    prompt: 'Say something.',
    readOnly: true, // its commands are random too
    timeoutMs: CODEX_MS,
  };
  await runCodex(options, async (run) => {
    assert.equal(run.code, 0, explain(run));
    assert.equal(run.events.at(-1)?.type, 'turn.completed', explain(run));
    await recorder.close();
    const answers = (await answersOf(tapes, wire)).filter(({ offered }) => offered > 0);
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
