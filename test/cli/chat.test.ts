import { describe, expect, it } from 'vitest';
import { resultOf, runInProcess, spawnCli } from './harness.ts';

const SCRIPTED = 'This is a scripted answer: no model was asked. You said: hi\n';
describe('chat without a terminal', () => {
  it.each([['chat'], []])('answers the prompt on stdin and ends: turnwire %s', async (...args) => {
    const { code, stdout, stderr } = await runInProcess(args, { stdin: 'hi\n' });
    expect(stdout).toBe(SCRIPTED);
    expect(stderr).toMatch(/^turnwire chat: .*scripted.*--base-url.*\n$/);
    expect(code).toBe(0);
  });

  it('says when there is no prompt', async () => {
    expect(await runInProcess([])).toEqual({
      code: 2,
      stdout: '',
      stderr: 'turnwire chat: no prompt: stdin is empty\n',
    });
  });

  it('works as a process: echo hi | turnwire', async () => {
    const child = spawnCli([]);
    child.stdin.end('hi\n');
    expect(await resultOf(child)).toMatchObject({ code: 0, stdout: SCRIPTED });
  });
});
