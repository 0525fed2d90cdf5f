// What clients of others receive, held against one plain JSON client: shared by the tests of this folder.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const web = new URL('../../../web/', import.meta.url);
const require = createRequire(new URL('package.json', web));
export const { WebSocket } = require('ws');

/** The page's own decoder, bundled as for the page. */
export async function pageDecoder() {
  const { outputFiles } = await require('esbuild').build({
    stdin: { contents: "export * from './src/binary.ts'; export * from './src/exact.ts';", resolveDir: fileURLToPath(web) },
    bundle: true, write: false, format: 'esm', logLevel: 'warning',
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
}

/** Ticks by seq, and whether each frame began where the one before ended. Takes messages as the page's decoder gives them. */
export class Record {
  ticks = new Map();
  kinds = new Set();
  bytes = 0; // of messages, unpacked

  take(message, bytes) {
    this.bytes += bytes;
    if (message === null) return; // definitions
    if (message.type === 'error' || message.type === 'gap') assert.fail(JSON.stringify(message));
    if (message.type === 'subscribed') this.first = this.position = BigInt(message.seq);
    if (message.type !== 'ticks') return;
    assert.equal(BigInt(message.from), this.position, 'a frame begins where the one before ended');
    this.position = BigInt(message.to);
    for (const tick of message.ticks) {
      assert.ok(!this.ticks.has(tick.seq), `seq ${tick.seq} came twice`);
      this.ticks.set(tick.seq, tick);
      this.kinds.add(tick.type);
    }
  }

  has(count) { return this.first !== undefined && this.position - this.first >= BigInt(count); }
}

/** Every tick that all of them must have, alike in each field and digit. Returns how many were compared. */
export function sameContent(names, records, least) {
  const from = records.map((r) => r.first).reduce((a, b) => (a > b ? a : b));
  const to = records.map((r) => r.position).reduce((a, b) => (a < b ? a : b));
  const inside = (r) => [...r.ticks].filter(([seq]) => BigInt(seq) > from && BigInt(seq) <= to).sort(([a], [b]) => Number(BigInt(a) - BigInt(b)));
  const expected = inside(records[0]);
  assert.ok(expected.length >= least, `only ${expected.length} ticks are common, from ${from} to ${to}`);
  records.slice(1).forEach((r, i) => assert.deepEqual(inside(r), expected, `${names[i + 1]} differs from ${names[0]}`));
  return expected.length;
}

export async function metric(server, name) {
  const text = await (await fetch(new URL('/metrics', server.url))).text();
  const values = [...text.matchAll(new RegExp(`^tickcast_${name}(?:{[^}]*})? (\\d+)`, 'gm'))];
  assert.ok(values.length > 0, `/metrics has no tickcast_${name}`);
  return values.reduce((sum, [, value]) => sum + Number(value), 0);
}

/** Ends the server whatever happened, and the process with its log on a failure. */
export async function runWith(server, cases) {
  try {
    for (const [name, body] of Object.entries(cases)) {
      const begin = performance.now();
      await body();
      console.log(`ok ${name} (${Math.round(performance.now() - begin)} ms)`);
    }
  } catch (error) {
    console.error(String(error.stack ?? error));
    console.error(`server:\n${server.log}`);
    process.exitCode = 1;
  } finally {
    await server.stop();
  }
}
