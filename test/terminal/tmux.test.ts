import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startMock } from '../../packages/testing/src/index.ts';
import { temporaryFolder } from '../agent/helpers.ts';
import { hasTmux, Tmux } from './tmux.ts';

const main = join(import.meta.dirname, '..', '..', 'turnwire', 'src', 'cli', 'main.ts');
if (!hasTmux) console.warn('skipped: the chat in a real terminal: tmux is not installed');

function openTmux(cwd: string, command: string): Tmux {
  const tmux = new Tmux({ cwd, command });
  onTestFinished(() => tmux.end());
  return tmux;
}

/** Keys pressed so soon after a question do not answer it. */
const GUARD_MS = 500;

const count = (text: string, part: string): number => text.split(part).length - 1;

describe.skipIf(!hasTmux)('the chat in a real terminal', () => {
  it('takes a prompt, asks, patches, is interrupted, is resized, and leaves', { timeout: 60_000 }, async () => {
    const cwd = await temporaryFolder();
    const tmux = openTmux(cwd, `'${process.execPath}' '${main}' chat; echo exit $?; exec cat`);
    await tmux.until('the answers are scripted');
    await tmux.until('--base-url');
    tmux.send('hello', 'Enter');
    await tmux.until('deny and say why');
    await tmux.until('? Run shell');
    await sleep(GUARD_MS);
    tmux.send('y');
    await tmux.until('? Run apply_patch');
    expect(tmux.all()).toContain('+# turnwire was here');
    expect(existsSync(join(cwd, 'turnwire-demo.md'))).toBe(false);
    await sleep(GUARD_MS);
    tmux.send('Down', 'Enter');
    await tmux.until('To talk to a real model');
    expect(existsSync(join(cwd, 'turnwire-demo.md'))).toBe(true);

    for (const [columns, rows] of [
      [50, 20],
      [90, 26],
    ] as const) {
      tmux.resize(columns, rows);
      await tmux.settled();
    }
    const all = tmux.all();
    for (const once of ['› hello', '✓ patch', '+# turnwire was here', 'To talk to a real model', 'tok/s']) {
      expect(count(all, once), `${once} in\n${all}`).toBe(1);
    }

    tmux.send('/say', 'Space', 'word word word', 'Enter');
    // The answer, not what was typed.
    await tmux.until(/^word word word$/m);
    tmux.send('/call shell {"command":"sleep 60"}', 'Enter');
    await tmux.until('? Run shell');
    await sleep(GUARD_MS);
    tmux.send('s');
    await tmux.until('◌ shell sleep 60');
    tmux.send('Escape');
    await tmux.until('Interrupted. What was said is kept.');
    expect(tmux.screen()).toContain('⊘ shell sleep 60 interrupted');
    tmux.send('C-d');
    await tmux.until('To go on: turnwire chat --resume ');
    await tmux.until('exit 0');
  });

  it("asks about a stranger's turnwire.toml before it opens, once", { timeout: 60_000 }, async () => {
    await using server = await startMock({
      scenario: { turns: [{ replies: [{ parts: [{ type: 'text', text: 'Aye.' }] }] }] },
    });
    const cwd = await temporaryFolder();
    const table = `[model_providers.theirs]\nbase_url = "${server.baseUrl}"\nwire_api = "chat"\nmodel = "m"\n`;
    writeFileSync(join(cwd, 'turnwire.toml'), `model_provider = "theirs"\n${table}`);
    const chat = `'${process.execPath}' '${main}' chat; echo exit $?`;
    const tmux = openTmux(cwd, `${chat}; ${chat}; echo the end; exec cat`);
    await tmux.until('[y]es, [n]o:');
    expect(tmux.all()).toContain('send prompts and files to the model server theirs, by default');
    tmux.send('y', 'Enter');
    await tmux.until('m at theirs');
    tmux.send('hello', 'Enter');
    await tmux.until('Aye.');
    tmux.send('C-d');
    // The second chat opens without a question.
    await tmux.until('exit 0');
    await tmux.until('m at theirs', () => tmux.all().split('exit 0').at(-1) ?? '');
    tmux.send('C-d');
    await tmux.until('the end');
    expect(server.requests.length).toBe(1);
  });
});
