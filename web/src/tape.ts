// The last trades, newest last, bounded.
import type { Num } from './exact.ts';
import type { Trade } from './messages.ts';

export type Direction = -1 | 0 | 1;

export interface Print {
  symbol: string; price: Num; size: Num; ts: Num;
  direction: Direction; // the side of the aggressor where it is known, else the tick rule
}

export const TAPE_MAX = 200;

export class Tape {
  readonly prints: Print[] = [];
  version = 0;

  /** uptick: how the price moved against the trade before it. */
  add(trade: Trade, uptick: Direction): void {
    const direction = trade.side === undefined ? uptick : trade.side === 'buy' ? 1 : -1;
    const { symbol, price, size, ts } = trade;
    this.prints.push({ symbol, price, size, ts, direction });
    if (this.prints.length > TAPE_MAX * 2) this.prints.splice(0, this.prints.length - TAPE_MAX);
    this.version++;
  }

  clear(): void {
    this.prints.length = 0;
    this.version++;
  }
}
