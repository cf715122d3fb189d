import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createTextLog, type TextLogOptions } from '../../turnwire/src/cli/text-log.ts';
import { startCommand } from '../bridge/bridge-process.ts';
import { post } from '../bridge/harness.ts';
import { startModelServer } from '../bridge/model-server.ts';

const ESC = '\u001b';
const upstream = 'http://127.0.0.1:8080/v1';
const answered = { level: 30, time: 0, request: 'req_1', route: 'responses_sse', client: 'codex', model: 'gpt-5' };
const completed = { ...answered, upstream, status: 200, outcome: 'completed', ttft_ms: 120.4, ms: 2345, batches: 7 };

/** The lines without their times. */
function linesOf(entries: readonly object[], options: Partial<TextLogOptions> = {}): readonly string[] {
  let text = '';
  const log = createTextLog({ write: (line) => (text += line), colour: false, ...options });
  for (const entry of entries) log.write(`${JSON.stringify({ time: 0, ...entry })}\n`);
  expect(text).toMatch(/^(?:(?:\S{0,4}\d\d:\d\d:\d\d|\x20{9}).*\n)+$/);
  return text
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/\d\d:\d\d:\d\d /, ''));
}

describe('the log for people', () => {
  it('has one line for an answer: who, which model, where, how much, how long', () => {
    const usage = { input_tokens: 12_345, output_tokens: 67 };
    expect(linesOf([{ ...completed, ...usage, caller: 'ann', msg: 'response' }])).toEqual([
      `codex (ann)  gpt-5 → ${upstream}  12,345 in, 67 out  first 120 ms, total 2.3 s`,
    ]);
  });

  it('names what was healed in words once for each server', () => {
    const healed = { ...completed, msg: 'response', repairs: { no_finish_reason: 1, think_tags: 1 } };
    const line = `codex  gpt-5 → ${upstream}  first 120 ms, total 2.3 s  healed: `;
    expect(
      linesOf([
        { ...healed, repairs: { no_finish_reason: 1 } },
        healed,
        healed,
        { ...healed, upstream: 'http://b/v1', repairs: { think_tags: 2 } },
      ]),
    ).toEqual([
      `${line}no_finish_reason (the sentinel came without a finish_reason)`,
      `${line}think_tags (the reasoning was in the text, between tags), as before`,
      `${line}as before`,
      'codex  gpt-5 → http://b/v1  first 120 ms, total 2.3 s  healed: think_tags (the reasoning was in the text, between tags)',
    ]);
  });

  it('says how an answer failed, how often it was tried, and which request it was', () => {
    const failed = {
      ...answered,
      level: 40,
      upstream,
      outcome: 'connection_failed',
      attempts: 3,
      ms: 640,
      error: 'no',
    };
    expect(
      linesOf([
        { ...failed, msg: 'response' },
        { ...failed, attempts: undefined, outcome: 'aborted', error: undefined, msg: 'response' },
        {
          level: 40,
          upstream,
          fault: 'retry',
          kind: 'server_overloaded',
          status: 503,
          delay_ms: 200,
          error: 'full',
          msg: 'trying again',
        },
      ]),
    ).toEqual([
      `codex  gpt-5 → ${upstream}  connection_failed after 3 attempts  640 ms: no req_1`,
      `codex  gpt-5 → ${upstream}  the client left  640 ms`,
      `trying again in 200 ms after ${upstream}: 503 server_overloaded: full`,
    ]);
  });

  it('says who was refused what, and how many more there were', () => {
    const refused = { method: 'POST', path: '/v1/v1/responses', status: 404, code: 'not_found', route: 'other' };
    expect(
      linesOf([
        { ...refused, client: 'curl 8.5', error: 'there is no such thing', msg: 'refused' },
        { route: 'other', status: 404, code: 'not_found', times: 1234, msg: 'refused again' },
      ]),
    ).toEqual([
      'curl 8.5  POST /v1/v1/responses  refused 404: there is no such thing',
      'refused 404 1,234 more times within a minute (other)',
    ]);
  });

  it('has any other message with its fields', () => {
    expect(
      linesOf([
        { level: 40, upstream, state: 'down', error: 'why', msg: 'the upstream does not answer' },
        { level: 30, msg: 'shutting down' },
      ]),
    ).toEqual([`the upstream does not answer (why) upstream=${upstream} state=down`, 'shutting down']);
  });

  it('lets no stranger write to the terminal, whatever field it is in', () => {
    const evil = '\u001b[2Jx\n\u202ey';
    const fields = { client: evil, caller: evil, model: evil, upstream: evil, outcome: evil, path: evil, error: evil };
    for (const msg of ['response', 'refused', 'trying again', 'refused again', evil]) {
      const text = linesOf([{ ...fields, repairs: { [evil]: 1 }, route: evil, msg }]).join('\n');
      expect(text).toContain(String.raw`\u{1b}[2Jx\n\u{202e}y`);
      for (const hidden of [ESC, '\u202e', 'x\n']) expect(text).not.toContain(hidden);
    }
  });

  it('has colours where it may, and breaks a line with an indent', () => {
    const [line] = linesOf([{ ...answered, upstream, outcome: 'timeout', ms: 5, msg: 'response', error: 'e' }], {
      colour: true,
    });
    expect(line).toContain('\u001b[31mtimeout\u001b[39m');
    expect(linesOf([{ msg: 'aaa bbb' }], { wrap: (text) => [text.slice(0, 12), text.slice(13)] })[1]).toBe(
      '         bbb',
    );
  });
});

describe('turnwire bridge --log-format', () => {
  const ask = async (url: string): Promise<void> => {
    const agent = { headers: { 'user-agent': 'codex_cli_rs/0.50.0' } };
    await (await post({ url }, '/v1/responses', { model: 'm', input: 'hi', stream: true }, agent)).text();
  };

  it('is JSON in a pipe, and text where that is asked for, by a variable too', async () => {
    await using server = await startModelServer({ list: ['m'] });
    const flags = ['--upstream', server.url, '--wire', 'chat'];
    const logs = [{}, { TURNWIRE_LOG_FORMAT: 'text' }].map(async (env) => {
      const command = await startCommand(flags, env);
      await ask(command.url);
      expect(await command.end()).toBe(0);
      return command.stderr();
    });
    const [json = '', text] = await Promise.all(logs);
    expect(JSON.parse(json)).toMatchObject({
      msg: 'response',
      client: 'codex',
      model: 'm',
      outcome: 'completed',
    });
    expect(text).toMatch(/^\d\d:\d\d:\d\d codex {2}m → http:\/\/127\.0\.0\.1:\d+\/v1 {2}first \d+ ms, total \d+ ms\n$/);
  });

  // util-linux: a terminal of 60 columns around a command.
  it.runIf(process.platform === 'linux' && existsSync('/usr/bin/script')).each([
    [{}, true],
    [{ NO_COLOR: '1' }, false],
  ])('is for people on a terminal, within its width (%j: colours %s)', async (env, colours) => {
    await using server = await startModelServer();
    const main = new URL('../../turnwire/src/cli/main.ts', import.meta.url).pathname;
    const bridge = `stty cols 60; exec ${process.execPath} ${main} bridge --port 0 --upstream ${server.url} --wire chat --log-level info`;
    const child = spawn('/usr/bin/script', ['-qec', bridge, '/dev/null'], {
      env: { PATH: process.env.PATH, TERM: 'xterm', ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (chunk) => (text += String(chunk)));
    const until = async (found: RegExp): Promise<string> => {
      for (;;) {
        const match = found.exec(text);
        if (match !== null) return match[1] ?? match[0];
        await once(child.stdout, 'data');
      }
    };
    const url = await until(/OPENAI_BASE_URL=(\S+)\/v1/);
    await ask(url);
    const line = await until(/\d\d:\d\d:\d\d\P{L}*m? codex[^]*?total[^]*?\n/u);
    child.stdin.write('\u0003');
    await once(child, 'exit');
    expect(line.includes('\u001b[')).toBe(colours);
    const shown = stripVTControlCharacters(line).trimEnd().split('\r\n');
    expect(shown.length).toBeGreaterThan(1);
    for (const row of shown) expect(row.length).toBeLessThanOrEqual(60);
    expect(shown.slice(1).every((row) => row.startsWith(' '.repeat(9)))).toBe(true);
  });
});
