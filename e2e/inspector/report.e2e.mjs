import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { startMock } from '../../packages/testing/src/index.ts';
import { runProgram } from '../run-program.ts';
import { accessibilityFaults, launch, openPage, overflow, pictures, skip } from './page.mjs';

const three = ['finish-then-hold', 'tool-index-reused', 'wrong-content-type'];
const main = join(import.meta.dirname, '..', '..', 'turnwire', 'src', 'cli', 'main.ts');

/** What a page would show, run or fetch if any of it were more than text. */
const hostile = `</span></pre><h1 id="planted">Not a report</h1><script>alert(1)</script><img src="http://127.0.0.1:9/x" onerror="alert(2)">`;

/** Answers everything with markup, and never as it should. */
async function startHostile() {
  const server = createServer((request, response) => {
    request.resume();
    const chunk = { choices: [{ index: 0, delta: { content: hostile } }] };
    response.writeHead(200, { 'content-type': 'text/event-stream', 'x-told': hostile });
    response.end(`data: ${JSON.stringify(chunk)}\n\ndata: ${hostile}\n\n`);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

/** As a person makes it; the faults end the program with 1. */
async function examine(folder, name, url, ...more) {
  const file = join(folder, `${name}.html`);
  const flags = ['--wire', 'chat', '--hold', '500', '--html', file, ...more];
  const args = ['--conditions=@turnwire/source', main, 'doctor', url, ...flags];
  const { code, stderr } = await runProgram({ command: process.execPath, args, cwd: folder, env: { HOME: folder } });
  assert.equal(code, 1, stderr);
  return file;
}

describe('the report of the doctor', { skip }, () => {
  let browser;
  let folder;
  let report;
  let ofHostile;
  before(async () => {
    browser = await launch();
    folder = await mkdtemp(join(tmpdir(), 'turnwire-report-'));
    const [mock, server] = await Promise.all([startMock({ faults: three }), startHostile()]);
    try {
      report = await examine(folder, 'three', mock.url);
      ofHostile = await examine(folder, 'hostile', server.url, '--model', hostile);
    } finally {
      server.close();
      await mock.close();
    }
  });
  after(async () => {
    await browser.close();
    await rm(folder, { recursive: true });
  });

  async function opened(file, options) {
    const url = pathToFileURL(file).href;
    return openPage(browser, url, { own: url, ...options });
  }

  for (const [width, height, scheme] of [
    [390, 844, 'dark'],
    [1280, 800, 'light'],
  ]) {
    void test(`fits ${width} pixels, can be read by all, and asks nobody for anything (${scheme})`, async () => {
      await using view = await opened(report, { width, height, scheme });
      const { page, told } = view;
      await page.screenshot({ path: join(pictures, `report-${width}-${scheme}.png`), fullPage: true });
      await page.locator('details').evaluateAll((all) => all.forEach((one) => (one.open = true)));
      assert.equal(await overflow(page), 0);
      assert.deepEqual(await accessibilityFaults(page), []);
      const background = await page.evaluate(() => globalThis.getComputedStyle(document.body).backgroundColor);
      assert.equal(background, scheme === 'dark' ? 'rgb(18, 22, 29)' : 'rgb(246, 247, 249)');
      assert.deepEqual(told, []);
    });
  }

  void test('names the three faults of a server with three, each with the bytes that show it', async () => {
    await using view = await opened(report);
    const cards = view.page.locator('.card.broken');
    assert.deepEqual((await cards.locator('h3').allInnerTexts()).sort(), three);
    for (const card of await cards.all()) assert.ok((await card.locator('.bytes li').count()) > 1);
    assert.deepEqual(await view.page.locator('.tiles .fault b').allInnerTexts(), [
      String(await view.page.locator('tbody td.fault').count()),
    ]);
  });

  void test('reaches every card by keyboard, and goes to the one whose name is chosen', async () => {
    await using view = await opened(report);
    const { page } = view;
    const all = await page.locator('.card').evaluateAll((cards) => cards.map(({ id }) => id));
    const reached = await cardsByKeyboard(page);
    assert.deepEqual(reached, all);
    await page.locator('.card.broken h3 a').last().focus();
    await page.keyboard.press('Enter');
    const [target] = await page.locator('.card:target').evaluateAll((cards) => cards.map(({ id }) => id));
    assert.equal(target, await page.locator('.card.broken').last().getAttribute('id'));
  });

  void test('shows as text what a server and a person wrote, whatever it looks like', async () => {
    assert.ok((await readFile(ofHostile, 'utf8')).includes('&lt;script&gt;'));
    await using view = await opened(ofHostile);
    const { page, told } = view;
    await page.locator('details').evaluateAll((list) => list.forEach((one) => (one.open = true)));
    const count = (selector) => page.locator(selector).count();
    assert.deepEqual([await count('#planted'), await count('script'), await count('img')], [0, 0, 0]);
    const seen = await page.locator('body').innerText();
    assert.ok(seen.includes(`Model ${hostile}.`), 'the name of the model');
    assert.ok(await page.locator('.bytes', { hasText: '<script>alert(1)</script>' }).count(), 'what the server sent');
    assert.ok(await page.locator('pre', { hasText: `x-told: ${hostile}` }).count(), 'its headers');
    assert.equal(await overflow(page), 0);
    assert.deepEqual(told, []);
  });
});

/** The ids of the cards that the tabulator goes into, in its order; what can be opened is opened. */
async function cardsByKeyboard(page) {
  const reached = [];
  for (;;) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(() => {
      const { activeElement: on } = document;
      if (on === null || on === document.body) return undefined;
      return { card: on.closest('.card')?.id, isClosed: on.matches('details:not([open]) > summary') };
    });
    if (at === undefined) return reached;
    if (at.isClosed) await page.keyboard.press('Enter');
    if (at.card !== undefined && !reached.includes(at.card)) reached.push(at.card);
  }
}
