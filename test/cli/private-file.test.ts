import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { expect, onTestFinished, test, vi } from 'vitest';
import { McpCredentialFile } from '../../turnwire/src/cli/mcp-credentials.ts';
import { changePrivateFile } from '../../turnwire/src/cli/private-file.ts';
import { TrustStore } from '../../turnwire/src/cli/trust-store.ts';
import { temporaryFolder } from '../agent/helpers.ts';
import { TestClock } from '../terminal/harness.ts';
import { credentialsOf, ENTRIES } from './private-file-entries.ts';

async function writer(home: string, name: string): Promise<ChildProcessByStdio<Writable, Readable, null>> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'private-file-writer.ts'), home, name], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

test('of what two processes write at once nothing is lost, and no lock is left', async () => {
  const home = await temporaryFolder();
  const names = ['one', 'two'];
  const children = await Promise.all(names.map((name) => writer(home, name)));
  for (const child of children) child.stdin.write('go\n');
  await Promise.all(children.map((child) => once(child, 'exit')));
  const [credentials, trust] = [new McpCredentialFile({ env: {}, home }), new TrustStore({ env: {}, home })];
  const missing: string[] = [];
  for (const name of names) {
    for (let n = 0; n < ENTRIES; n++) {
      const kept = await credentials.read(`http://${name}-${n}/mcp`);
      if (kept?.tokens.access_token !== `${name}-${n}`) missing.push(`credentials ${name} ${n}`);
      const state = await trust.stateOf({ folder: `/${name}/${n}`, sha256: 'x' });
      if (state !== 'trusted') missing.push(`trust ${name} ${n}`);
    }
  }
  expect(missing).toEqual([]);
  expect(await readdir(join(home, '.local/state/turnwire/locks'))).toEqual([]);
});

test('nor of what one process writes at once', async () => {
  const home = await temporaryFolder();
  const file = new McpCredentialFile({ env: {}, home });
  const urls = Array.from({ length: 10 }, (_, n) => `http://h/${n}`);
  await Promise.all(urls.map((url) => file.write(url, credentialsOf(url))));
  const kept = await Promise.all(urls.map((url) => file.read(url)));
  expect(kept.map((each) => each?.tokens.access_token)).toEqual(urls);
});

test('a change that fails holds nobody up; a process that is gone holds nothing', async () => {
  const folder = await temporaryFolder();
  const path = join(folder, 'kept.json');
  await expect(changePrivateFile(path, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  const child = spawn('true');
  await once(child, 'exit');
  await writeFile(join(folder, 'locks', `kept.${child.pid}.1.${hostname()}`), '');
  await changePrivateFile(path, () => Promise.resolve('text'));
  expect(await readFile(path, 'utf8')).toBe('text');
});

test.skipIf(!existsSync('/proc/self/stat'))(
  'nor does one whose number a process of another user has, or a file that no turnwire left',
  async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'kept.json');
    await mkdir(join(folder, 'locks'));
    await writeFile(join(folder, 'locks', `kept.${process.ppid}.1.${hostname()}`), '');
    await writeFile(join(folder, 'locks', 'kept.1.1.%'), '');
    const kill = vi.spyOn(process, 'kill').mockImplementation(() => {
      throw Object.assign(new Error('not allowed'), { code: 'EPERM' });
    });
    onTestFinished(() => kill.mockRestore());
    await changePrivateFile(path, () => Promise.resolve('text'));
    expect(await readdir(join(folder, 'locks'))).toEqual([]);
  },
);

test('who waits for five seconds is told for whom', async () => {
  const folder = await temporaryFolder();
  const path = join(folder, 'kept.json');
  const lock = join(folder, 'locks', 'kept.1.0.elsewhere');
  await mkdir(join(folder, 'locks'));
  await writeFile(lock, '');
  const clock = new TestClock();
  const change = changePrivateFile(path, () => Promise.resolve('text'), clock);
  const told = expect(change).rejects.toThrow(
    `${path} is being changed by another turnwire (process 1 on elsewhere); if it does not run any more, delete ${lock}`,
  );
  await Promise.resolve();
  clock.pass(5000);
  await told;
  expect(await readdir(folder)).toEqual(['locks']);
});
