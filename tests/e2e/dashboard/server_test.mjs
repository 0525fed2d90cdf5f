// server_test.mjs TICKCAST: the page as the built program serves it, with its own simulator as feed; then the program
// is ended and started again on the same port: the page must come back by itself, in the new epoch.
import { resolve } from 'node:path';
import { check, live, number, openBrowser, openPage, run, state, text, until } from './browser.mjs';
import { Tickcast, lastingAddress } from './tickcast.mjs';

const binary = resolve(process.argv[2] ?? '');
const feed = 'sim:?symbols=100&rate=2000';
const address = await lastingAddress();
let server = await Tickcast.start(binary, feed, address);
const browser = await openBrowser();
const page = await openPage(browser, server.url);
const notices = () => page.$$eval('#notices-list li', (items) => items.map((i) => i.textContent));

async function servesPage() {
  const answer = await fetch(server.url, { headers: { 'accept-encoding': 'gzip' } });
  check(answer.status === 200 && /text\/html/.test(answer.headers.get('content-type') ?? ''), 'the page is HTML');
  const etag = answer.headers.get('etag');
  const script = /src="([^"]+\.js)"/.exec(await answer.text())?.[1];
  check(script !== undefined && (await fetch(new URL(script, server.url))).status === 200, 'its script is there');
  if (etag === null) return;
  const again = await fetch(server.url, { headers: { 'if-none-match': etag } });
  check(again.status === 304 || again.status === 200, 'asked again');
}

async function streams() {
  await live(page);
  await until('24 rows', async () => (await page.$$('#watch-body tr')).length === 24);
  await until('a price', async () => /^\d+(\.\d+)?$/.test(await text(page, '#watch-body td.col-last')));
  await until('a bid', async () => /^\d+(\.\d+)?$/.test(await text(page, '#watch-body td.col-bid')));
  await until('ticks', async () => number(await text(page, '#meter-rate')) > 50);
  await until('a lag that is true', async () => {
    const shown = /^(-?[\d.]+) ms$/.exec(await text(page, '#meter-lag'));
    return shown !== null && Math.abs(Number(shown[1])) < 1000;
  });
  await until('candles', () => page.$eval('#chart-empty', (e) => e.hidden));
  await until('tape', async () => /^\d\d:/.test(await text(page, '#tape li span')));
  check(/^tickcast\//.test(await text(page, '#foot-server')), 'server version');
  check(!(await text(page, '#meter-gaps')).includes('untold'), 'every frame began where the last one ended');
}

/** The chart of a symbol that was never looked at is filled from the log, not from now on. */
async function chartHasPast() {
  await page.click('#watch-body tr:nth-child(5) td');
  const symbol = await page.getAttribute('#watch-body tr:nth-child(5)', 'data-symbol');
  await until('chosen', async () => (await text(page, '#chart-symbol')) === symbol);
  await until('trades of it', () => page.$$eval('#tape li', (lines, s) =>
    lines.filter((l) => l.children[1].textContent === s).length > 2, symbol), 20_000);
}

async function addsByPrefix() {
  const first = await page.getAttribute('#watch-body tr', 'data-symbol');
  await page.fill('#search', `${first.slice(0, 1)}*`);
  await page.keyboard.press('Enter');
  await page.waitForSelector('.chips button');
  await until('still true', async () => (await state(page)) === 'live');
  await page.click('.chips button');
}

async function comesBackInNewEpoch() {
  const old = await text(page, '#foot-epoch');
  const status = await server.stop('SIGTERM');
  check(status === 0, `SIGTERM drains and exits 0, not ${status}:\n${server.log}`);
  await until('not live', async () => (await state(page)) !== 'live');
  server = await Tickcast.start(binary, feed, address);
  await until('new epoch', async () => { const now = await text(page, '#foot-epoch'); return now !== '' && now !== old; }, 30_000);
  await live(page);
  await until('ticks again', async () => number(await text(page, '#meter-rate')) > 50);
  await until('the loss is told', async () => (await notices()).some((n) => /all since position \d+ of epoch/.test(n)));
  check(!(await text(page, '#meter-gaps')).includes('untold'), 'nothing untold');
}

/** Killed without a word: no drain, no close frame. */
async function comesBackAfterKill() {
  const old = await text(page, '#foot-epoch');
  await server.stop('SIGKILL');
  server = await Tickcast.start(binary, feed, address);
  await until('new epoch', async () => { const now = await text(page, '#foot-epoch'); return now !== '' && now !== old; }, 30_000);
  await live(page);
  await until('candles', () => page.$eval('#chart-empty', (e) => e.hidden));
}

try {
  await run(Object.entries({ servesPage, streams, chartHasPast, addsByPrefix, comesBackInNewEpoch, comesBackAfterKill }));
  check(page.faults.length === 0, `the page has faults: ${page.faults.join('; ')}`);
} catch (error) {
  console.error(String(error.stack ?? error));
  console.error(`page: state ${await state(page)}; faults: ${page.faults.join('; ') || 'none'}; notices: ${(await notices()).slice(0, 6).join(' | ')}`);
  console.error(`server:\n${server.log}`);
  process.exitCode = 1;
} finally {
  await browser.close();
  await server.stop();
}
