import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClockOffset } from '../src/clock.ts';
import { compact, grouped, lag, signed } from '../src/format.ts';
import type { Quote, Trade } from '../src/messages.ts';
import { Rate } from '../src/meter.ts';
import { sparkPoints } from '../src/spark.ts';
import { NOTICES_MAX, ROWS_MAX, Store } from '../src/store.ts';
import { TAPE_MAX } from '../src/tape.ts';
import { matches, patternFault, Watched } from '../src/watched.ts';

const trade = (symbol: string, price: string, more: Partial<Trade> = {}): Trade =>
  ({ type: 'trade', seq: '1', symbol, price, size: '10', ts: '1700000000000000000', ...more });
const quote = (symbol: string, bid: string | null): Quote =>
  ({ type: 'quote', seq: '1', symbol, bid, bid_size: '1', ask: '2.50', ask_size: '3', ts: '1' });

test('prices stay as sent; change is against the first trade seen', () => {
  const s = new Store();
  s.apply([trade('A', '10.00'), trade('A', '10.50'), quote('A', '10.40')], false, 0);
  const row = s.rows.get('A');
  assert.deepEqual([row?.last, row?.bid, row?.change, row?.percent, row?.volume, row?.direction], ['10.50', '10.40', 0.5, 5, 20, 1]);
  assert.equal(s.ticks, 3);
});

test('a snapshot is state: no volume, no print, no count', () => {
  const s = new Store();
  s.apply([trade('A', '10')], true, 0);
  assert.deepEqual([s.rows.get('A')?.last, s.rows.get('A')?.volume, s.tape.prints.length, s.ticks], ['10', 0, 0, 0]);
});

test('an empty side of the book is shown as such', () => {
  const s = new Store();
  s.apply([quote('A', '1'), quote('A', null)], false, 0);
  assert.equal(s.rows.get('A')?.bid, null);
});

test('the side of the aggressor goes before the tick rule', () => {
  const s = new Store();
  s.apply([trade('A', '10'), trade('A', '11'), trade('A', '12', { side: 'sell' })], false, 0);
  assert.deepEqual(s.tape.prints.map((p) => p.direction), [0, 1, -1]);
});

test('a reset empties the rows in their places', () => {
  const s = new Store();
  s.apply([trade('A', '10'), trade('B', '10')], false, 0);
  s.reset();
  assert.deepEqual([...s.rows.keys()], ['A', 'B']);
  assert.deepEqual([s.rows.get('A')?.last, s.tape.prints.length], [null, 0]);
});

test('everything is bounded', () => {
  const s = new Store();
  for (let i = 0; i < 2000; i++) s.apply([trade(`S${i}`, '1'), trade('S0', String(i))], false, i * 1000);
  for (let i = 0; i < 500; i++) s.note('gap', 'x', 0);
  assert.equal(s.rows.size, ROWS_MAX);
  assert.ok(s.refusedRows > 0 && s.tape.prints.length <= TAPE_MAX * 2 && s.notices.length <= NOTICES_MAX);
  assert.ok((s.rows.get('S0')?.spark.length ?? 99) <= 60);
});

test('symbols that are not wanted make no row', () => {
  const w = new Watched();
  w.add('AB*');
  w.add('X');
  const s = new Store((symbol) => w.has(symbol));
  s.apply([trade('ABC', '1'), trade('X', '1'), trade('Y', '1')], false, 0);
  assert.deepEqual([...s.rows.keys()], ['ABC', 'X']);
  assert.deepEqual(w.remove('ABC'), [], 'a wider pattern excludes nothing on the server');
  assert.equal(w.has('ABC'), false);
  assert.deepEqual(w.remove('AB*'), ['AB*']);
});

test('patterns as the protocol has them', () => {
  assert.ok(matches('AB*', 'AB') && matches('*', 'Q') && matches('A', 'A') && !matches('A', 'AB') && !matches('B*', 'AB'));
  assert.equal(patternFault('BRK*'), null);
  for (const bad of ['', 'A'.repeat(33), 'A,B', 'caf\u00e9']) assert.notEqual(patternFault(bad), null);
});

test('what was saved comes back, and rubbish is none', () => {
  const kept = new Map<string, string>();
  const storage = { getItem: (k: string) => kept.get(k) ?? null, setItem: (k: string, v: string) => void kept.set(k, v) } as unknown as Storage;
  const w = new Watched();
  assert.equal(w.load(storage), false);
  w.add('A');
  w.add('B*');
  w.save(storage);
  const again = new Watched();
  assert.ok(again.load(storage));
  assert.deepEqual(again.entries, ['A', 'B*']);
  for (const rubbish of ['{', '7', '{"list":7}']) {
    for (const key of kept.keys()) kept.set(key, rubbish);
    assert.equal(new Watched().load(storage), false);
  }
});

test('meters and words', () => {
  const r = new Rate();
  for (let ms = 0; ms < 3000; ms += 10) r.add(5, 50_000 + ms);
  assert.ok(Math.abs(r.perSecond(53_000) - 500) < 60, String(r.perSecond(53_000)));
  assert.equal(r.perSecond(60_000), 0);
  const c = new ClockOffset();
  assert.equal(c.offset, null);
  assert.deepEqual([signed(-1.5, 2), signed(0.001, 2), signed(2, 1)], ['\u22121.50', '0.00', '+2.0']);
  assert.deepEqual([compact(1_500_000), compact(999), compact(0.5), grouped(1234567)], ['1.50M', '999', '0.5', '1\u2009234\u2009567']);
  assert.deepEqual([lag(null), lag(1e9), lag(4.25)], ['\u2013', 'replay', '4.3 ms']);
});

test('a spark line stays in its box, flat or not', () => {
  assert.deepEqual(sparkPoints([5]), { line: '', area: '' });
  for (const prices of [[1, 1, 1], [3, 1, 2], Array.from({ length: 60 }, (_, i) => i * i)]) {
    const points = sparkPoints(prices).line.split(' ').map((p) => p.split(',').map(Number) as [number, number]);
    assert.equal(points.length, prices.length);
    for (const [x, y] of points) assert.ok(x >= 0 && x <= 76 && y >= 2 && y <= 18, `${x},${y}`);
  }
  assert.ok(sparkPoints([3, 1]).line.startsWith('0.0,2.0 '), 'the greatest is on top');
});
