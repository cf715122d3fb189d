import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { compareReports, parseBaseline, type DoctorReport } from '../../turnwire/src/doctor/index.ts';
import { moreOften } from '../../turnwire/src/doctor/report/fisher.ts';
import { startMock } from '../../packages/testing/src/index.ts';
import { runInProcess } from '../cli/harness.ts';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'turnwire-doctor-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const quick = ['--wire', 'chat', '--timeout', '15000', '--hold', '300'];

describe('turnwire doctor --baseline', () => {
  it('fails for what got worse, says what got better, and takes known faults', async () => {
    const cwd = folder();
    await using before = await startMock({ faults: ['tool-index-reused', 'finish-then-hold'] });
    const old = await runInProcess(['doctor', before.url, '--json', ...quick], { cwd });
    writeFileSync(join(cwd, 'before.json'), old.stdout);
    const against = ['--baseline', 'before.json', ...quick];

    const same = await runInProcess(['doctor', before.url, ...against, '--junit', 'same.xml'], { cwd });
    expect([old.code, same.code]).toEqual([1, 0]);
    expect(same.stdout).toContain('Nothing changed since the report of before.');
    const xml = readFileSync(join(cwd, 'same.xml'), 'utf8');
    expect(xml).not.toContain('<failure');
    expect(xml).toContain('<skipped message="known: finish-then-hold"/>');

    await using after = await startMock({ faults: ['tool-index-reused', 'wrong-content-type', 'crlf'] });
    const changed = await runInProcess(['doctor', after.url, ...against, '--html', 'r.html', '--junit', 'r.xml'], {
      cwd,
    });
    expect(changed.code).toBe(1);
    const told = changed.stdout.slice(changed.stdout.indexOf('\nWorse\n'));
    expect(told).toMatch(
      /Worse\n {2}new fault on chat: wrong-content-type \(.*\)\nBetter\n {2}finish-then-hold on chat is gone\n/,
    );
    expect(told).toMatch(/New, and allowed\n {2}odd on chat: crlf \(lines end in CRLF\)\n/);
    expect(readFileSync(join(cwd, 'r.html'), 'utf8')).toContain('finish-then-hold on chat is gone');
    expect(readFileSync(join(cwd, 'r.xml'), 'utf8')).toMatch(
      /classname="baseline" name="new fault on chat: wrong-content-type/,
    );
  });

  it.each([
    [['--baseline', 'none.json'], /--baseline: cannot read none\.json: no such file/],
    [['--baseline', 'other.json'], /--baseline: other\.json is no report of turnwire doctor --json/],
    [['--json', '--markdown'], /--json and --markdown contradict each other/],
    [['--matrix', '--baseline', 'other.json'], /--matrix and --baseline contradict each other/],
    [['--matrix', '--env-key', 'KEY'], /--matrix takes keys from providers alone/],
  ])('says before anything is asked what is wrong with %j', async (args, message) => {
    const cwd = folder();
    writeFileSync(join(cwd, 'other.json'), '{"servers":[]}');
    const { code, stdout, stderr } = await runInProcess(['doctor', 'http://127.0.0.1:1', ...args], { cwd });
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
  });

  it('says that a page cannot be written, when the report has been told', async () => {
    await using mock = await startMock({ wire: 'chat' });
    const { code, stdout, stderr } = await runInProcess(['doctor', mock.url, ...quick, '--html', 'no/such/r.html']);
    expect(code).toBe(2);
    expect(stdout).toContain('model scripted');
    expect(stderr).toContain('turnwire doctor: --html: cannot write no/such/r.html: no such file\n');
  });
});

describe('turnwire doctor --matrix', () => {
  it('puts servers and providers into one table, each with its own key', async () => {
    const cwd = folder();
    await using good = await startMock({ wire: 'chat' });
    await using bad = await startMock({ wire: 'chat', faults: ['finish-then-hold'] });
    const table = `[model_providers.mine]\nbase_url = "${bad.baseUrl}"\nenv_key = "KEY"\nmodel = "tiny"\n`;
    writeFileSync(join(cwd, 'turnwire.toml'), table);
    const args = ['doctor', '--matrix', good.url, 'mine', '--trust-project', ...quick];
    const { code, stdout, stderr } = await runInProcess([...args, '--json'], { cwd, env: { KEY: 'very-secret' } });
    expect(code).toBe(1);
    const { servers } = JSON.parse(stdout) as { servers: DoctorReport[] };
    expect(servers.map(({ url, model, broken }) => [url, model, broken])).toEqual([
      [good.baseUrl, 'scripted', 0],
      [bad.baseUrl, 'tiny', 1],
    ]);
    expect([good.requests[0]?.headers.authorization, bad.requests[0]?.headers.authorization]).toEqual([
      undefined,
      'Bearer very-secret',
    ]);
    expect(stderr).toContain(`turnwire doctor: ${good.url}: chat, end: ok\n`);
  });
});

describe('what is more than chance', () => {
  it.each([
    [{ k: 1, n: 5 }, { k: 0, n: 5 }, false],
    [{ k: 4, n: 10 }, { k: 0, n: 10 }, true],
    [{ k: 8, n: 20 }, { k: 1, n: 20 }, true],
    [{ k: 1, n: 20 }, { k: 8, n: 20 }, false],
    [{ k: 5, n: 5 }, { k: 5, n: 5 }, false],
    [{ k: 3, n: 3 }, { k: 0, n: 0 }, false],
    [{ k: 60, n: 1000 }, { k: 30, n: 1000 }, true],
  ])('%j against %j: %j', (now, before, more) => {
    expect(moreOften(now, before)).toBe(more);
  });

  it('is worse, the other way round better', () => {
    const rate = { wire: 'chat', name: 'invalid-json', what: 'arguments that are no JSON object', n: 10 } as const;
    const report = (k: number): DoctorReport =>
      ({ findings: [], probes: [], rates: [{ ...rate, k }] }) as unknown as DoctorReport;
    const compare = (before: number, now: number) => {
      const baseline = parseBaseline(JSON.stringify(report(before)));
      if (baseline === undefined) throw new Error('no baseline');
      const { worse, better } = compareReports(baseline, report(now));
      return { worse, better };
    };
    const text = (now: string, before: string) => [
      { lost: now > before, text: `chat, ${rate.what}: ${now}, ${before} before` },
    ];
    expect(compare(0, 6)).toEqual({ worse: text('6 of 10 (60 %)', '0 of 10 (0 %)'), better: [] });
    expect(compare(6, 0)).toEqual({ worse: [], better: text('0 of 10 (0 %)', '6 of 10 (60 %)') });
    expect(compare(0, 1)).toEqual({ worse: [], better: [] });
  });
});
