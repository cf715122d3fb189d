import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { FixtureServer } from './fixture-server.ts';
import { beginning, chunkAt, deltaAt, ending, messageBegins, rowOf } from './made-up.ts';
import { launch, openPage, skip } from './page.mjs';

const WORDS = ['The ', 'bridge ', 'waits ', 'for ', 'nobody.'];

/** Three that wait, one that failed, one that was healed, one that is well. */
function fill(fixture) {
  const now = Date.now();
  const running = { endedAt: undefined, finishedAt: undefined, outputTokens: undefined };
  fixture.put(
    [rowOf('well', { startedAt: now - 50_000 })],
    [
      ...beginning('Say it.'),
      messageBegins(420),
      ...WORDS.flatMap((word, at) => deltaAt(430 + at * 700, word)),
      ...ending(4200, WORDS.join('')),
    ],
  );
  fixture.put([
    rowOf('healed', {
      startedAt: now - 40_000,
      model: 'qwen3-coder',
      client: 'claude-code',
      repairs: { no_finish_reason: 1 },
    }),
  ]);
  const error = { kind: 'overloaded', message: '503 the model is loading' };
  fixture.put([rowOf('failed', { startedAt: now - 30_000, state: 'failed', status: 503, error, upstream: 'vllm' })]);
  fixture.put(
    [
      rowOf('silent', {
        startedAt: now - 20_000,
        state: 'streaming',
        upstream: 'vllm',
        lastByteAt: now - 16_000,
        lastEventAt: now - 16_000,
        ...running,
      }),
    ],
    [...beginning('Wait.'), messageBegins(420), ...WORDS.flatMap((word, at) => deltaAt(430 + at * 10, word))],
  );
}

describe('the page of the inspector', { skip }, () => {
  let browser;
  before(async () => (browser = await launch()));
  after(() => browser.close());

  async function opened(options) {
    const fixture = await FixtureServer.start();
    fill(fixture);
    const view = await openPage(browser, fixture.url, options);
    await view.page.locator('[data-id="silent"]').waitFor();
    return {
      ...view,
      fixture,
      async [Symbol.asyncDispose]() {
        await view[Symbol.asyncDispose]();
        await fixture[Symbol.asyncDispose]();
      },
    };
  }

  const ids = (page) => page.locator('[data-id]').evaluateAll((rows) => rows.map(({ dataset }) => dataset.id));

  void test('lists exchanges, newest first, with why each waits, and changes with them', async () => {
    await using view = await opened();
    const { page, fixture, told } = view;
    assert.deepEqual(await ids(page), ['silent', 'failed', 'healed', 'well']);
    const why = page.locator('[data-id="silent"] .why');
    assert.match(await why.innerText(), /^no byte from vllm for \d+ s$/);
    const before = await why.innerText();
    await page.waitForFunction((text) => document.querySelector('[data-id="silent"] .why').innerText !== text, before);
    fixture.put([
      rowOf('silent', { startedAt: Date.now() - 20_000, upstream: 'vllm' }),
      rowOf('new', { startedAt: Date.now() }),
    ]);
    await page.locator('[data-id="new"]').waitFor();
    assert.equal(await page.locator('[data-id="silent"] .state').innerText(), 'completed');
    fixture.remove(['well', 'healed']);
    await page.locator('[data-id="well"]').waitFor({ state: 'detached' });
    assert.deepEqual(await ids(page), ['new', 'silent', 'failed']);
    assert.deepEqual(told, []);
  });

  void test('keeps what waits above what is newer, and shows it alone', async () => {
    await using view = await opened();
    const { page, fixture, told } = view;
    fixture.put([rowOf('newer', { startedAt: Date.now() }), rowOf('newest', { startedAt: Date.now() + 1 })]);
    await page.locator('[data-id="newest"]').waitFor();
    assert.deepEqual(await ids(page), ['silent', 'newest', 'newer', 'failed', 'healed', 'well']);
    await page.getByRole('button', { name: '1 waiting' }).click();
    await page.locator('[data-id="newest"]').waitFor({ state: 'detached' });
    assert.deepEqual(await ids(page), ['silent']);
    await page.getByRole('button', { name: 'Clear' }).click();
    await page.getByRole('button', { name: 'Started' }).click();
    assert.deepEqual(await ids(page), ['well', 'healed', 'failed', 'silent', 'newer', 'newest']);
    assert.deepEqual(told, []);
  });

  void test('tells of a wait that is over', async () => {
    await using view = await opened();
    const { page, fixture, told } = view;
    const body = '{"error":{"message":"slow down"}}';
    const asks = (t, number) => ({ t, kind: 'attempt', number, upstream: 'llama.cpp' });
    const setback = { failures: 1, waitedMs: 8900, upstream: 'http://llama.cpp/v1', failure: '429' };
    fixture.put(
      [rowOf('limited', { attempts: 2, setback, endedAt: Date.now() })],
      [
        ...[asks(3, 1), { t: 100, kind: 'head', upstream: 'llama.cpp', status: 429, headers: { 'retry-after': '9' } }],
        ...[
          { t: 100, kind: 'chunk', text: '', bytes: body.length },
          { t: 101, kind: 'repair', repair: 'retry', about: 'slow down', upstream: 'llama.cpp' },
        ],
        // The end of a line that was held comes with the next attempt.
        ...[{ t: 9001, kind: 'chunk', text: body, bytes: 0 }, asks(9001, 2)],
        { t: 9100, kind: 'head', upstream: 'llama.cpp', status: 200, headers: {} },
        ...deltaAt(9200, 'So.'),
      ],
    );
    await page.locator('[data-id="limited"]').click();
    await page.getByRole('button', { name: /^waited 8\.90 s as the server asked \(429\) from 101 ms$/ }).waitFor();
    const why = await page.locator('.detail header .why').innerText();
    assert.match(why, /^completed in .* s, after 429 from llama\.cpp and a wait of 8\.9 s$/);
    assert.deepEqual(told, []);
  });

  void test('filters by state, fault, error, model, server, client and words, and orders by its heads', async () => {
    await using view = await opened();
    const { page } = view;
    const filtered = async (act) => {
      await act();
      const shown = await ids(page);
      await page.getByRole('button', { name: 'Clear' }).click();
      return shown;
    };
    const pick = (name, value) => () => page.getByRole('combobox', { name }).selectOption(value);
    const groups = page.getByRole('group', { name: 'Which exchanges' });
    const press = (name) => () => groups.getByRole('button', { name, exact: true }).click();
    assert.deepEqual(await filtered(press('Open')), ['silent']);
    assert.deepEqual(await filtered(press('Waiting')), ['silent']);
    assert.deepEqual(await filtered(press('Failed')), ['failed']);
    assert.deepEqual(await filtered(press('Healed')), ['healed']);
    assert.deepEqual(await filtered(pick('Healed fault', 'no_finish_reason')), ['healed']);
    assert.deepEqual(await filtered(pick('Error', 'overloaded')), ['failed']);
    assert.deepEqual(await filtered(pick('Model', 'qwen3-coder')), ['healed']);
    assert.deepEqual(await filtered(pick('Server', 'vllm')), ['silent', 'failed']);
    assert.deepEqual(await filtered(pick('Client', 'claude-code')), ['healed']);
    assert.deepEqual(await filtered(() => page.getByRole('searchbox').fill('LOADING')), ['failed']);
    await page.getByRole('button', { name: 'Time' }).click();
    assert.deepEqual(await ids(page), ['silent', 'failed', 'healed', 'well']);
    await page.getByRole('button', { name: 'Model' }).click();
    await page.getByRole('button', { name: 'Model' }).click();
    assert.equal((await ids(page)).at(-1), 'healed');
    await page.getByRole('searchbox').fill('nothing like this');
    await page.getByText('None of 4 exchanges matches.').waitFor();
  });

  void test('is used with the keyboard alone', async () => {
    await using view = await opened();
    const { page, told } = view;
    const press = async (...keys) => {
      for (const key of keys) await page.keyboard.press(key);
    };
    const selected = () => page.locator('[aria-selected="true"][data-id]').getAttribute('data-id');
    await press('j', 'j', 'ArrowDown', 'k');
    assert.equal(await selected(), 'failed');
    await press('Enter');
    await page.getByRole('heading', { name: 'gpt-oss:20b' }).waitFor();
    await page.waitForURL(/#exchange=failed$/);
    await press('j', 'j');
    await page.waitForURL(/#exchange=well$/);
    await press('c', 'k');
    await press('Enter');
    await page.getByRole('heading', { name: 'Two exchanges side by side' }).waitFor();
    await page.waitForURL(/#exchange=well&with=healed$/);
    await press('Escape');
    await page.getByRole('grid').waitFor();
    await page.waitForFunction(() => document.activeElement.id === 'list');
    await press('/');
    await page.keyboard.type('vllm');
    await page.locator('[data-id="well"]').waitFor({ state: 'detached' });
    await press('Escape');
    await page.locator('[data-id="well"]').waitFor();
    await press('?');
    await page.getByRole('dialog').waitFor();
    await press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await press('p');
    await page.getByRole('heading', { name: 'Plots' }).waitFor();
    await press('Escape', 'j', 'Enter');
    await page.getByRole('tab', { name: 'Conversation' }).focus();
    await press('ArrowRight');
    await page.getByRole('searchbox', { name: 'Search in bytes and events' }).waitFor();
    const canvas = page.getByRole('img', { name: /in all/ });
    await canvas.focus();
    const outline = await canvas.evaluate((element) => globalThis.getComputedStyle(element).outlineWidth);
    assert.equal(outline, '2px');
    await press('+');
    assert.equal(await page.getByRole('button', { name: 'Whole' }).isEnabled(), true);
    await press('0');
    assert.equal(await page.getByRole('button', { name: 'Whole' }).isEnabled(), false);
    assert.deepEqual(told, []);
  });

  void test('takes keys that come faster than the browser tells of a new address', async () => {
    await using view = await opened();
    const { page } = view;
    await page.locator('[data-id="failed"]').click();
    await page.getByRole('heading', { name: 'gpt-oss:20b' }).waitFor();
    // All within one task: a change of the address is told in a later one.
    await page.evaluate(
      async (keys) => {
        for (const key of keys) {
          document.body.dispatchEvent(new globalThis.KeyboardEvent('keydown', { key, bubbles: true }));
          for (let turns = 0; turns < 10; turns++) await Promise.resolve();
        }
      },
      ['j', 'j', 'c', 'k', 'Enter'],
    );
    await page.getByRole('heading', { name: 'Two exchanges side by side' }).waitFor();
    await page.waitForURL(/#exchange=well&with=healed$/);
  });

  void test('takes a key that comes as soon as there is something to see', async () => {
    await using view = await opened();
    const { page } = view;
    await page.addInitScript(() =>
      new globalThis.MutationObserver((_, observer) => {
        if (document.querySelector('#list') === null) return;
        observer.disconnect();
        document.body.dispatchEvent(new globalThis.KeyboardEvent('keydown', { key: '?', bubbles: true }));
      }).observe(document, { childList: true, subtree: true }),
    );
    await page.reload();
    await page.getByRole('dialog').waitFor();
  });

  void test('shows an exchange as it goes on: conversation, gaps, bytes, events', async () => {
    await using view = await opened();
    const { page, fixture, told } = view;
    await page.locator('[data-id="silent"]').click();
    const answer = page.locator('.block.assistant .text');
    assert.equal(await answer.innerText(), 'The bridge waits for nobody.');
    await page.getByText('You are a coding agent. Be short.').waitFor();
    await page.getByRole('button', { name: /^\d+\.\d s silent from 470 ms$/ }).waitFor();
    const row = rowOf('silent', {
      startedAt: Date.now() - 22_000,
      upstream: 'vllm',
      state: 'streaming',
      endedAt: undefined,
      finishedAt: undefined,
    });
    fixture.put([row], deltaAt(21_000, ' It goes on.'));
    await page.waitForFunction(() =>
      document.querySelector('.block.assistant .text').innerText.endsWith('It goes on.'),
    );
    const call = { type: 'function_call', id: 'f1', call_id: 'c1', name: 'read_file', arguments: '' };
    const input = (delta) => ({ type: 'tool_call_input.delta', call_id: 'c1', delta });
    fixture.put(
      [row],
      [{ t: 21_100, kind: 'events', events: [{ type: 'output_item.added', item: call }, input('{"path":')] }],
    );
    await page.waitForFunction(() => document.querySelector('.block.call .text')?.innerText === '{"path":');
    fixture.put([row], [{ t: 21_200, kind: 'events', events: [input('"a.ts"}')] }]);
    await page.waitForFunction(() => document.querySelector('.block.call .text')?.innerText === '{"path":"a.ts"}');
    await page.getByRole('tab', { name: 'Bytes and events' }).click();
    await page.getByRole('searchbox', { name: 'Search in bytes and events' }).fill('goes on');
    await page.getByText('1 of 3').waitFor();
    const hit = page.locator('mark.hit');
    assert.match(await hit.locator('..').getAttribute('class'), /server/);
    await page.keyboard.press('Enter');
    assert.match(await hit.locator('..').getAttribute('class'), /events/);
    await page.getByRole('tab', { name: 'Headers' }).click();
    await page.getByText('authorization: Bearer ***').waitFor();
    assert.deepEqual(told, []);
  });

  void test('three columns scroll together to the time that was picked', async () => {
    await using view = await opened();
    const { page } = view;
    await page.goto(`${page.url()}#exchange=well`);
    await page.getByRole('tab', { name: 'Bytes and events' }).click();
    await page.getByRole('button', { name: /^700 ms silent from 1\.83 s/ }).click();
    await page.locator('.line.picked').waitFor();
    const parts = await page.locator('.line.picked').locator('.time, .part').allInnerTexts();
    assert.equal(parts[0], '1.830');
    assert.match(parts[1], /^data: \{"choices"/);
    assert.match(parts[2], /^output_text\.delta /);
    assert.match(parts[3], /^event: response\.output/);
    await page.getByRole('button', { name: 'To the client' }).click();
    assert.equal(await page.locator('.line.picked .part').count(), 2);
  });

  void test('opens what hangs at its end, and says for how long nothing came', async () => {
    await using view = await opened();
    const { page, fixture, told } = view;
    const many = Array.from({ length: 200 }, (_, at) => deltaAt(500 + at, `${at} `)).flat();
    const running = { state: 'streaming', endedAt: undefined, finishedAt: undefined };
    fixture.put([rowOf('hangs', { startedAt: Date.now() - 60_000, ...running })], [...beginning('Go.'), ...many]);
    await page.locator('[data-id="hangs"]').click();
    await page.getByRole('tab', { name: 'Bytes and events' }).click();
    await page.getByText(/^then nothing for (?:59\.\d s|1 min \d+ s)$/).waitFor();
    const lines = page.locator('.lines');
    const toBottom = () =>
      page.waitForFunction(() => {
        const { scrollTop, clientHeight, scrollHeight } = document.querySelector('.lines');
        return scrollTop > 0 && scrollTop + clientHeight >= scrollHeight - 1;
      });
    await toBottom();
    await lines.evaluate((element) => element.scrollTo({ top: 0 }));
    await page.getByText('request: POST').waitFor();
    await page.getByRole('button', { name: 'To the end' }).click();
    await toBottom();
    await page.locator('[data-id="well"]').click();
    await page.getByText('request: POST').waitFor();
    assert.equal(await page.getByText(/^then nothing/).count(), 0);
    assert.deepEqual(told, []);
  });

  void test('saves a tape, copies curl, compares two', async () => {
    await using view = await opened();
    const { page, told } = view;
    await page.locator('[data-id="well"]').click();
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Save as tape' }).click();
    assert.equal(await readFile(await (await download).path(), 'utf8'), '{"tape":1}\n');
    await page.getByRole('button', { name: 'Copy as curl' }).click();
    await page.getByRole('button', { name: 'Copied' }).waitFor();
    assert.match(await page.evaluate(() => globalThis.navigator.clipboard.readText()), /^curl 'http.*Bearer \*\*\*'/);
    await page.getByRole('button', { name: /^Compare with/ }).click();
    await page
      .getByText(/^gpt-oss:20b of \d\d:\d\d:\d\d is the first\. Open the exchange to compare it with\./)
      .waitFor();
    await page.locator('[data-id="healed"]').click();
    const differs = page.locator('.differs');
    // What was asked of the bridge about both has to come first.
    await differs.first().waitFor();
    assert.deepEqual(await differs.locator('th').allInnerTexts(), ['Model', 'Client', 'Healed']);
    assert.equal(
      await differs.last().locator('td').last().innerText(),
      'no_finish_reason (the sentinel came without a finish_reason)',
    );
    assert.deepEqual(told, []);
  });

  void test('tells that the bridge is away, tries again, and goes on', async () => {
    await using view = await opened();
    const { page, fixture } = view;
    await page.locator('[data-id="silent"]').click();
    await page.locator('.block.assistant').waitFor();
    fixture.isDown = true;
    fixture.drop();
    await page.getByText('The bridge answered with 503.').first().waitFor();
    await page.getByText('not connected').waitFor();
    fixture.isDown = false;
    for (const button of await page.getByRole('button', { name: 'Try now' }).all())
      await button.click({ timeout: 2000 }).catch(() => undefined);
    await page.locator('.link.live').waitFor();
    await page.locator('.link-note').first().waitFor({ state: 'detached' });
    assert.equal(await page.locator('.block.assistant .text').innerText(), 'The bridge waits for nobody.');
    fixture.remove(['silent']);
    fixture.drop();
    await page.getByText('The bridge does not keep this exchange any more.').waitFor();
  });

  void test('shows what is hostile as text, and asks nobody else for anything', async () => {
    await using view = await opened();
    const { page, fixture, told } = view;
    const script = '<script>alert(1)</script><img src=x onerror=alert(2)><a href="javascript:alert(3)">x</a>';
    const nasty = [
      script,
      '\u202egnp.exe\u202c',
      '\u001b[31mred\u001b]8;;http://evil.example\u0007',
      '\ud800',
      'x'.repeat(20_000),
      '</textarea></svg>',
    ];
    const name = `<img src=http://evil.example/m onerror=alert(4)>\u202e`;
    const image = (url) => ({ type: 'input_image', image_url: url, detail: 'auto' });
    const content = [
      { type: 'input_text', text: script },
      image('http://evil.example/pixel.png'),
      image('data:image/svg+xml;base64,PHN2Zy8+'),
      image(
        'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
      ),
    ];
    const row = rowOf('hostile', {
      startedAt: Date.now(),
      model: name,
      upstream: name,
      client: name,
      repairs: { [name]: 1 },
      error: { kind: name, message: script },
      state: 'failed',
    });
    const records = [
      ...beginning('', { input: [{ type: 'message', role: 'user', content }] }),
      messageBegins(420),
      ...nasty.flatMap((text, at) => deltaAt(430 + at, `${text}\n`)),
      chunkAt(500, `data: ${nasty.join('')}\r\n\r\n`),
      { t: 510, kind: 'repair', repair: name, about: script, upstream: name },
      { t: 520, kind: 'end', outcome: 'failed', error: script },
    ];
    fixture.put([row], records);
    const shownName = String.raw`<img src=http://evil.example/m onerror=alert(4)>\u{202e}`;
    assert.equal(await page.locator('[data-id="hostile"] .of-model').innerText(), shownName);
    await page.locator('[data-id="hostile"]').click();
    const answer = page.locator('.block.assistant .text');
    await answer.getByText('</textarea></svg>').waitFor();
    const text = await answer.innerText();
    assert.ok(text.startsWith(script));
    // eslint-disable-next-line no-control-regex -- that is the point
    assert.doesNotMatch(text, /[\u202a-\u202e\u001b\ud800-\udfff]/u);
    assert.equal(await page.locator('.block.image img').count(), 1);
    await page.getByText('not loaded: http://evil.example/pixel.png').waitFor();
    await page.getByRole('tab', { name: 'Bytes and events' }).click();
    await page.getByRole('searchbox', { name: 'Search in bytes and events' }).fill(String.raw`\u{1b}[31mred`);
    await page.locator('mark.hit').first().waitFor();
    await page.goto(`${page.url().split('#')[0]}#plots`);
    await page.locator('.plot canvas').first().waitFor();
    await page.goto(`${page.url().split('#')[0]}#exchange=hostile&with=well`);
    await page.locator('.differences').waitFor();
    assert.equal(await page.locator('script:not([src="app.js"]), a[href^="javascript"], iframe').count(), 0);
    assert.deepEqual(told, []);
    const strangers = fixture.asked.filter((path) => !path.startsWith('/inspect/'));
    assert.deepEqual(strangers, []);
  });

  void test('keeps the colours that were chosen', async () => {
    await using view = await opened({ scheme: 'dark' });
    const { page } = view;
    const shows = (colour) =>
      page.waitForFunction(
        (wanted) => globalThis.getComputedStyle(document.documentElement).backgroundColor === wanted,
        colour,
      );
    await shows('rgb(18, 20, 23)');
    await page.getByRole('combobox', { name: 'Colours' }).selectOption('light');
    await shows('rgb(244, 244, 241)');
    await page.reload();
    await page.locator('[data-id="silent"]').waitFor();
    await shows('rgb(244, 244, 241)');
  });
});
