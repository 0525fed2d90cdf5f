import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bars, INTERVALS } from '../src/bars.ts';

test('one second, then wider ones from it', () => {
  const b = new Bars();
  assert.equal(b.add(60_000, 10, 1), 'newest');
  assert.equal(b.add(60_900, 12, 2), 'newest');
  assert.equal(b.add(61_000, 9, 3), 'newest');
  assert.equal(b.add(125_000, 11, 4), 'newest');
  assert.deepEqual(b.gather(1)[0], { time: 60, open: 10, high: 12, low: 10, close: 12, volume: 3 });
  assert.deepEqual(b.gather(60), [
    { time: 60, open: 10, high: 12, low: 9, close: 9, volume: 6 },
    { time: 120, open: 11, high: 11, low: 11, close: 11, volume: 4 }]);
  assert.deepEqual(b.gather(60, 120).map((c) => c.time), [120]);
});

test('a late trade widens its second, or gets one, but is no close', () => {
  const b = new Bars();
  b.add(10_000, 10, 1);
  b.add(15_000, 11, 1);
  assert.equal(b.add(10_500, 20, 5), 'older');
  assert.equal(b.add(12_000, 1, 1), 'older');
  assert.deepEqual(b.gather(1).map((c) => [c.time, c.high, c.close, c.volume]), [[10, 20, 10, 6], [12, 1, 1, 1], [15, 11, 11, 1]]);
});

test('time that goes back begins the series anew', () => {
  const b = new Bars();
  b.add(1_000_000, 10, 1);
  assert.equal(b.add(900_000, 5, 1), 'restarted');
  assert.deepEqual(b.gather(1).map((c) => c.time), [900]);
});

test('times ascend, volume is kept and extremes hold, whatever comes', () => {
  const seed = Number(process.env['SEED'] ?? 1);
  let x = seed;
  const r = (): number => (x = (x * 16807 + 11) % 2147483647) / 2147483647;
  const b = new Bars();
  let trades: { t: number; p: number; s: number }[] = [];
  let t = 5_000_000;
  for (let i = 0; i < 20_000; i++) {
    t += Math.floor(r() * 3_000) - (r() < 0.1 ? 20_000 : 0) - (r() < 0.001 ? 1e6 : 0);
    t = Math.max(t, 0);
    const trade = { t, p: Math.floor(r() * 1000), s: Math.floor(r() * 10) };
    if (b.add(trade.t, trade.p, trade.s) === 'restarted') trades = [];
    trades.push(trade);
  }
  for (const { seconds } of INTERVALS) {
    const candles = b.gather(seconds);
    candles.forEach((c, i) => {
      const mine = trades.filter((q) => Math.floor(q.t / 1000 / seconds) * seconds === c.time);
      assert.ok(i === 0 || c.time > (candles[i - 1]?.time as number), `SEED=${seed}`);
      assert.equal(c.volume, mine.reduce((sum, q) => sum + q.s, 0), `SEED=${seed} volume at ${c.time}`);
      assert.equal(c.high, Math.max(...mine.map((q) => q.p)), `SEED=${seed} high`);
      assert.equal(c.low, Math.min(...mine.map((q) => q.p)), `SEED=${seed} low`);
    });
  }
});

test('bounded: the oldest seconds go', () => {
  const b = new Bars();
  for (let i = 0; i < 50_000; i++) b.add(i * 1000, 1, 1);
  assert.ok(b.size >= 30_000 && b.size <= 34_000, String(b.size));
  assert.equal(b.gather(1).at(-1)?.time, 49_999);
});
