import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runInProcess, startInProcess } from '../cli/harness.ts';
import { startModelServer } from './model-server.ts';

const home = mkdtempSync(join(tmpdir(), 'turnwire-models-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

function writeOwn(toml: string): void {
  mkdirSync(join(home, '.config', 'turnwire'), { recursive: true });
  writeFileSync(join(home, '.config', 'turnwire', 'config.toml'), toml);
}

describe('the names of models', () => {
  it('are mapped by flags, then by the own file', async () => {
    writeOwn('[models]\n"gpt-5*" = "of-file"\nother = "small"\n');
    await using server = await startModelServer({ list: ['small'] });
    const flags = ['--port', '0', '--model-map', 'gpt-5-mini = of-flag', '--model-map', 'x=y', '--log-level', 'silent'];
    const command = startInProcess(['bridge', '--upstream', server.url, '--wire', 'chat', ...flags], { home });
    const [, url = ''] = await command.until(/OPENAI_BASE_URL=(\S+)/);
    for (const model of ['gpt-5-mini', 'gpt-5.5', 'other', 'x', 'z']) {
      const body = JSON.stringify({ model, input: 'hi' });
      const response = await fetch(`${url}/responses`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      expect(await response.json()).toMatchObject({ status: 'completed', model });
    }
    expect(server.asked).toEqual(['of-flag', 'of-file', 'small', 'y', 'z']);
    command.signal('SIGTERM');
    expect((await command.result).code).toBe(0);
  });

  it.each([
    [['--model-map', 'gpt-5'], '', '--model-map wants PATTERN=NAME, e.g. \'gpt-5*=qwen3\', and not "gpt-5"'],
    [
      ['--model-map', 'a=b', '--mode', 'passthrough'],
      '',
      'passthrough leaves requests as they are: --model-map and [models] are not for it',
    ],
    [[], '[models]\na = 1\n', 'models.a must be a string'],
    [[], 'models = "a"\n', 'models must be a table'],
    [[], '[models.a]\nwindow = 1\n', 'unknown key "window"; did you mean context_window?'],
    [[], '[models.a]\ncontext_window = 0\n', 'models.a.context_window must be at least 1'],
    [[], '[models.a]\n', 'models.a is empty: it wants context_window, images, reasoning_levels'],
  ])('are refused where they cannot be read: %j %j', async (flags, toml, why) => {
    writeOwn(toml);
    const result = await runInProcess(['bridge', '--upstream', 'http://127.0.0.1:1', '--port', '0', ...flags], {
      home,
    });
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toContain(why);
  });
});
