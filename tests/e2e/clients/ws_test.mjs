// ws_test.mjs TICKCAST: npm ws as a client. Binary, decoded by the page's decoder, and JSON, each with permessage-deflate and
// without, hold what a plain JSON client holds; commands that ws packs are understood.
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { Tickcast } from '../dashboard/tickcast.mjs';
import { Record, WebSocket, metric, pageDecoder, runWith, sameContent } from './stream.mjs';

const TICKS = 3000;
const server = await Tickcast.start(resolve(process.argv[2] ?? ''), 'sim:?symbols=50&rate=5000&seed=3');
const { BinaryReader, parseExact } = await pageDecoder();
const url = `ws://${server.address}/v1/ws`;

/** Reads until a record is full; rejects where the server ends it or a message is wrong. */
class Client {
  constructor(protocol, options, query = '?symbols=*&policy=complete') {
    this.record = new Record();
    this.reader = new BinaryReader();
    this.socket = new WebSocket(url + query, [protocol], options);
    this.socket.binaryType = 'arraybuffer';
    this.full = new Promise((done, fail) => {
      this.socket.on('message', (data, isBinary) => {
        try {
          assert.equal(isBinary, protocol === 'tickcast.v1.bin', 'text in JSON, binary in binary');
          const message = isBinary ? this.reader.read(data) : parseExact(Buffer.from(data).toString());
          this.record.take(message, data.byteLength);
          this.last = message ?? this.last;
          this.onMessage?.(message);
          if (this.record.has(TICKS)) done();
        } catch (error) { fail(error); }
      });
      this.socket.on('error', fail);
      this.socket.on('close', (code, reason) => fail(new Error(`closed with ${code} ${reason}`)));
    });
    this.full.catch(() => {}); // awaited later
    this.open = new Promise((done, fail) => { this.socket.on('open', done); this.socket.on('error', fail); });
  }

  /** Of the whole connection, the handshake included, by a byte unpacked: once all that was sent is unpacked, or what is under way counts. */
  async wireShare() {
    await new Promise((done, fail) => {
      this.onMessage = (m) => { if (m?.type === 'unsubscribed') done(); };
      this.socket.on('close', (code) => fail(new Error(`closed with ${code}`)));
      this.socket.send('{"op":"unsubscribe","symbols":["*"]}');
    });
    return this.socket._socket.bytesRead / this.record.bytes;
  }

  close() { this.socket.removeAllListeners('close'); this.socket.terminate(); }
}

const KINDS = [
  ['plain JSON', 'tickcast.v1.json', { perMessageDeflate: false }],
  ['packed JSON', 'tickcast.v1.json', { perMessageDeflate: true }],
  ['plain binary', 'tickcast.v1.bin', { perMessageDeflate: false }],
  ['packed binary', 'tickcast.v1.bin', { perMessageDeflate: true }],
  ['packed JSON, offered without takeover', 'tickcast.v1.json',
    { perMessageDeflate: { serverNoContextTakeover: true, clientNoContextTakeover: true } }],
];

async function sameAsPlainJson(frame) {
  const clients = KINDS.map(([, protocol, options]) => new Client(protocol, options, `?symbols=*&policy=complete&frame=batch${frame}`));
  try {
    await Promise.all(clients.map((c) => c.full));
    sameContent(KINDS.map(([name]) => name), clients.map((c) => c.record), TICKS / 2);
    clients.forEach((c, i) => {
      const [name, protocol, options] = KINDS[i];
      assert.equal(c.socket.protocol, protocol, name);
      assert.equal(c.socket.extensions.includes('permessage-deflate'), options.perMessageDeflate !== false, name);
      assert.ok(c.record.kinds.has('trade') && c.record.kinds.has('quote'), `${name} has trades and quotes`);
    });
    return await Promise.all(clients.map((c) => c.wireShare()));
  } finally {
    clients.forEach((c) => c.close());
  }
}

/** Frames as they come: some are short and stay plain. */
async function everyVisit() {
  const share = await sameAsPlainJson('');
  assert.ok(share[0] >= 1 && share[2] >= 1, `plain ones are not packed: ${share}`);
}

/** Twenty a second: each frame has some hundred ticks, and packing them pays. */
async function longFrames() {
  const before = await metric(server, 'deflate_frames_total');
  const share = await sameAsPlainJson('&rate=20');
  assert.ok(await metric(server, 'deflate_frames_total') > before, 'the server packed');
  assert.ok(share[1] < 0.6 && share[4] < 0.6, `packed JSON is smaller on the wire: ${share}`);
  assert.ok(share[3] < 0.95, `packed binary is smaller on the wire: ${share}`);
}

async function packedCommands() {
  const before = await metric(server, 'deflate_frames_total');
  for (const protocol of ['tickcast.v1.json', 'tickcast.v1.bin']) {
    const c = new Client(protocol, { perMessageDeflate: { threshold: 0 } }, '');
    await c.open;
    const answer = (type) => new Promise((done, fail) => {
      c.onMessage = (m) => { if (m?.type === type) done(m); };
      c.full.catch(fail);
    });
    const subscribed = answer('subscribed');
    c.socket.send(JSON.stringify({ op: 'subscribe', id: 1, policy: 'complete', rate: 10, symbols: Array(40).fill('*') }));
    assert.deepEqual((await subscribed).symbols, ['*']);
    const pong = answer('pong');
    c.socket.send('{"op":"ping","id":77}');
    assert.equal((await pong).id, '77');
    await c.full;
    c.close();
  }
  assert.ok(await metric(server, 'deflate_frames_total') > before);
}

await runWith(server, { everyVisit, longFrames, packedCommands });
