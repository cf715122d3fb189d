import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  examine,
  formatJUnit,
  formatMarkdown,
  formatMatrix,
  formatPage,
  formatReport,
  type DoctorReport,
} from '../../turnwire/src/doctor/index.ts';
import { scenario, startMock } from '../../packages/testing/src/index.ts';

const facts = { at: '2026-11-27T03:00:00.000Z', version: '0.1.0' };
const three = ['finish-then-hold', 'tool-index-reused', 'wrong-content-type'];

let report: DoctorReport;
let clean: DoctorReport;

beforeAll(async () => {
  await using mock = await startMock({ faults: three });
  await using good = await startMock();
  const options = { wires: ['chat'], timeoutMs: 1500, holdMs: 400, repeat: 2 } as const;
  report = await examine({ url: mock.url, apiKey: 'a-very-secret-key', ...options });
  clean = await examine({ url: good.url, ...options });
}, 30_000);

function unescaped(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');
}

describe('the report of a server with three faults', () => {
  it('names three', () => {
    const broken = report.findings.filter(({ level }) => level === 'broken').map(({ quirk }) => quirk);
    expect([...broken].sort()).toEqual([...three].sort());
    expect(report.broken).toBe(3);
  });

  it('counts four outcomes, and what was not run', () => {
    const { checks, pass, fault, model, 'not-offered': absent, 'not-run': skipped } = report.tally;
    expect([pass + fault, model, absent, skipped]).toEqual([checks, 0, 0, 0]);
    expect(report.probes.filter(({ outcome }) => outcome === 'fault').map(({ name }) => name)).toEqual(
      expect.arrayContaining(['answer', 'end', 'parallel calls']),
    );
    expect(formatReport(report)).toContain(
      `${checks} checks: ${pass} pass, ${fault} fault, 0 model did not do it, 0 not offered, 0 not run; 3 broken`,
    );
  });

  it('shows the bytes of each, and marks those without which it would not be there', () => {
    const evidence = (quirk: string) => report.findings.find((finding) => finding.quirk === quirk)?.evidence;
    const marked = (quirk: string) =>
      evidence(quirk)?.lines.flatMap((line) => ('marked' in line && line.marked ? [line.text] : []));
    expect(marked('finish-then-hold')).toEqual([
      expect.stringContaining(String.raw`"finish_reason":"stop"}],"usage":null}\n\n`),
    ]);
    expect(marked('tool-index-reused')).toEqual([
      expect.stringContaining('"index":0,"id":"call_mock_5_1"'),
      expect.stringContaining('"index":0,"id":"call_mock_5_2"'),
    ]);
    expect(evidence('finish-then-hold')).toMatchObject({
      request: { method: 'POST', target: '/v1/chat/completions' },
      status: 200,
      end: 'client-left',
    });
    expect(JSON.parse(evidence('finish-then-hold')?.request.body ?? '')).toMatchObject({ stream: true });
  });

  it('says how the server could be mended, and under which names the bridge heals it', () => {
    expect(report.findings.find(({ quirk }) => quirk === 'tool-index-reused')).toMatchObject({
      mend: 'count index up with each call of an answer',
      repairs: ['reused_tool_index'],
      clients: expect.arrayContaining([
        expect.objectContaining({ client: 'AI SDK 7', outcome: 'gets the answer' }),
        expect.objectContaining({ client: 'pi-ai 1.5', outcome: 'not measured' }),
      ]) as unknown,
    });
  });

  it('counts over and over what is random', () => {
    expect(clean.rates.map(({ wire, name, k, n }) => [wire, name, k, n])).toEqual([
      ['chat', 'failed', 0, 4],
      ['chat', 'no-call', 0, 4],
      ['chat', 'invalid-json', 0, 4],
      ['chat', 'unknown-name', 0, 4],
      ['chat', 'schema-mismatch', 0, 4],
      ['chat', 'missing-id', 0, 2],
      ['chat', 'missing-usage', 0, 4],
      ['chat', 'stream-differs', 0, 2],
    ]);
    expect(report.rates.find(({ name }) => name === 'missing-usage')).toMatchObject({ k: 2, n: 4 });
    expect(formatReport(report)).toMatch(/chat +no usage +2 of 4 \(50 %\)/);
  });

  it('holds no key in any form', () => {
    const forms = [
      formatPage([report], facts),
      formatMarkdown([report], facts),
      formatJUnit([report]),
      JSON.stringify(report),
    ];
    for (const form of forms) expect(form).not.toContain('a-very-secret-key');
  });
});

describe('the page', () => {
  it('fetches nothing and runs nothing: its policy allows its own style alone', () => {
    const page = formatPage([report], facts);
    const style = /<style>([^]*)<\/style>/.exec(page)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    const policy = unescaped(/Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1] ?? '');
    expect(policy).toBe(`default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`);
    expect(page).not.toMatch(/<(script|link|img|iframe|object|form|base)\b|\son\w+=|\sstyle=|url\(|@import/i);
    expect(page.match(/<style/g)).toHaveLength(1);
  });

  it('has a card for each fault, with its proof, its clients and its cure', () => {
    const page = unescaped(formatPage([report], facts));
    for (const name of three) expect(page).toMatch(new RegExp(`<article class="card broken"[^]*?<code>${name}</code>`));
    expect(page).toContain('curl -sN ');
    expect(page).toContain('end the body right after the last event, and wait for nothing');
    expect(page).toMatch(/Not measured: .*pi-ai 1\.5/);
  });

  it('shows several servers side by side first', () => {
    const page = formatPage([clean, report], facts);
    expect(page).toContain('<title>turnwire doctor: 2 servers</title>');
    expect(page.indexOf('BROKEN finish-then-hold')).toBeGreaterThan(0);
    const table = formatMatrix([clean, report]);
    expect(table).toMatch(/Chat Completions: end +ok +BROKEN/);
    expect(table).toMatch(/B {2}finish-then-hold \(Chat Completions: end\)/);
    expect(table).toMatch(/fault +0 +\d+/);
  });
});

describe('what a server says', () => {
  const evil =
    '</style></pre></title><script>alert(1)</script><img src=x onerror=alert(1)> ```\n| a | ]]> \u202e \u0000 @you';

  const hidden = /\p{Cf}|(?=\p{Cc})[^\n]/u;

  it('is text in every form', async () => {
    const server = createServer((_req, res) => {
      const body = JSON.stringify({ error: { message: evil }, data: [{ id: evil }] });
      res.writeHead(418, { 'content-type': 'application/json', 'x-evil': '<script>alert(2)</script>' }).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const told = await examine({ url: `http://127.0.0.1:${port}`, timeoutMs: 1000, holdMs: 100 });
    await new Promise((resolve) => server.close(resolve));
    expect(told.findings.some(({ seen }) => seen.includes('<script>'))).toBe(true);

    const page = formatPage([told, told], facts);
    expect(page).not.toMatch(/<script|<img/);
    expect(page).not.toMatch(hidden);

    const markdown = formatMarkdown([told], facts);
    expect(markdown.replaceAll(/^(`{3,})[^]*?^\1$/gm, '').replaceAll(/(`+)[^\n]*?\1/g, '')).not.toMatch(
      /(?<!\\)<(script|img)|(?<!\\)\| a/,
    );
    expect(markdown.replaceAll(/@\u2060/g, '@')).not.toMatch(hidden); // which keeps a name from being called

    const junit = formatJUnit([told]);
    expect(junit).not.toMatch(/<script|]]>/);
    expect(junit).not.toMatch(hidden);
    expect(formatReport(told)).not.toMatch(hidden);
  });
});

describe('JUnit', () => {
  it('has a test for each check, and a failure for each fault', () => {
    const xml = formatJUnit([report]);
    expect(xml.match(/<testcase /g)).toHaveLength(report.tally.checks);
    expect(xml.match(/<failure /g)).toHaveLength(report.tally.fault);
    expect(xml).toMatch(/name="end"><failure message="finish-then-hold">finish-then-hold: over after/);
    const counts = [...xml.matchAll(/tests="(\d+)" failures="(\d+)"/g)].map(([, tests, failures]) => [
      Number(tests),
      Number(failures),
    ]);
    expect(counts.reduce((sum, [tests = 0]) => sum + tests, 0)).toBe(report.tally.checks);
  });
});

describe('a server that offers little', () => {
  it('is told what it does not offer apart from what is wrong', async () => {
    await using mock = await startMock({ wire: 'chat' });
    const { tally, probes } = await examine({ url: mock.url, timeoutMs: 15_000, holdMs: 100 });
    expect(tally.fault).toBe(0);
    expect(tally['not-offered']).toBe(probes.filter(({ wire }) => wire !== 'chat' && wire !== 'server').length);
    expect(formatJUnit([{ ...clean, probes }])).toContain('<skipped message="not offered: this wire is not served"/>');
  });

  it('is not blamed for a model that takes no images, whatever its status says (llama.cpp: 500)', async () => {
    await using mock = await startMock({ wire: 'chat' });
    const server = createServer((req, res) => {
      void (async () => {
        let body = '';
        for await (const data of req) body += String(data);
        if (body.includes('image_url')) {
          const message =
            'image input is not supported - hint: if this is unexpected, you may need to provide the mmproj';
          res
            .writeHead(500, { 'content-type': 'application/json' })
            .end(JSON.stringify({ error: { code: 500, message } }));
          return;
        }
        const answer = await fetch(`${mock.url}${req.url ?? ''}`, {
          method: req.method ?? 'GET',
          ...(body === '' ? {} : { body, headers: { 'content-type': 'application/json' } }),
        });
        res.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
        res.end(Buffer.from(await answer.arrayBuffer()));
      })();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { probes, broken } = await examine({ url, wires: ['chat'], timeoutMs: 15_000, holdMs: 100 });
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    const image = probes.find(({ name }) => name === 'image');
    expect([broken, image?.outcome, image?.findings.map(({ quirk }) => quirk)]).toEqual([
      0,
      'not-offered',
      ['image-refused'],
    ]);
  });

  it('is told what its model did not do apart from both', async () => {
    await using mock = await startMock({ scenario: scenario().text('I only talk.') });
    const { probes } = await examine({ url: mock.url, wires: ['chat'], timeoutMs: 15_000, holdMs: 100 });
    const undone = probes.filter(({ outcome }) => outcome === 'model').map(({ name }) => name);
    expect(undone).toEqual(['tool call', 'parallel calls', 'json schema', 'reasoning']);
  });
});
