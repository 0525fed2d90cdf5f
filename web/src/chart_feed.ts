// The trades of one symbol on a connection of their own, from the oldest the log still has: so that a chart that was
// just opened is not empty. Bars and tape are filled; the view is told what that did.
import { Bars, type Effect } from './bars.ts';
import { nsToMs } from './exact.ts';
import { decimalsOf } from './format.ts';
import type { Tick, Trade } from './messages.ts';
import { Stream, type Listener, type Surroundings } from './stream.ts';
import { Tape, type Direction } from './tape.ts';

export interface ChartListener {
  changed(effect: Effect): void;
  restarted(): void;
  notice(text: string): void;
}

const CHART_RATE = 30; // frames a second; trades are events: none is conflated

export class ChartFeed {
  readonly tape = new Tape();
  symbol: string | null = null;
  decimals = 0;
  lastPrice: string | null = null;
  private stream: Stream | null = null;

  constructor(
    private readonly url: string,
    private readonly around: Surroundings,
    readonly bars: Bars,
    private readonly listener: ChartListener,
  ) {}

  choose(symbol: string | null): void {
    this.symbol = symbol;
    this.stream?.close();
    this.stream = null;
    this.forget();
    if (symbol === null) return;
    const subscription = { symbols: [symbol], kinds: ['trade' as const], rate: CHART_RATE, since: 'oldest' };
    this.stream = new Stream(this.url, subscription, this.events(symbol), this.around);
    this.stream.connect();
  }

  private events(symbol: string): Listener {
    return {
      // In another epoch the log has another past: ask for all of it, not for what follows the end of the old one.
      hello: (_hello, newEpoch) => {
        if (newEpoch) this.around.later(0, () => this.symbol === symbol && this.choose(symbol));
      },
      ticks: (ticks, snapshot) => {
        if (!snapshot) this.take(ticks, symbol);
      },
      reset: () => this.forget(),
      gap: (gap, size) => {
        if (gap.epoch === undefined) this.listener.notice(`the chart of ${symbol} misses trades within ${size} log positions (${gap.reason})`);
      },
    };
  }

  private take(ticks: Tick[], symbol: string): void {
    let worst: Effect | null = null;
    for (const tick of ticks) {
      if (tick.type !== 'trade' || tick.symbol !== symbol) continue;
      const effect = this.takeTrade(tick);
      if (worst === null || rank[effect] > rank[worst]) worst = effect;
    }
    if (worst !== null) this.listener.changed(worst);
  }

  private takeTrade(trade: Trade): Effect {
    const price = Number(trade.price);
    const before = this.lastPrice === null ? price : Number(this.lastPrice);
    this.lastPrice = trade.price;
    this.decimals = Math.max(this.decimals, decimalsOf(trade.price));
    this.tape.add(trade, Math.sign(price - before) as Direction);
    return this.bars.add(nsToMs(trade.ts), price, Number(trade.size));
  }

  private forget(): void {
    this.bars.clear();
    this.tape.clear();
    this.lastPrice = null;
    this.decimals = 0;
    this.listener.restarted();
  }
}

const rank: Record<Effect, number> = { newest: 0, older: 1, restarted: 2 };
