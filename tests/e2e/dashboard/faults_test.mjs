// faults_test.mjs DIST: the page against a server that misbehaves on demand (fake_server.mjs). Each case waits for what
// the page must then say; nothing may be thrown, and nothing asked from another host.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { check, live, number, openBrowser, openPage, run, skip, state, statesFromNow, text, until } from './browser.mjs';
import { FrameWork } from './frame_work.mjs';
import { FakeServer } from './fake_server.mjs';

const dist = resolve(process.argv[2] ?? '.');
if (!existsSync(join(dist, 'index.html'))) skip(`no page in ${dist}: build the target tc_web first`);
const browser = await openBrowser();
const server = await new FakeServer({ dist, firstSeq: 2n ** 53n + 1n }).listen();
const page = await openPage(browser, server.url);
const notices = () => page.$$eval('#notices-list li', (items) => items.map((i) => i.textContent));
const notice = (pattern) => until(`notice ${pattern}`, async () => (await notices()).some((n) => pattern.test(n)));

async function showsData() {
  await live(page);
  await page.waitForSelector('#watch-body tr');
  await until('prices', async () => /^\d+\.\d\d$/.test(await text(page, '#watch-body td.col-last')));
  await until('quotes', async () => /^\d+\.\d\d$/.test(await text(page, '#watch-body td.col-bid')));
  await until('a rate', async () => number(await text(page, '#meter-rate')) > 0);
  await until('a lag', async () => /ms$/.test(await text(page, '#meter-lag')));
  check((await page.$$('#watch-body tr')).length === 24, '24 first symbols');
  check((await text(page, '#foot-server')) === 'tickcast/fake', 'server version');
  await until('trades on the tape', async () => /^\d\d:/.test(await text(page, '#tape li span')));
  await until('candles', () => page.$eval('#chart-empty', (e) => e.hidden));
}

/** Beyond 2^53 neighbours are one number; the page must still follow them exactly: no broken promise is seen. */
async function followsGreatNumbers() {
  const position = BigInt((await text(page, '#foot-position')).replace(/\D/g, ''));
  check(position > 2n ** 53n, 'positions beyond 2^53');
  check(!(await text(page, '#meter-gaps')).includes('untold'), 'no untold gap');
}

async function tellsGap() {
  server.gap(1000);
  await until('gap counted', async () => (await text(page, '#meter-gaps')) === '1');
  await notice(/log positions \d+ to \d+ were lost \(overrun\)/);
}

async function resumesAfterCut() {
  server.resumes.length = 0;
  const before = await text(page, '#meter-gaps');
  server.cut();
  await until('a resume', () => server.resumes.length > 0);
  check(server.resumes[0].epoch === server.epoch, 'same epoch');
  check(server.resumes[0].seq > 2n ** 53n, 'exact position');
  await live(page);
  check((await text(page, '#meter-gaps')) === before, 'no gap after a resume that was met');
}

async function honoursDrain() {
  await until('both connections', () => server.clients.size >= 2); // the chart's may still be coming back from the last cut
  const start = performance.now();
  const before = server.greetings;
  const seen = await statesFromNow(page);
  server.drain(700);
  await until('draining', async () => (await seen()).includes('draining'));
  await until('back', () => server.greetings > before);
  check(performance.now() - start >= 690, 'not before reconnect_after_ms');
  await live(page);
}

async function seesNewEpoch() {
  const old = await text(page, '#foot-epoch');
  server.restart();
  await until('new epoch', async () => { const now = await text(page, '#foot-epoch'); return now !== old && now.includes(server.epoch); });
  await live(page);
  await notice(/all since position \d+ of epoch/);
  await until('chart filled anew', () => page.$eval('#chart-empty', (e) => e.hidden));
}

async function survivesTimeGoingBack() {
  server.loop(3_600_000);
  await notice(/fake looped/);
  await until('candles of the old time', async () => {
    const time = await text(page, '#tape li span');
    const shown = Number(time.slice(0, 2));
    return time !== '' && shown === new Date(Date.now() - 3_600_000).getHours();
  });
  server.shiftMs -= 600_000; // and once more without a word, as a file may do
  await until('still drawing', () => page.$eval('#chart-empty', (e) => e.hidden));
}

async function saysBehindAndStalled() {
  server.lag(12345, 850);
  await until('behind', async () => (await state(page)) === 'behind');
  check(/12.345 ticks/.test(await text(page, '#banner')), 'by how much');
  server.lag(0, 0);
  await live(page);
  server.stall(true);
  await until('stalled', async () => (await state(page)) === 'stalled');
  server.stall(false);
  await live(page);
}

async function tellsBrokenPromise() {
  server.breakPromise();
  await until('untold gap', async () => /untold/.test(await text(page, '#meter-gaps')));
  await notice(/a frame begins at \d+ where \d+ was expected/);
}

async function addsRemovesAndRemembers() {
  await page.keyboard.press('/');
  await page.keyboard.type('AA');
  await page.waitForSelector('#suggestions li');
  await page.fill('#search', 'JC*');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.chips button');
  await until('rows of the pattern', async () => (await page.$$('#watch-body tr[data-symbol^="JC"]')).length > 0);
  await page.fill('#search', 'NOSUCH');
  await page.keyboard.press('Enter');
  await page.waitForSelector('tr[data-symbol="NOSUCH"]');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await page.focus('#watch');
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  const chosen = await page.getAttribute('tr[aria-selected="true"]', 'data-symbol');
  await until('Enter charts the symbol', async () => (await text(page, '#chart-symbol')) === chosen);
  await page.keyboard.press('Delete');
  await until('row gone', async () => (await page.$(`tr[data-symbol="${chosen}"]`)) === null);
  await page.reload();
  await page.waitForSelector('tr[data-symbol="NOSUCH"]');
  check((await page.$(`tr[data-symbol="${chosen}"]`)) === null, 'a removed symbol stays away');
  check((await text(page, '.chips button')) === 'JC*', 'the pattern is remembered');
  await live(page);
}

async function sortsAndThemes() {
  await page.click('th[data-key="last"] button');
  await until('sorted', async () => {
    const shown = await page.$$eval('#watch-body td.col-last', (cells) => cells.map((c) => Number(c.textContent)).filter((n) => n > 0));
    return shown.length > 5 && shown[0] > shown[shown.length - 1] && shown[0] === Math.max(...shown);
  });
  check((await page.getAttribute('th[data-key="last"]', 'aria-sort')) === 'descending', 'aria-sort');
  const back = () => page.evaluate(() => getComputedStyle(document.body.parentElement).backgroundColor);
  const dark = await back();
  await page.click('#theme-button');
  check((await back()) !== dark, 'another theme');
  await page.keyboard.press('?');
  await page.waitForSelector('#keys[open]');
  await page.keyboard.press('Escape');
}

/** Drawing is work of a frame, not of a tick: however many ticks come, each place is written once a frame and laid out as often. */
async function drawsOnceAFrame() {
  const work = await FrameWork.count(page);
  await page.click('#clear-button');
  await page.fill('#search', '*');
  await page.press('#search', 'Enter');
  for (const rate of [2_000, 20_000]) {
    server.options.rate = rate;
    await until(`more than ${rate / 4} delivered`, async () => number(await text(page, '#meter-rate')) > rate / 4, 20_000);
    const w = await work.during(120);
    const figures = `${rate} ticks/s, ${await text(page, '#meter-rate')} delivered: in ${w.frames} frames ${w.places} places and ${w.writes} writes (most: ${w.most}, ${w.mostAt}), ${w.layouts} layouts`;
    console.log(`   ${figures}`);
    check(w.places > w.frames && w.writes < 1.2 * w.places && w.layouts <= 2 * w.frames, figures);
  }
  check((await state(page)) === 'live', 'still live');
  server.options.rate = 500;
}

async function worksWithoutDirectory() {
  const bare = await new FakeServer({ dist, hasDirectory: false, rate: 2_000 }).listen();
  const other = await openPage(browser, bare.url, { viewport: { width: 420, height: 900 } });
  await live(other);
  await other.waitForSelector('#watch-body tr');
  check(await other.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'no sideways scrolling when narrow');
  check(other.faults.length === 0, other.faults.join('; '));
  await other.context().close();
  await bare.close();
}

try {
  await run(Object.entries({
    showsData, followsGreatNumbers, tellsGap, resumesAfterCut, honoursDrain, seesNewEpoch, survivesTimeGoingBack,
    saysBehindAndStalled, tellsBrokenPromise, addsRemovesAndRemembers, sortsAndThemes, drawsOnceAFrame, worksWithoutDirectory,
  }).map(([name, body]) => [name, body]));
  check(page.faults.length === 0, `the page has faults: ${page.faults.join('; ')}`);
} catch (error) {
  console.error(String(error.stack ?? error));
  console.error(`page: state ${await state(page)}; faults: ${page.faults.join('; ') || 'none'}; notices: ${(await notices()).slice(0, 5).join(' | ')}`);
  process.exitCode = 1;
} finally {
  await browser.close();
  await server.close();
}
