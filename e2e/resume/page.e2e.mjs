// examples/resume in a real browser, behind it a real bridge: whatever breaks in the middle, the page shows every word once.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { startServer } from '../../examples/resume/server.mjs';
import { startMock } from '../../packages/testing/src/index.ts';
import { manualClock } from '../../test/transport/support/manual-clock.ts';
import { startBridge } from '../bridge-process.ts';
import { launch, skip } from '../inspector/page.mjs';

/** The model's: it says the next event when the clock is told to go on. */
const clock = manualClock();
const whole = 'This is a scripted answer: no model was asked. You said: hi';

/** Passes all bytes to a port, until everything that is open is cut. */
async function startWire(port) {
  const open = new Set();
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ]) {
      open.add(from);
      from.on('error', () => to.destroy()).on('close', () => (open.delete(from), to.destroy()));
      from.pipe(to);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: server.address().port,
    cut: () => open.forEach((socket) => socket.destroy()),
    close: () => server.close(),
  };
}

let mock, bridge, wire, server, browser, page;
before(async () => {
  if (skip) return;
  mock = await startMock({ faults: ['drip:1'], clock });
  bridge = await startBridge({ upstream: mock.baseUrl, wire: 'chat', more: ['--resume', '60000'] });
  wire = await startWire(Number(new URL(bridge.baseUrl).port));
  server = await startServer({ baseURL: `http://127.0.0.1:${wire.port}/v1`, model: 'm' });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  server?.closeAllConnections();
  server?.close();
  wire?.cut();
  wire?.close();
  await bridge?.[Symbol.asyncDispose]();
  await mock?.close();
});

/** Lets the model say so many more events, or the rest. */
async function goOn(events = Infinity) {
  const { answer } = mock.requests.at(-1);
  for (let said = 0; said < events; said++) {
    while (clock.pending === 0 && answer.phase !== 'ended') await turn();
    if (answer.phase === 'ended') return;
    clock.advance(1);
  }
}

/** A page in which a new answer has begun to show; how often a model was asked since. */
async function begun() {
  await page?.close();
  page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.fill('[name=question]', 'hi');
  const asked = mock.requests.length;
  await page.click('button');
  await mock.waitForRequests(asked + 1);
  await goOn(3); // the role, and two words
  await shows('This is');
  return { asked: () => mock.requests.length - asked };
}

const textOf = () => page.textContent('#answer');
/** Waits until the page shows at least this; what it shows has to be the beginning of the answer. */
async function shows(text) {
  await page.waitForFunction((least) => document.querySelector('#answer')?.textContent.length >= least, text.length);
  const shown = await textOf();
  assert.equal(shown, whole.slice(0, shown.length));
  return shown;
}

/** The model says the rest, and the page has all of it. */
async function isDone() {
  await goOn();
  await page.waitForFunction(() => !['', 'answering'].includes(document.querySelector('#state')?.textContent));
  assert.deepEqual([await page.textContent('#state'), await textOf()], ['done', whole]);
}

test('a page that is loaded again in the middle shows every word once', { skip }, async () => {
  const { asked } = await begun();
  await page.reload();
  await isDone();
  await page.reload(); // and once more when it is over
  await isDone();
  assert.equal(asked(), 1);
});

test("the server's connection to the bridge is cut in the middle", { skip }, async () => {
  const { asked } = await begun();
  wire.cut();
  await goOn(2);
  await shows('This is a scripted');
  wire.cut();
  await isDone();
  assert.equal(asked(), 1);
});

test("the page's own connection is cut in the middle", { skip }, async () => {
  const { asked } = await begun();
  server.closeAllConnections();
  await isDone();
  assert.equal(asked(), 1);
});

test('a page that is loaded again goes on over a connection that is cut then', { skip }, async () => {
  const { asked } = await begun();
  await page.reload();
  await shows('This is');
  wire.cut();
  await isDone();
  assert.equal(asked(), 1);
});
