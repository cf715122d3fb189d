/** Chromium of this machine, with a page in it that tells of everything it should not do. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const found = spawnSync(
  'sh',
  ['-c', 'command -v chromium || command -v chromium-browser || command -v google-chrome'],
  {
    encoding: 'utf8',
  },
).stdout.trim();

/** Why the tests cannot run; `false` when they can. */
export const skip = found === '' && 'there is no Chromium on this machine (Debian: apt-get install chromium)';

/** Where pictures of the page are kept for who wants to look: nothing of it is in the repository. */
export const pictures = join(import.meta.dirname, 'pictures');

export async function launch() {
  mkdirSync(pictures, { recursive: true });
  // Root has no sandbox in Chromium, and CI is often root.
  return chromium.launch({ executablePath: found, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}

/**
 * A page; `told` collects its errors, violations of the policy, and requests for what is not below `own`. Default: the
 * inspector of the server of `url`.
 */
export async function openPage(
  browser,
  url,
  { width = 1280, height = 800, scheme = 'light', own = new URL('/inspect/', url).href, ...options } = {},
) {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: scheme,
    acceptDownloads: true,
    ...options,
  });
  if (url.startsWith('http')) {
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: new URL(url).origin });
  }
  const page = await context.newPage();
  const told = [];
  page.on('pageerror', (error) => told.push(`error: ${error.message}`));
  page.on('console', (message) => {
    const isLost = message.text().startsWith('Failed to load resource');
    if (message.type() === 'error' && !isLost) told.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    const isOwn = request.url().startsWith(own) || request.url().startsWith('data:');
    if (!isOwn) told.push(`request: ${request.url()}`);
  });
  page.on('dialog', (dialog) => {
    told.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.goto(url);
  return { page, told, [Symbol.asyncDispose]: () => context.close() };
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What the checker finds against WCAG 2.2 A and AA, each as a line. */
export async function accessibilityFaults(page) {
  // Past the policy of the page: evaluated by the driver, not loaded by the page.
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() =>
    globalThis.axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    }),
  );
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} ${target.join(' ')}: ${failureSummary}`),
  );
}

/** The width that the page scrolls sideways, beyond its window; 0 is right. */
export async function overflow(page) {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

/**
 * What a page does while something goes on: the frames, the longest waits for one in milliseconds of the wall clock, and the work of
 * its main thread for each frame in milliseconds of the processor. Sixty frames a second need less than 16.7 of these; the waits
 * are longer on a machine that does other things beside.
 */
export async function workWhile(page, act) {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  await page.evaluate(() => {
    const waits = [];
    let last = performance.now();
    globalThis.waits = waits;
    const next = (now) => {
      waits.push(now - last);
      last = now;
      if (globalThis.waits === waits) requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
  });
  const before = await taskSeconds(session);
  await act();
  const after = await taskSeconds(session);
  const waits = await page.evaluate(() => {
    const all = globalThis.waits;
    globalThis.waits = undefined;
    return all;
  });
  await session.detach();
  waits.sort((a, b) => a - b);
  const at = (share) => Math.round(waits[Math.min(waits.length - 1, Math.floor(waits.length * share))] * 10) / 10;
  const work = Math.round(((after - before) * 10_000) / waits.length) / 10;
  return { frames: waits.length, work, median: at(0.5), p95: at(0.95), longest: at(1) };
}

async function taskSeconds(session) {
  const { metrics } = await session.send('Performance.getMetrics');
  return metrics.find(({ name }) => name === 'TaskDuration').value;
}

/** As far as a hard push on a wheel goes in a second, in CSS pixels. */
const PUSH_PX = 12_000;

/** Scrolls an element to its end or as far as that, and back, a step each frame. */
export async function scrollThrough(page, selector, steps = 60) {
  await page.evaluate(
    ({ selector: name, steps: count, most }) =>
      new Promise((resolve) => {
        const element = document.querySelector(name);
        const far = Math.min(most, element.scrollHeight - element.clientHeight);
        let step = 0;
        const next = () => {
          step++;
          element.scrollTop = far * Math.sin((step / count) * Math.PI);
          if (step < count) requestAnimationFrame(next);
          else resolve();
        };
        requestAnimationFrame(next);
      }),
    { selector, steps, most: PUSH_PX },
  );
}
