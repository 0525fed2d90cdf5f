import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BinaryReader, decimal, rate } from '../src/binary.ts';

type Field = [at: number, bytes: 1 | 2 | 4 | 8, value: bigint | number] | [at: number, text: string];

/** The bytes of docs/protocol-binary.md, field by field. */
function bytes(size: number, ...fields: Field[]): ArrayBuffer {
  const v = new DataView(new ArrayBuffer(size));
  for (const f of fields) {
    const [at, what, value] = f;
    if (typeof what === 'string') [...what].forEach((c, i) => v.setUint8(at + i, c.charCodeAt(0)));
    else if (what === 8) v.setBigInt64(at, BigInt.asIntN(64, BigInt(value as number)), true);
    else if (what === 4) v.setUint32(at, Number(value), true);
    else if (what === 2) v.setUint16(at, Number(value), true);
    else v.setUint8(at, Number(value));
  }
  return v.buffer as ArrayBuffer;
}

const definition = (name: string, symbol: number): ArrayBuffer =>
  bytes(24, [0, 1, 4], [2, 2, 1], [8, 1, 0x27], [12, 2, symbol], [16, name]);

test('exact decimals', () => {
  assert.equal(decimal(18920n, 2), '189.20');
  assert.equal(decimal(-5n, 3), '-0.005');
  assert.equal(decimal(0n, 2), '0.00');
  assert.equal(decimal(-(2n ** 63n), 0), '-9223372036854775808');
  assert.equal(decimal(2n ** 63n - 1n, 18), '9.223372036854775807');
});

test('a rate is the one that was asked for', () => {
  const interval = (r: number): bigint => BigInt(Math.floor(1e9 / r + 0.5));
  for (const r of ['0.001', '0.5', '1', '1.5', '3', '24', '59.94', '60', '1000']) assert.equal(rate(interval(Number(r))), r);
  assert.equal(rate(0n), '0');
  assert.equal(rate(2048000n), '488.2812', 'halves to the even digit');
});

test('a frame: a definition inside, a trade, a quote without bids, seqs counted back from its end', () => {
  const r = new BinaryReader();
  const frame = bytes(24 + 16 + 32 + 48, [0, 1, 6], [2, 2, 3], [4, 4, 17], [8, 8, 9007199254740993n], [16, 8, 9007199254740999n],
    [24, 1, 0x27], [28, 2, 7], [30, 2, 4], [32, 'AAPL'],
    [40, 1, 0x41], [41, 1, 2], [42, 1, 2], [44, 2, 7], [46, 2, 2], [48, 8, 1700000000000000001n], [56, 8, 18923], [64, 8, 100],
    [72, 1, 0x62], [73, 1, 1], [74, 1, 1], [76, 2, 7], [80, 8, 5], [104, 8, 1895], [112, 8, 3]);
  assert.deepEqual(r.read(frame), {
    type: 'ticks', from: '9007199254740993', to: '9007199254740999', conflated: '17', ticks: [
      { type: 'trade', seq: '9007199254740997', symbol: 'AAPL', price: '189.23', size: '100', ts: '1700000000000000001', side: 'sell' },
      { type: 'quote', seq: '9007199254740999', symbol: 'AAPL', bid: null, bid_size: '0', ask: '189.5', ask_size: '3', ts: '5' },
    ],
  });
});

test('a snapshot stands with each tick\'s own seq', () => {
  const r = new BinaryReader();
  assert.equal(r.read(definition('B', 65535)), null);
  const piece = bytes(24 + 8 + 56 + 8 + 16, [0, 1, 5], [1, 1, 3], [2, 2, 2], [8, 8, 50], [16, 8, 40],
    [24, 8, 48], [32, 1, 0x73], [33, 1, 1 | 5 << 1], [36, 2, 65535], [48, 8, 1], [56, 8, 3], [64, 8, -1], [72, 8, 2], [80, 8, 9],
    [88, 8, 49], [96, 1, 0x25], [97, 1, 2], [100, 2, 65535], [104, 8, 6]);
  assert.deepEqual(r.read(piece), {
    type: 'snapshot', seq: '50', since: '40', more: true, ticks: [
      { type: 'bar', seq: '48', symbol: 'B', interval: '1m', open: '1', high: '3', low: '-1', close: '2', volume: '9', final: true, ts: '0' },
      { type: 'status', seq: '49', symbol: 'B', state: 'halted', ts: '6' },
    ],
  });
});

test('notices', () => {
  const r = new BinaryReader();
  assert.deepEqual(r.read(bytes(32, [0, 1, 1], [4, 2, 1], [6, 2, 8], [8, 8, 0xabn], [16, 8, 5], [24, 'tickcast'])),
    { type: 'hello', version: '1', server: 'tickcast', epoch: '00000000000000ab', seq: '5' });
  assert.deepEqual(r.read(bytes(30, [0, 1, 2], [2, 1, 2], [4, 4, 1], [8, 8, 9], [24, 1, 1], [25, '4'], [26, 1, 62], [27, 1, 2], [28, 'A*'])),
    {
      type: 'subscribed', id: '4', symbols: ['A*'], kinds: ['trade', 'quote', 'bar', 'book', 'status'],
      rules: [{ symbols: ['A*'], kinds: ['trade', 'quote', 'bar', 'book', 'status'] }], policy: 'latest', rate: '0', frame: 'batch', seq: '9',
    });
  assert.deepEqual(r.read(bytes(40, [0, 1, 9], [1, 1, 1], [2, 1, 3], [16, 8, 7], [24, 8, 1], [32, 8, 2])),
    { type: 'gap', from: '0', to: '7', reason: 'resume', epoch: '0000000000000001', seq: '2' });
  assert.deepEqual(r.read(bytes(24, [0, 1, 11], [1, 1, 1], [8, 8, 3], [16, 8, 4])), { type: 'heartbeat', seq: '3', ts: '4', stalled: true });
  assert.deepEqual(r.read(bytes(17, [0, 1, 12], [2, 1, 1], [8, 8, 4], [16, '8'])), { type: 'pong', id: '8', ts: '4' });
  assert.deepEqual(r.read(bytes(12, [0, 1, 13], [2, 1, 1], [3, 1, 1], [4, 2, 2], [8, '1cmm'])),
    { type: 'error', id: '1', code: 'c', message: 'mm' });
  assert.deepEqual(r.read(bytes(40 + 16, [0, 1, 7], [2, 2, 1], [8, 8, 3], [16, 1, 0x56], [17, 1, 1], [18, 1, 5], [19, 1, 2], [32, 8, -1n], [40, 'day.csv'])),
    { type: 'feed', feed: 'day.csv', state: 'lost', seq: '3', ts: '0', lost: null, reason: 'line', reset: true });
  assert.equal(r.read(bytes(8, [0, 1, 99])), null, 'a type that is not known is passed over');
});

test('what is cut or not defined is no message', () => {
  const r = new BinaryReader();
  const trade = [[0, 1, 7], [2, 2, 1], [8, 8, 3], [16, 1, 0x41], [20, 2, 1]] as Field[];
  assert.throws(() => r.read(bytes(48, ...trade)), /not defined/);
  r.read(definition('A', 1));
  assert.equal((r.read(bytes(48, ...trade)) as { type: string }).type, 'trade');
  assert.throws(() => r.read(bytes(40, ...trade)), RangeError);
  assert.throws(() => r.read(bytes(1, [0, 1, 6])), RangeError);
});
