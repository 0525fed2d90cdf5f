// What the page knows, and nothing of how it looks: rows of the watch list, the tape, the counters. Streams write
// into it at any rate; views read it once a frame and ask what changed since. Everything in it is bounded.
import type { Num } from './exact.ts';
import type { Quote, Status, Tick, Trade } from './messages.ts';
import { Tape, type Direction } from './tape.ts';

export const ROWS_MAX = 500;
export const NOTICES_MAX = 100;
const SPARK_POINTS = 60;
const SPARK_EVERY_MS = 500;

export interface Row {
  symbol: string;
  index: number; // order of appearance
  bid: Num | null; bidSize: Num; ask: Num | null; askSize: Num;
  last: Num | null; size: Num;
  first: Num | null; // the reference of the change: the first trade seen
  change: number; percent: number;
  volume: number; trades: number;
  halted: string; // a status other than trading, else ''
  direction: Direction; // of the last change in price
  flash: number; // counts changes in price, so that a view knows when to flash
  spark: number[]; sparkAt: number;
  version: number; // raised by every change
}

export type NoticeKind = 'gap' | 'lag' | 'feed' | 'connection' | 'error';
export interface Notice { id: number; atMs: number; kind: NoticeKind; text: string }

export class Store {
  readonly rows = new Map<string, Row>();
  readonly tape = new Tape();
  readonly notices: Notice[] = []; // newest last
  rowsVersion = 0; // raised when a row comes or goes
  noticesVersion = 0;
  ticks = 0;
  conflated = 0;
  gaps = 0;
  gapTicks = 0;
  broken = 0;
  lost = 0;
  refusedRows = 0;

  private noticeId = 0;
  private rowIndex = 0;

  /** wanted: is this symbol still on the watch list? (frames sent before an unsubscribe may hold others) */
  constructor(private readonly wanted: (symbol: string) => boolean = () => true) {}

  apply(ticks: Tick[], isSnapshot: boolean, nowMs: number): void {
    if (!isSnapshot) this.ticks += ticks.length;
    for (const tick of ticks) {
      if (tick.type === 'quote') this.applyQuote(tick);
      else if (tick.type === 'trade') this.applyTrade(tick, isSnapshot, nowMs);
      else if (tick.type === 'status') this.applyStatus(tick);
    }
  }

  /** A row for every wanted symbol, also while it is quiet. */
  row(symbol: string): Row | null {
    const known = this.rows.get(symbol);
    if (known !== undefined) return known;
    if (!this.wanted(symbol)) return null;
    if (this.rows.size >= ROWS_MAX) {
      this.refusedRows++;
      return null;
    }
    const row = newRow(symbol, this.rowIndex++);
    this.rows.set(symbol, row);
    this.rowsVersion++;
    return row;
  }

  drop(keep: (symbol: string) => boolean): void {
    for (const symbol of [...this.rows.keys()]) if (!keep(symbol)) this.rows.delete(symbol);
    this.rowsVersion++;
  }

  /** All state is unknown from here on; the rows stay, empty, in their places. */
  reset(): void {
    for (const [symbol, row] of this.rows) {
      this.rows.set(symbol, { ...newRow(symbol, row.index), version: row.version + 1 });
    }
    this.tape.clear();
    this.rowsVersion++;
  }

  note(kind: NoticeKind, text: string, atMs: number): void {
    this.notices.push({ id: ++this.noticeId, atMs, kind, text });
    if (this.notices.length > NOTICES_MAX) this.notices.shift();
    this.noticesVersion++;
  }

  private applyQuote(quote: Quote): void {
    const row = this.row(quote.symbol);
    if (row === null) return;
    row.bid = quote.bid;
    row.bidSize = quote.bid_size;
    row.ask = quote.ask;
    row.askSize = quote.ask_size;
    row.version++;
  }

  private applyTrade(trade: Trade, isSnapshot: boolean, nowMs: number): void {
    const row = this.row(trade.symbol);
    if (row === null) return;
    const price = Number(trade.price);
    const before = row.last === null ? price : Number(row.last);
    if (price !== before) {
      row.direction = price > before ? 1 : -1;
      row.flash++;
    }
    row.last = trade.price;
    row.size = trade.size;
    row.first ??= trade.price;
    row.change = price - Number(row.first);
    row.percent = Number(row.first) === 0 ? 0 : (row.change / Number(row.first)) * 100;
    row.version++;
    sample(row, price, nowMs);
    if (isSnapshot) return;
    row.volume += Number(trade.size);
    row.trades++;
    this.tape.add(trade, row.direction);
  }

  private applyStatus(status: Status): void {
    const row = this.row(status.symbol);
    if (row === null) return;
    row.halted = status.state === 'trading' || status.state === 'open' ? '' : status.state;
    row.version++;
  }
}

function newRow(symbol: string, index: number): Row {
  return {
    symbol, index, bid: null, bidSize: '0', ask: null, askSize: '0', last: null, size: '0', first: null,
    change: 0, percent: 0, volume: 0, trades: 0, halted: '', direction: 0, flash: 0, spark: [], sparkAt: 0, version: 1,
  };
}

/** One point each half second: the last price in it. */
function sample(row: Row, price: number, nowMs: number): void {
  if (row.spark.length > 0 && nowMs - row.sparkAt < SPARK_EVERY_MS) {
    row.spark[row.spark.length - 1] = price;
    return;
  }
  row.spark.push(price);
  row.sparkAt = nowMs;
  if (row.spark.length > SPARK_POINTS) row.spark.shift();
}
