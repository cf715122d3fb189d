import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, createTools, noSandbox, ThreadStore } from '../../packages/agent/src/index.ts';
import { call, calls, ScriptedModel } from './scripted-model.ts';

// FOLDER SANDBOX(on|off) SECONDS. Runs a turn whose second tool sleeps for so many seconds, says so on stdout, and waits to be killed.
const [folder = '', mode, seconds] = process.argv.slice(2);
const command = (n: number, then: string): string => `echo x >> ran-${n}; ${then}`;
const model = new ScriptedModel(
  calls(
    call('shell', { command: command(1, 'true') }, 'first'),
    call('shell', { command: command(2, `touch started-2; sleep ${seconds}`) }, 'second'),
  ),
);
const sandbox = mode === 'on' ? {} : { sandbox: noSandbox() };
const tools = await createTools({ cwd: folder, env: { PATH: process.env.PATH }, ...sandbox });
const thread = new ThreadStore(join(folder, 'threads')).create(folder);
const agent = new Agent({ model, tools, thread, approvals: 'always' });
const ended = new Set<string>();
for await (const batch of agent.run('go')) {
  for (const event of batch) if (event.type === 'tool.finished') ended.add(event.call_id);
  if (!ended.has('first')) continue;
  while (!existsSync(join(folder, 'started-2'))) await sleep(10);
  process.stdout.write('now\n');
}
