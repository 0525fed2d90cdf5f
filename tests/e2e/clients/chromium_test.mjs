// chromium_test.mjs TICKCAST: Chromium offers permessage-deflate by itself. What a page receives over it, in JSON and in binary,
// is what a plain JSON client holds.
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { openBrowser, openPage } from '../dashboard/browser.mjs';
import { Tickcast } from '../dashboard/tickcast.mjs';
import { Record, WebSocket, metric, pageDecoder, runWith, sameContent } from './stream.mjs';

const MESSAGES = 60; // at 20 a second each; every one is long enough to be packed
const QUERY = '?symbols=*&policy=complete&snapshot=0&rate=20';
const browser = await openBrowser();
const server = await Tickcast.start(resolve(process.argv[2] ?? ''), 'sim:?symbols=50&rate=5000&seed=3');
const { BinaryReader, parseExact } = await pageDecoder();

/** Runs in the page: messages as they come, binary ones as base64. */
function receive([query, protocol, count]) {
  return new Promise((done, fail) => {
    const socket = new WebSocket(`ws://${location.host}/v1/ws${query}`, protocol);
    const messages = [];
    let ticks = 0;
    socket.binaryType = 'arraybuffer';
    socket.onerror = () => fail(new Error('the socket failed'));
    socket.onclose = (event) => fail(new Error(`closed with ${event.code} ${event.reason}`));
    socket.onmessage = ({ data }) => {
      const isText = typeof data === 'string';
      messages.push(isText ? data : btoa(String.fromCharCode(...new Uint8Array(data))));
      if (isText ? data.startsWith('{"type":"ticks"') : new Uint8Array(data)[0] === 6) ticks++;
      if (ticks < count) return;
      socket.onclose = null;
      done({ extensions: socket.extensions, protocol: socket.protocol, messages });
      socket.close();
    };
  });
}

async function sameAsPlainJson() {
  const plain = new Record();
  const socket = new WebSocket(`ws://${server.address}/v1/ws${QUERY}`, ['tickcast.v1.json'], { perMessageDeflate: false });
  let reached = () => {};
  socket.on('message', (data) => { plain.take(parseExact(data.toString()), data.length); reached(); });
  await new Promise((open, fail) => { socket.on('open', open); socket.on('error', fail); });
  const page = await openPage(browser, server.url);
  try {
    const before = await metric(server, 'deflate_frames_total');
    const [json, binary] = await Promise.all(['tickcast.v1.json', 'tickcast.v1.bin'].map((protocol) =>
      page.evaluate(receive, [QUERY, protocol, MESSAGES])));
    assert.match(json.extensions, /permessage-deflate.*server_no_context_takeover/);
    assert.match(binary.extensions, /permessage-deflate/);
    assert.equal(binary.protocol, 'tickcast.v1.bin');
    assert.ok(await metric(server, 'deflate_frames_total') >= before + MESSAGES, 'the frames were packed');
    const records = [plain, new Record(), new Record()];
    const reader = new BinaryReader();
    for (const m of json.messages) records[1].take(parseExact(m), m.length);
    for (const m of binary.messages) records[2].take(reader.read(Uint8Array.from(Buffer.from(m, 'base64')).buffer), m.length);
    await new Promise((done) => {
      reached = () => { if (records.slice(1).every((r) => plain.position >= r.position)) done(); };
      reached();
    });
    sameContent(['plain JSON', 'Chromium, JSON', 'Chromium, binary'], records, 3000);
    assert.deepEqual(page.faults, []);
  } finally {
    socket.terminate();
  }
}

await runWith(server, { sameAsPlainJson });
await browser.close();
