import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pageFiles } from '@turnwire/inspector';
import { createBridge } from '../../packages/bridge/src/index.ts';
import { scenario, startMock } from '../../packages/testing/src/index.ts';
import { launch, openPage, pictures, skip } from './page.mjs';

const text = 'It waits, since nobody says that it is over.';

/** Three servers that keep a client waiting, each in its own way, and a bridge that asks each for its own model. */
async function startAll() {
  const answer = scenario('answer').text(text);
  const mocks = await Promise.all(
    [['finish-then-hold'], ['stall-after:3'], ['retry-after:10']].map((faults) =>
      startMock({ wire: 'chat', scenario: answer, faults }),
    ),
  );
  const [holds, stalls, limits] = mocks;
  const bridge = createBridge({
    upstreams: [
      // As if the bridge did not end the answer for it.
      { url: holds.url, models: ['holds'], usageGraceMs: 60_000 },
      { url: stalls.url, models: ['stalls'] },
      { url: limits.url, models: ['limits'] },
    ],
    wire: 'chat',
    requestMaxRetries: 1,
    port: 0,
    inspect: { page: pageFiles(), token: 'token-of-the-page' },
  });
  await bridge.listen();
  const stop = new AbortController();
  const ask = (model) =>
    fetch(`${bridge.url}/v1/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'codex_cli_rs/0.169.0' },
      body: JSON.stringify({ model, stream: true, input: 'Why do you wait?' }),
      signal: stop.signal,
    })
      .then((response) => response.text())
      .catch(() => undefined);
  return {
    bridge,
    servers: { holds: hostOf(holds), stalls: hostOf(stalls), limits: hostOf(limits) },
    ask,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await bridge.close();
      await Promise.all(mocks.map((mock) => mock.close()));
    },
  };
}

function hostOf({ url }) {
  return new URL(url).host;
}

describe('the inspector of a real bridge', { skip }, () => {
  let browser;
  before(async () => (browser = await launch()));
  after(() => browser.close());

  void test('tells why an agent waits, and for which server', async () => {
    await using all = await startAll();
    await using view = await openPage(browser, all.bridge.inspectUrl);
    const { page, told } = view;
    await page.getByText('No exchange yet.').waitFor();
    for (const model of ['holds', 'stalls', 'limits']) void all.ask(model);
    const row = (model) => page.locator('[data-id]', { has: page.locator('.of-model', { hasText: model }) });
    const why = async (model, words) => {
      const line = row(model).locator('.why').filter({ hasText: words });
      await line.waitFor();
      return line.innerText();
    };
    const { holds, stalls, limits } = all.servers;
    assert.match(await why('limits', '429'), /^429 from .*, retry in \d+(\.\d)? s$/);
    assert.match(await why('holds', 'finished'), /^answer finished \d+(\.\d)? s ago, waiting for usage from /);
    assert.match(await why('stalls', 'no byte'), /^no byte from .* for \d+(\.\d)? s$/);
    for (const [model, server] of [
      ['holds', holds],
      ['stalls', stalls],
      ['limits', limits],
    ]) {
      assert.ok((await row(model).locator('.of-upstream').innerText()).includes(server), `${model}: ${server}`);
      assert.ok((await row(model).locator('.why').innerText()).includes(server));
      assert.equal(await row(model).locator('.of-client').innerText(), 'codex');
    }
    await page.screenshot({ path: join(pictures, 'bridge-list.png') });

    await row('holds').click();
    await page.getByRole('button', { name: /held open after the end of the answer/ }).waitFor();
    assert.equal(await page.locator('.block.assistant .text').innerText(), text);
    await page.screenshot({ path: join(pictures, 'bridge-holds.png') });
    await page.keyboard.press('Escape');
    await row('stalls').click();
    await page.getByRole('button', { name: /\d s silent from/ }).waitFor();
    await page.getByText('Why do you wait?').waitFor();
    await page.keyboard.press('Escape');
    await row('limits').click();
    await page.getByRole('button', { name: /^waited .* as the server asked \(429\)/ }).waitFor();
    await page.getByRole('tab', { name: 'Bytes and events' }).click();
    await page.locator('.note.bad', { hasText: 'answers 429' }).waitFor();
    assert.deepEqual(told, []);
  });

  void test('shows an answer that ended well to its last byte, as a tape and as curl', async () => {
    const words = scenario('answer').reasoning('Hm.').toolCall('get_weather', { city: 'Oslo' });
    await using mock = await startMock({ wire: 'chat', scenario: words });
    await using bridge = createBridge({
      upstreams: [mock.url],
      wire: 'chat',
      port: 0,
      inspect: {
        page: pageFiles(),
        token: 'token-of-the-page',
        toTape: (records) => `${JSON.stringify(records.length)}\n`,
      },
    });
    await bridge.listen();
    const tools = [{ type: 'function', name: 'get_weather', parameters: { type: 'object' } }];
    await fetch(`${bridge.url}/v1/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer SECRET-OF-THE-CALLER' },
      body: JSON.stringify({ model: 'm', stream: true, input: 'How is it?', tools }),
    }).then((response) => response.text());
    await using view = await openPage(browser, bridge.inspectUrl);
    const { page, told } = view;
    await page.locator('[data-id] .state.good').click();
    assert.equal(await page.locator('.block.reasoning .text').innerText(), 'Hm.');
    assert.equal(await page.locator('.block.call h3 code').innerText(), 'get_weather');
    assert.equal(await page.locator('.block.call .text').innerText(), '{"city":"Oslo"}');
    await page.getByRole('tab', { name: 'Bytes and events' }).click();
    await page.locator('.lines').evaluate((lines) => (lines.scrollTop = lines.scrollHeight));
    await page.locator('.lines .note', { hasText: 'end: completed' }).waitFor();
    const search = page.getByRole('searchbox', { name: 'Search in bytes and events' });
    await search.fill('response.completed');
    await page.getByText(/^1 of \d/).waitFor();
    await page.getByRole('button', { name: 'Copy as curl' }).click();
    await page.getByRole('button', { name: 'Copied' }).waitFor();
    const curl = await page.evaluate(() => globalThis.navigator.clipboard.readText());
    assert.match(curl, /^curl /);
    assert.doesNotMatch(curl, /SECRET/);
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Save as tape' }).click();
    assert.match((await download).suggestedFilename(), /tape|jsonl/);
    assert.deepEqual(told, []);
  });
});
