// Candles from trades. One-second candles are the only ones kept; wider ones are gathered from them, so that another
// interval needs no trade again. Bounded: the oldest seconds go first.

export interface Candle {
  time: number; // seconds since 1970, start of the interval
  open: number; high: number; low: number; close: number; volume: number;
}

export const INTERVALS: readonly { name: string; seconds: number }[] = [
  { name: '1s', seconds: 1 },
  { name: '5s', seconds: 5 },
  { name: '1m', seconds: 60 },
  { name: '5m', seconds: 300 },
];

const SECONDS_KEPT = 30_000; // a trading day
const LATE_SECONDS = 60; // a trade that is older by more means that time began anew

/** What a trade did: nothing to worry about, an older candle changed, or the series began anew. */
export type Effect = 'newest' | 'older' | 'restarted';

export class Bars {
  private seconds: Candle[] = [];

  clear(): void {
    this.seconds = [];
  }

  get size(): number {
    return this.seconds.length;
  }

  add(tsMs: number, price: number, size: number): Effect {
    const time = Math.floor(tsMs / 1000);
    const last = this.seconds[this.seconds.length - 1];
    if (last !== undefined && time < last.time - LATE_SECONDS) {
      this.seconds = [newCandle(time, price, size)];
      return 'restarted';
    }
    if (last === undefined || time > last.time) {
      this.seconds.push(newCandle(time, price, size));
      if (this.seconds.length > SECONDS_KEPT + SECONDS_KEPT / 8) this.seconds.splice(0, SECONDS_KEPT / 8);
      return 'newest';
    }
    if (time === last.time) {
      extend(last, price, size);
      return 'newest';
    }
    this.addLate(time, price, size);
    return 'older';
  }

  /** The candles of an interval that begin at or after `from` (seconds); all of them by default. */
  gather(interval: number, from = -Infinity): Candle[] {
    const first = from === -Infinity ? 0 : this.indexOf(from);
    const out: Candle[] = [];
    for (let i = first; i < this.seconds.length; i++) {
      const s = this.seconds[i] as Candle;
      const time = Math.floor(s.time / interval) * interval;
      const open = out[out.length - 1];
      if (open !== undefined && open.time === time) merge(open, s);
      else out.push({ ...s, time });
    }
    return out;
  }

  /** A late trade widens its second; it is neither its open nor its close. */
  private addLate(time: number, price: number, size: number): void {
    const at = this.indexOf(time);
    const there = this.seconds[at];
    if (there === undefined || there.time !== time) {
      this.seconds.splice(at, 0, newCandle(time, price, size));
      return;
    }
    there.high = Math.max(there.high, price);
    there.low = Math.min(there.low, price);
    there.volume += size;
  }

  /** The first second at or after `time`. */
  private indexOf(time: number): number {
    let low = 0;
    let high = this.seconds.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.seconds[middle] as Candle).time < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function newCandle(time: number, price: number, size: number): Candle {
  return { time, open: price, high: price, low: price, close: price, volume: size };
}

function extend(candle: Candle, price: number, size: number): void {
  candle.high = Math.max(candle.high, price);
  candle.low = Math.min(candle.low, price);
  candle.close = price;
  candle.volume += size;
}

function merge(into: Candle, next: Candle): void {
  into.high = Math.max(into.high, next.high);
  into.low = Math.min(into.low, next.low);
  into.close = next.close;
  into.volume += next.volume;
}
