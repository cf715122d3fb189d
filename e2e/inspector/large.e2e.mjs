import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { FixtureServer } from './fixture-server.ts';
import { beginning, deltaAt, ending, messageBegins, rowOf } from './made-up.ts';
import { launch, openPage, scrollThrough, skip, workWhile } from './page.mjs';

/**
 * Most work of the main thread for each frame, in milliseconds of the processor. On a machine that does nothing beside it is well below
 * the 16.7 of sixty frames a second; on a busy one each step of the processor takes longer, and this is twice as much.
 */
const FRAME_MS = 33.3;
const ROWS = 10_000;
const ANSWER = 1_000_000;
/** Elements in the document, whatever there is to show. */
const MOST_ELEMENTS = 3000;

const sentence = 'Each piece of this long answer is a few words, and some are code: `const a = 1;`\n';

describe('much to show', { skip }, () => {
  let browser;
  before(async () => (browser = await launch()));
  after(() => browser.close());

  const countElements = (page) => page.evaluate(() => document.getElementsByTagName('*').length);
  const say = (what, work) => console.log(`# ${what}: ${JSON.stringify(work)}`);

  void test('10,000 exchanges scroll, while they change, at sixty frames a second', async () => {
    await using fixture = await FixtureServer.start();
    const now = Date.now();
    const models = ['gpt-oss:20b', 'qwen3-coder', 'claude-sonnet-5'];
    fixture.put(
      Array.from({ length: ROWS }, (_, at) =>
        rowOf(`e${at}`, {
          startedAt: now - (ROWS - at) * 1000,
          model: models[at % 3],
          repairs: at % 5 === 0 ? { no_end: 1 } : {},
        }),
      ),
    );
    await using view = await openPage(browser, fixture.url);
    const { page, told } = view;
    await page.locator('[data-id="e9999"]').waitFor();
    const scrolled = await workWhile(page, () => scrollThrough(page, '#list'));
    say('scrolling 10,000 exchanges', scrolled);
    let count = 0;
    const changing = setInterval(() => {
      const changed = Array.from({ length: 20 }, (_, at) =>
        rowOf(`e${ROWS - 1 - at}`, { startedAt: now, model: models[(ROWS - 1 - at) % 3], deltas: count++ }),
      );
      fixture.put(changed);
    }, 250);
    const changed = await workWhile(page, () => scrollThrough(page, '#list', 90));
    clearInterval(changing);
    say('the same while 20 of them change four times a second', changed);
    const searched = await workWhile(page, async () => {
      await page.getByRole('searchbox').pressSequentially('qwen3', { delay: 30 });
      await page.waitForFunction(() => document.querySelector('#list').getAttribute('aria-rowcount') === '3334');
    });
    say('searching in them', searched);
    assert.ok((await countElements(page)) < MOST_ELEMENTS);
    for (const { work } of [scrolled, changed, searched]) assert.ok(work < FRAME_MS, `${work} ms for each frame`);
    assert.deepEqual(told, []);
  });

  void test('an answer of 1 MB scrolls and grows at sixty frames a second, as text and as bytes', async () => {
    await using fixture = await FixtureServer.start();
    const startedAt = Date.now() - 60_000;
    const running = { state: 'streaming', endedAt: undefined, finishedAt: undefined, outputTokens: undefined };
    const pieces = Math.ceil(ANSWER / sentence.length);
    const deltas = Array.from({ length: pieces }, (_, at) => deltaAt(430 + at * 4, sentence)).flat();
    fixture.put(
      [rowOf('long', { startedAt, ...running })],
      [...beginning('Write much.'), messageBegins(420), ...deltas],
    );
    await using view = await openPage(browser, fixture.url);
    const { page, told } = view;
    await page.locator('[data-id="long"]').click();
    await page.waitForFunction(
      (length) => document.querySelector('.block.assistant .text')?.textContent.length > length,
      ANSWER * 0.98,
    );
    const read = await workWhile(page, () => scrollThrough(page, '#detail'));
    say('scrolling an answer of 1 MB', read);
    let at = 430 + pieces * 4;
    const growing = setInterval(() => {
      fixture.put(
        [rowOf('long', { startedAt, ...running })],
        Array.from({ length: 10 }, () => deltaAt((at += 4), sentence)).flat(),
      );
    }, 250);
    const grown = await workWhile(page, () => scrollThrough(page, '#detail', 90));
    say('the same while it grows', grown);
    await page.getByRole('tab', { name: 'Bytes and events' }).click();
    await page.locator('.lines .part').first().waitFor();
    const bytes = await workWhile(page, () => scrollThrough(page, '.lines', 90));
    clearInterval(growing);
    say('scrolling its bytes and events while it grows', bytes);
    assert.ok((await countElements(page)) < MOST_ELEMENTS);
    const end = ending(at + 10, sentence.repeat(pieces));
    fixture.put([rowOf('long', { startedAt, endedAt: startedAt + at + 20 })], end);
    await page.locator('.detail .state.good').waitFor();
    for (const { work } of [read, grown, bytes]) assert.ok(work < FRAME_MS, `${work} ms for each frame`);
    assert.deepEqual(told, []);
  });
});
