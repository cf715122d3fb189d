/**
 * Makes the pictures of the docs anew, from scripted servers and a real bridge: `npm run docs:pictures`, or some of them:
 * `npm run docs:pictures -- terminal`. Needs Chromium and tmux.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { pageFiles } from '@turnwire/inspector';
import { createBridge } from '../../packages/bridge/src/index.ts';
import { scenario, startMock } from '../../packages/testing/src/index.ts';
import { playScenes } from '../day/gallery.ts';
import { terminalPage } from '../day/terminal-page.ts';
import { skip as noTerminal } from '../terminal/chat-in-tmux.ts';
import { launch, openPage, skip } from './page.mjs';
import { smallerPng } from './smaller-png.ts';

const root = join(import.meta.dirname, '..', '..');
const out = join(root, 'docs', 'pictures');
/** Most of one picture. */
const MOST_BYTES = 150_000;
const SIZE = { width: 1200, height: 640 };

const question = 'Why does the test of the parser hang?';
const text =
  'It waits for the end of the body, and the server keeps the connection open. The answer was complete long before: the finish reason had come, ' +
  'and nobody looked. Read the stream until the model says that it is over, and let the rest go.';

for (const why of [skip, noTerminal]) if (why !== false) throw new Error(why);
mkdirSync(out, { recursive: true });
const folder = mkdtempSync(join(tmpdir(), 'turnwire-pictures-'));
const browser = await launch();
try {
  const wanted = process.argv.slice(2);
  const takers = { inspector: takeInspector, report: takeReport, terminal: takeTerminal };
  for (const [name, take] of Object.entries(takers)) if (wanted.length === 0 || wanted.includes(name)) await take();
} finally {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
}

async function takeTerminal() {
  await playScenes(async (scene, tmux) => shootPage(`terminal-${scene}.png`, await terminalPage(tmux)));
}

async function takeInspector() {
  const answer = (paceMs) => scenario('answer').text(text).pace({ delayMs: 120, paceMs });
  const mocks = await Promise.all([
    startMock({ wire: 'chat', scenario: answer(4), faults: ['tool-index-missing', 'usage-in-choice'] }),
    startMock({ wire: 'responses', scenario: answer(9) }),
    startMock({ wire: 'chat', scenario: answer(25), faults: ['stall-after:24'] }),
    startMock({ wire: 'chat', scenario: answer(12), faults: ['finish-then-hold'] }),
    startMock({ wire: 'chat', scenario: answer(4), faults: ['retry-after:10'] }),
  ]);
  const models = ['gpt-oss:20b', 'qwen3-coder:30b', 'devstral:24b', 'glm-4.6-air', 'kimi-k2'];
  const bridge = createBridge({
    upstreams: mocks.map(({ url }, at) => ({ url, models: [models[at]], usageGraceMs: 60_000 })),
    wire: 'auto',
    requestMaxRetries: 1,
    port: 0,
    inspect: { page: pageFiles(), token: 'token-of-the-page' },
  });
  await bridge.listen();
  const stop = new AbortController();
  const clients = ['codex_cli_rs/0.169.0', 'claude-cli/2.1.4 (external, cli)', 'OpenAI/JS 7.55.0'];
  const ask = (model, at = 0) =>
    fetch(`${bridge.url}/v1/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': clients[at % clients.length] },
      body: JSON.stringify({ model, stream: true, instructions: 'You are a coding agent. Be short.', input: question }),
      signal: stop.signal,
    })
      .then((response) => response.text())
      .catch(() => undefined);
  try {
    await using view = await openPage(browser, bridge.inspectUrl, SIZE);
    const { page } = view;
    for (let at = 0; at < 8; at++) await ask(models[at % 2], at);
    void ask(models[3], 1);
    void ask(models[2], 0);
    await pause(6000);
    void ask(models[4], 1);
    void ask(models[1], 2);
    await page.locator('[data-id] .why', { hasText: '429' }).waitFor();
    await pause(1500);
    await shoot(page, 'inspector.png');
    await page.locator('[data-id]', { hasText: 'devstral' }).click();
    await page.getByRole('button', { name: /s silent from/ }).waitFor();
    await shoot(page, 'inspector-exchange.png');
    await takeTop(bridge.url);
  } finally {
    stop.abort();
    await bridge.close();
    await Promise.all(mocks.map((mock) => mock.close()));
  }
}

async function takeTop(url) {
  const { stdout } = await turnwire('top', '--url', url, '--once');
  const escaped = stdout.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  await shootPage(
    'top.png',
    `<!doctype html><meta charset="utf-8"><style>body{margin:0;background:#16181c;color:#e6e8eb}pre{margin:0;padding:18px;font:13px/1.5 monospace;width:max-content}</style><pre>$ turnwire top\n${escaped}</pre>`,
  );
}

/** What a terminal shows, as a page of this script's own. */
async function shootPage(name, html) {
  const page = await browser.newPage({ viewport: { width: 1400, height: 400 } });
  await page.setContent(html);
  save(name, await page.locator('pre').screenshot());
  await page.close();
}

async function takeReport() {
  await using mock = await startMock({
    wire: 'chat',
    faults: ['finish-then-hold', 'tool-index-missing', 'usage-in-choice'],
  });
  const file = join(folder, 'report.html');
  await turnwire('doctor', mock.url, '--html', file);
  const page = await browser.newPage({ viewport: SIZE });
  await page.goto(pathToFileURL(file).href);
  save('doctor-report.png', await page.screenshot());
  await page.close();
}

async function turnwire(...args) {
  const main = join(root, 'turnwire', 'src', 'cli', 'main.ts');
  const child = spawn(process.execPath, ['--conditions=@turnwire/source', main, ...args], {
    env: { PATH: process.env.PATH, HOME: folder, NO_COLOR: '1', COLUMNS: '130' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let stdout = '';
  child.stdout.on('data', (bytes) => (stdout += bytes));
  await once(child, 'close');
  return { stdout };
}

async function shoot(page, name) {
  save(name, await page.screenshot());
}

function save(name, png) {
  const picture = smallerPng(png);
  if (picture.length > MOST_BYTES) throw new Error(`${name} has ${picture.length} bytes, more than ${MOST_BYTES}`);
  writeFileSync(join(out, name), picture);
  console.log(`docs/pictures/${name}: ${picture.length} bytes`);
}
