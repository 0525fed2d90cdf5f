// The browser of the tests, how to wait on the page, and how to end with a reason.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

export function skip(reason) {
  console.log(`skipped: ${reason}`);
  process.exit(77);
}

export async function openBrowser() {
  if (!existsSync(CHROMIUM)) skip(`no ${CHROMIUM}: apt-get install chromium, or set CHROMIUM`);
  const { chromium } = createRequire(new URL('../../../web/package.json', import.meta.url))('playwright-core');
  return chromium.launch({
    executablePath: CHROMIUM,
    args: ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync'],
  });
}

/** A fresh page; whatever goes wrong in it, or leaves the host it came from, is in page.faults. */
export async function openPage(browser, url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1600, height: 900 }, colorScheme: 'dark', ...options });
  const page = await context.newPage();
  page.faults = [];
  page.on('pageerror', (error) => page.faults.push(`exception: ${error.stack ?? error.message}`));
  page.on('console', (message) => {
    const isNetwork = /WebSocket connection|Failed to load resource|ERR_/.test(message.text()); // the faults we cause
    if (message.type() === 'error' && !isNetwork) page.faults.push(`console: ${message.text()}`);
  });
  const origin = new URL(url).host;
  page.on('request', (request) => {
    if (new URL(request.url()).host !== origin) page.faults.push(`outside request: ${request.url()}`);
  });
  await page.goto(url);
  return page;
}

export async function text(page, selector) {
  return ((await page.textContent(selector)) ?? '').trim();
}

export function number(shown) {
  return Number(shown.replace(/[^0-9.-]/g, ''));
}

/** Waits for a condition, looked at in this process; on failure says what was waited for. */
export async function until(what, condition, ms = 15_000) {
  const end = performance.now() + ms;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > end) throw new Error(`waited ${ms} ms for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

export const state = (page) => page.getAttribute('#state', 'data-state');
/** Returns who tells every state since: the page notes them itself, for a short one may be over before this process looks. */
export async function statesFromNow(page) {
  await page.evaluate(() => {
    const at = document.getElementById('state');
    window.statesSeen = [];
    new MutationObserver(() => window.statesSeen.push(at.dataset.state)).observe(at, { attributeFilter: ['data-state'] });
  });
  return () => page.evaluate(() => window.statesSeen);
}

export const live = (page) => until('state live', async () => (await state(page)) === 'live');

/** Runs cases one after the other; the first failure ends it with the page's picture beside the log. */
export async function run(cases) {
  for (const [name, body] of cases) {
    const start = performance.now();
    await body();
    console.log(`ok ${name} (${Math.round(performance.now() - start)} ms)`);
  }
}

export function check(condition, what) {
  if (!condition) throw new Error(`not so: ${what}`);
}
