import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startMock } from '../../packages/testing/src/index.ts';
import { startInProcess } from '../cli/harness.ts';
import { root } from '../docs/examples.ts';

const folder = join(root, 'deploy', 'systemd');
const unit = join(folder, 'turnwire-bridge.service');
const text = readFileSync(unit, 'utf8');

const found = spawnSync('systemd-analyze', ['--version']).status === 0;
if (!found)
  console.log('the systemd unit is not tested: systemd-analyze is not installed (Debian: apt-get install systemd)');

describe('the systemd unit', () => {
  it.skipIf(!found)('is right to systemd itself', () => {
    const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', unit], { encoding: 'utf8' });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  it.skipIf(!found)('leaves the service little that it could do, 10 being everything', () => {
    const args = ['security', '--offline=true', '--no-pager', '--threshold=20', unit];
    const { status, stdout } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
    expect(status, stdout).toBe(0);
  });

  it('waits for longer than streams may finish, and does not start again with a wrong setting', () => {
    const value = (key: string): string | undefined => new RegExp(`^${key}=(.*)$`, 'm').exec(text)?.[1];
    expect(Number(value('TimeoutStopSec'))).toBeGreaterThan(30);
    expect(value('RestartPreventExitStatus')).toBe('2');
  });
});

/** The variables of a file of systemd; with `commented` also those that are only shown. */
function variablesIn(file: string, commented: boolean): Record<string, string> {
  const lines = readFileSync(join(folder, file), 'utf8').matchAll(/^(#?)([A-Z_]+)=(.*)$/gm);
  const kept = [...lines].filter(([, mark]) => commented || mark === '');
  return Object.fromEntries(kept.map(([, , name = '', value = '']) => [name, value]));
}

describe('the example of its settings', () => {
  it('starts a bridge as it is, and names no unknown variable where all of it is used', async () => {
    await using mock = await startMock({ wire: 'chat' });
    const own = { TURNWIRE_UPSTREAM: mock.url, TURNWIRE_PORT: '0' };
    const secrets = { UPSTREAM_KEY: 'k', CALLERS_TOKEN: 't' };
    for (const env of [variablesIn('bridge.env', false), { ...variablesIn('bridge.env', true), ...secrets }]) {
      expect(env).toMatchObject({ TURNWIRE_UPSTREAM: 'http://127.0.0.1:8080', TURNWIRE_WIRE: 'chat' });
      const command = startInProcess(['bridge', '--log-level', 'silent'], { env: { ...env, ...own } });
      await command.until(/OPENAI_BASE_URL/);
      command.signal('SIGTERM');
      expect(await command.result).toMatchObject({ code: 0, stderr: '' });
    }
  });
});
