// screenshot.mjs [TICKCAST [PNG]]: the dashboard of a running server as a picture, for the documentation.
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { live, openBrowser, openPage, until } from './browser.mjs';
import { Tickcast } from './tickcast.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
const binary = resolve(process.argv[2] ?? join(root, 'build/release/tickcast'));
const picture = resolve(process.argv[3] ?? join(root, 'docs/dashboard.png'));
const server = await Tickcast.start(binary, 'sim:?symbols=100&rate=2000');
const browser = await openBrowser();
try {
  const page = await openPage(browser, server.url, { viewport: { width: 1680, height: 940 } });
  await live(page);
  await until('a minute of trend', () => page.evaluate(() => performance.now() > 60_000), 90_000);
  await page.screenshot({ path: picture });
  console.log(`wrote ${picture}`);
} finally {
  await browser.close();
  await server.stop();
}
