import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROTOCOL_VERSION, type McpServer } from '@agentclientprotocol/sdk';
import { expect, test } from 'vitest';
import { ThreadStore } from '../../packages/agent/src/index.ts';
import { createAcpAgent, type AcpAgentOptions } from '../../turnwire/src/acp/index.ts';
import { isAlive, temporaryFolder } from '../agent/helpers.ts';
import { answer, ScriptedModel } from '../agent/scripted-model.ts';
import { Editor } from './client.ts';

/** A program that never becomes an MCP server, and stays when its input ends; it writes down which process it is. */
const never = `require('fs').writeFileSync('pid', String(process.pid)); setTimeout(() => undefined, 60_000);`;

/** The editor goes while a session is opened; answers once nothing of the agent is left. */
async function goneWhile(
  ready: (cwd: string) => Promise<unknown>,
  mcpServers: McpServer[],
  more: Partial<AcpAgentOptions> = {},
) {
  const cwd = await temporaryFolder();
  const threads = new ThreadStore(join(cwd, '.threads'));
  const openModel = () => Promise.resolve({ port: new ScriptedModel(answer('done')), env: { PATH: '/usr/bin:/bin' } });
  const { app, ended } = createAcpAgent({ openModel, threads, version: '1.2.3', ...more });
  await new Editor().app.connectWith(app, async (context) => {
    await context.request('initialize', { protocolVersion: PROTOCOL_VERSION });
    const opening = context.request('session/new', { cwd, mcpServers });
    opening.catch(() => undefined);
    await ready(cwd);
  });
  await ended;
  return { cwd, threads };
}

async function pidIn(cwd: string): Promise<number> {
  return Number(await readFile(join(cwd, 'pid'), 'utf8'));
}

test('a session that is opened while the connection ends leaves no process and no conversation', async () => {
  const args = ['-e', never];
  const started = (cwd: string) => expect.poll(() => pidIn(cwd).catch(() => 0)).toBeGreaterThan(0);
  const { cwd, threads } = await goneWhile(started, [{ name: 'never', command: process.execPath, args, env: [] }]);
  expect(isAlive(await pidIn(cwd))).toBe(false);
  expect(await threads.list()).toEqual([]);
});

test('one whose model server is still being opened then starts nothing', async () => {
  const asked = Promise.withResolvers<undefined>();
  const model = Promise.withResolvers<Awaited<ReturnType<AcpAgentOptions['openModel']>>>();
  const openModel = () => {
    asked.resolve(undefined);
    // Behind the end of the connection.
    setImmediate(() => model.resolve({ port: new ScriptedModel() }));
    return model.promise;
  };
  const args = ['-e', never];
  const { cwd } = await goneWhile(() => asked.promise, [{ name: 'never', command: process.execPath, args, env: [] }], {
    openModel,
  });
  await expect(pidIn(cwd)).rejects.toThrow('ENOENT');
});
