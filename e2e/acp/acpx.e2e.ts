import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { startMock, type Scenario } from '../../packages/testing/src/index.ts';
import { runProgram, withFolders, type ClientFolders, type Ended } from '../run-program.ts';

const acpx = join(import.meta.dirname, 'node_modules', '.bin', 'acpx');
const main = join(import.meta.dirname, '..', '..', 'turnwire', 'src', 'cli', 'main.ts');

const patch = '*** Begin Patch\n*** Update File: a.txt\n@@\n-old line\n+new line\n*** End Patch';
const plan = [
  { step: 'look', status: 'completed' },
  { step: 'report', status: 'in_progress' },
];

/** A model that reads, patches, runs a command and keeps a plan, then reports; and says a word in the turn after it. */
const worker: Scenario = {
  turns: [
    {
      replies: [
        { parts: [{ type: 'tool_call', name: 'read_file', arguments: { path: 'a.txt' } }] },
        { parts: [{ type: 'tool_call', name: 'apply_patch', arguments: { input: patch } }] },
        { parts: [{ type: 'tool_call', name: 'shell', arguments: { command: 'echo made > made.txt' } }] },
        { parts: [{ type: 'tool_call', name: 'update_plan', arguments: { plan } }] },
        { parts: (request) => [{ type: 'text', text: `Done. ${request.toolOutputs.length} outputs.` }] },
      ],
    },
    { replies: [{ parts: [{ type: 'text', text: 'Still here.' }] }] },
  ],
};

interface Setup extends ClientFolders {
  /** Runs acpx with these arguments and our agent behind it. */
  readonly run: (...args: string[]) => Promise<Ended>;
}

/** A folder with a file of one old line, and acpx in it. */
async function withAcpx(work: (setup: Setup) => Promise<void>): Promise<void> {
  await using mock = await startMock({ wire: 'chat', scenario: worker });
  const agent = `${process.execPath} ${main} acp --base-url ${mock.baseUrl} --wire chat --model m`;
  await withFolders('acpx', async (folders) => {
    await writeFile(join(folders.folder, 'a.txt'), 'old line\n');
    // Its process that keeps the agent ends a second after the last prompt.
    const fixed = ['--agent', agent, '--cwd', folders.folder, '--ttl', '1'];
    const run = (...args: string[]): Promise<Ended> =>
      runProgram({
        command: acpx,
        args: [...fixed, ...args],
        cwd: folders.folder,
        env: { HOME: folders.home },
      });
    await work({ ...folders, run });
  });
}

function explain({ code, stdout, stderr }: Ended): string {
  return `acpx ended with ${code}\n${stderr}\n${stdout}`;
}

type Update = Readonly<Record<string, unknown>>;

interface Message {
  readonly method?: string;
  readonly params?: { readonly update?: Update };
  readonly result?: Readonly<Record<string, unknown>>;
}

/** What went over the wire, as acpx writes it down. */
function messagesOf({ stdout }: Ended): readonly Message[] {
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Message);
}

void test('acpx works a turn: its files both ways, a permission, a plan, the text', async () => {
  await withAcpx(async ({ run, folder }) => {
    const ended = await run('--approve-all', '--format', 'json', 'exec', 'Do the work.');
    assert.equal(ended.code, 0, explain(ended));
    const messages = messagesOf(ended);
    const asked = (method: string): number => messages.filter((message) => message.method === method).length;
    assert.ok(asked('fs/read_text_file') >= 1, explain(ended));
    assert.equal(asked('fs/write_text_file'), 1, explain(ended));
    assert.equal(asked('session/request_permission'), 2, explain(ended));
    const updates = messages.map(({ params }): Update => params?.update ?? {});
    const entries = plan.map(({ step, status }) => ({ content: step, priority: 'medium', status }));
    assert.deepEqual(updates.find((update: Update) => update.sessionUpdate === 'plan')?.entries, entries);
    const ends = updates.filter(
      ({ sessionUpdate, status }) => sessionUpdate === 'tool_call_update' && status === 'completed',
    );
    assert.equal(ends.length, 4, explain(ended));
    assert.match(ended.stdout, /outputs/, explain(ended));
    assert.equal(messages.at(-1)?.result?.stopReason, 'end_turn', explain(ended));
    assert.equal(await readFile(join(folder, 'a.txt'), 'utf8'), 'new line\n');
    assert.equal(await readFile(join(folder, 'made.txt'), 'utf8'), 'made\n');
  });
});

void test('acpx that says no has everything as it was, and the turn ends all the same', async () => {
  await withAcpx(async ({ run, folder }) => {
    const ended = await run('--deny-all', 'exec', 'Do the work.');
    assert.match(ended.stdout, /Done\. 4 outputs\./, explain(ended));
    assert.equal(await readFile(join(folder, 'a.txt'), 'utf8'), 'old line\n');
    await assert.rejects(readFile(join(folder, 'made.txt')));
  });
});

void test('acpx goes on with its session in another process of the agent', async () => {
  await withAcpx(async ({ run }) => {
    const opened = await run('sessions', 'new');
    assert.equal(opened.code, 0, explain(opened));
    const first = await run('--approve-all', 'prompt', 'Do the work.');
    assert.match(first.stdout, /Done\. 4 outputs\./, explain(first));
    // By its own word its process with the agent is gone: a second after the prompt.
    while ((await run('status')).stdout.includes('status: running'));
    const second = await run('prompt', 'Are you there?');
    assert.match(second.stdout, /session\/(resume|load)[^]*Still here\./, explain(second));
  });
});
