// One line of the watch list: its cells, and what to write into them.
import { make, setClass, setText } from './dom.ts';
import { compact, decimalsOf, signed } from './format.ts';
import { drawSpark, type SparkColours } from './spark.ts';
import type { Row } from './store.ts';

export interface Column {
  key: string; title: string; hint: string;
  value(row: Row): number | string; // what to sort by
}

const numeric = (text: string | null): number => (text === null ? -Infinity : Number(text));

export const COLUMNS: readonly Column[] = [
  { key: 'symbol', title: 'Symbol', hint: '', value: (r) => r.symbol },
  { key: 'last', title: 'Last', hint: 'Price of the last trade', value: (r) => numeric(r.last) },
  { key: 'size', title: 'Size', hint: 'Size of the last trade', value: (r) => numeric(r.size) },
  { key: 'change', title: 'Chg', hint: 'Against the first trade seen here', value: (r) => r.change },
  { key: 'percent', title: 'Chg %', hint: 'Against the first trade seen here', value: (r) => r.percent },
  { key: 'bid', title: 'Bid', hint: 'Best bid', value: (r) => numeric(r.bid) },
  { key: 'ask', title: 'Ask', hint: 'Best offer', value: (r) => numeric(r.ask) },
  { key: 'sizes', title: 'Bid × Ask', hint: 'Sizes at the best prices', value: (r) => numeric(r.bidSize) + numeric(r.askSize) },
  { key: 'volume', title: 'Vol', hint: 'Traded since this page was opened', value: (r) => r.volume },
  { key: 'spark', title: 'Trend', hint: 'The last half minute', value: (r) => r.percent },
];

const SPARK_EVERY_MS = 400;

export class WatchRow {
  readonly element: HTMLTableRowElement;
  private cells = new Map<string, HTMLTableCellElement>();
  private readonly canvas = make('canvas', { 'aria-hidden': 'true' });
  private readonly halt = make('span', { class: 'halt' });
  private readonly name: Text;
  private drawnVersion = -1;
  private drawnFlash = 0;
  private sparkAt = -Infinity;

  constructor(readonly symbol: string, number: number) {
    this.element = make('tr', { role: 'row', id: `row-${number}`, 'aria-selected': 'false' });
    this.element.dataset['symbol'] = symbol;
    for (const column of COLUMNS) {
      const cell = make('td', { role: 'gridcell', class: `col-${column.key}` });
      this.cells.set(column.key, cell);
      this.element.append(cell);
    }
    this.name = document.createTextNode(symbol);
    this.cell('symbol').append(this.name);
    this.cell('spark').append(this.canvas);
    setClass(this.cell('spark'), 'col-spark spark');
    const button = make('button', { type: 'button', tabindex: '-1', 'aria-label': `Remove ${symbol}`, title: 'Remove (Del)' }, '×');
    this.element.append(make('td', { role: 'gridcell', class: 'col-remove remove' }, button));
  }

  /** False while something (the spark line) waits for its next turn. */
  draw(row: Row, nowMs: number, colours: SparkColours): boolean {
    const isNew = row.version !== this.drawnVersion;
    if (isNew) this.drawText(row);
    if (nowMs - this.sparkAt < SPARK_EVERY_MS) return false;
    if (isNew || this.sparkAt === -Infinity || this.sparkOwed) {
      drawSpark(this.canvas, row.spark, Number(row.first ?? 0), colours);
      this.sparkAt = nowMs;
      this.sparkOwed = false;
    }
    return true;
  }

  private sparkOwed = false;

  redraw(): void {
    this.drawnVersion = -1;
    this.sparkAt = -Infinity;
  }

  private cell(key: string): HTMLTableCellElement {
    return this.cells.get(key) as HTMLTableCellElement;
  }

  private drawText(row: Row): void {
    this.drawnVersion = row.version;
    this.sparkOwed = true;
    const direction = row.change > 0 ? 'up' : row.change < 0 ? 'down' : '';
    const decimals = row.last === null ? 2 : Math.max(decimalsOf(row.last), decimalsOf(row.first ?? ''));
    setText(this.cell('last'), row.last ?? '–');
    setText(this.cell('size'), row.last === null ? '' : compact(Number(row.size)));
    setText(this.cell('change'), row.last === null ? '' : signed(row.change, decimals));
    setText(this.cell('percent'), row.last === null ? '' : signed(row.percent, 2));
    setText(this.cell('bid'), row.bid ?? '–');
    setText(this.cell('ask'), row.ask ?? '–');
    setText(this.cell('sizes'), row.bid === null && row.ask === null ? '' : `${compact(Number(row.bidSize))} × ${compact(Number(row.askSize))}`);
    setText(this.cell('volume'), row.trades === 0 ? '' : compact(row.volume));
    setClass(this.cell('size'), 'col-size dim');
    setClass(this.cell('change'), `col-change ${direction}`);
    setClass(this.cell('percent'), `col-percent ${direction}`);
    setClass(this.cell('sizes'), 'col-sizes dim');
    setClass(this.cell('volume'), 'col-volume dim');
    this.drawHalt(row);
    this.drawFlash(row);
  }

  private drawHalt(row: Row): void {
    setText(this.halt, row.halted);
    if (row.halted !== '' && this.halt.parentNode === null) this.cell('symbol').append(this.halt);
    if (row.halted === '') this.halt.remove();
  }

  private drawFlash(row: Row): void {
    const way = row.direction > 0 ? 'up' : 'down';
    if (row.flash !== this.drawnFlash) setClass(this.cell('last'), `col-last flash-${way}-${row.flash % 2}`);
    if (row.flash === 0) setClass(this.cell('last'), 'col-last');
    this.drawnFlash = row.flash;
  }
}
