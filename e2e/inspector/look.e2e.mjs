import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { FixtureServer } from './fixture-server.ts';
import { beginning, chunkAt, deltaAt, ending, messageBegins, rowOf } from './made-up.ts';
import { accessibilityFaults, launch, openPage, overflow, pictures, skip } from './page.mjs';

const words =
  'The function reads the body until its end, and nobody has said when that is: so it waits for ever. '.split(/(?<= )/);
const running = { endedAt: undefined, finishedAt: undefined, outputTokens: undefined };

function fill(fixture) {
  const now = Date.now();
  const models = ['gpt-oss:20b', 'qwen3-coder:30b', 'claude-sonnet-5'];
  const servers = ['llama.cpp', 'vllm-1', 'vllm-2'];
  const clients = ['codex', 'claude-code', 'openai-js 7.5'];
  const repairs = [{ no_finish_reason: 1 }, {}, { think_tags: 1, usage_refused: 1 }, {}, {}];
  const error = { kind: 'overloaded', message: '503 Service Unavailable: the model is loading' };
  for (let at = 0; at < 60; at++) {
    const startedAt = now - 600_000 + at * 9000;
    const failed = at % 11 === 3 ? { state: 'failed', status: 503, error, firstEventAt: undefined } : {};
    const given = {
      model: models[at % 3],
      upstream: servers[(at >> 1) % 3],
      client: clients[at % 3],
      outputTokens: 100 + ((at * 7) % 300),
    };
    fixture.put([
      rowOf(`req_${at}`, {
        startedAt,
        firstEventAt: startedAt + 200 + ((at * 137) % 900),
        repairs: repairs[at % 5],
        ...given,
        ...failed,
      }),
    ]);
  }
  const stalled = now - 16_000;
  fixture.put(
    [
      rowOf('stalled', {
        startedAt: stalled,
        state: 'streaming',
        upstream: 'vllm-2',
        lastByteAt: stalled + 3600,
        lastEventAt: stalled + 3600,
        deltas: 52,
        ...running,
      }),
    ],
    [
      ...beginning('Why does this function hang?'),
      messageBegins(420),
      ...[...words, ...words].flatMap((word, at) => deltaAt(430 + at * 75, word)),
    ],
  );
  const held = now - 34_000;
  fixture.put(
    [
      rowOf('held', {
        startedAt: held,
        state: 'finishing',
        ...running,
        finishedAt: held + 4200,
        awaits: 'usage',
        repairs: { no_finish_reason: 1 },
      }),
    ],
    [
      ...beginning('Say hello.'),
      messageBegins(420),
      ...words.flatMap((word, at) => deltaAt(430 + at * 150, word)),
      { t: 4100, kind: 'repair', repair: 'no_finish_reason' },
      chunkAt(4200, 'data: [DONE]\n\n'),
    ],
  );
  const done = now - 60_000;
  fixture.put(
    [rowOf('done', { startedAt: done, finishedAt: done + 8990, endedAt: done + 9000 })],
    [
      ...beginning('Compute it.'),
      messageBegins(420),
      ...words.flatMap((word, at) => deltaAt((at < 9 ? 430 : 5500) + at * 60, word)),
      ...ending(8990, words.join('')),
    ],
  );
}

/** Each view by the end of its address. */
const views = {
  list: '',
  exchange: '#exchange=stalled',
  bytes: '#exchange=held',
  compare: '#exchange=done&with=stalled',
  plots: '#plots',
};

describe('how the page looks', { skip }, () => {
  let browser;
  let fixture;
  before(async () => {
    browser = await launch();
    fixture = await FixtureServer.start();
    fill(fixture);
  });
  after(async () => {
    await browser.close();
    await fixture[Symbol.asyncDispose]();
  });

  for (const [width, height, scheme] of [
    [390, 844, 'dark'],
    [1280, 800, 'light'],
    [1280, 800, 'dark'],
    [2560, 1300, 'light'],
  ]) {
    void test(`fits ${width} pixels, can be read by all, and breaks no policy (${scheme})`, async () => {
      await using view = await openPage(browser, fixture.url, { width, height, scheme });
      const { page, told } = view;
      await page.locator('[data-id="stalled"]').waitFor();
      const faults = [];
      for (const [name, end] of Object.entries(views)) {
        await page.goto(`${fixture.url}${end}`);
        if (name === 'list') await page.locator('[data-id="stalled"]').waitFor();
        else await page.locator('#detail canvas').first().waitFor();
        if (name === 'bytes') {
          await page.getByRole('tab', { name: 'Bytes and events' }).click();
          await page.locator('.lines .note').first().waitFor();
        }
        await page.screenshot({ path: join(pictures, `${name}-${width}-${scheme}.png`) });
        if ((await overflow(page)) > 0) faults.push(`${name} is too wide`);
        // What is wide is made of the same elements.
        if (width <= 1280) faults.push(...(await accessibilityFaults(page)).map((fault) => `${name}: ${fault}`));
      }
      assert.deepEqual(faults, []);
      assert.deepEqual(told, []);
    });
  }
});
