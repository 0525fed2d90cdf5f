// One line of the watch list: its cells, and what to write into them.
import { make, setClass, setText } from './dom.ts';
import { compact, decimalsOf, signed } from './format.ts';
import { Spark } from './spark.ts';
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
const FLASH_MS = 300;

export class WatchRow {
  readonly element: HTMLTableRowElement;
  private cells = new Map<string, HTMLTableCellElement>();
  private readonly spark = new Spark();
  private readonly halt = make('span', { class: 'halt' });
  private readonly name: Text;
  private drawnVersion = -1;
  private drawnFlash = 0;
  private flashAt = -Infinity;
  private sparkAt = -Infinity;
  private sparkOwed = true;

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
    this.cell('spark').append(this.spark.element);
    const button = make('button', { type: 'button', tabindex: '-1', 'aria-label': `Remove ${symbol}`, title: 'Remove (Del)' }, '×');
    this.element.append(make('td', { role: 'gridcell', class: 'col-remove remove' }, button));
  }

  /** False while something waits for its time: the spark line, the end of a flash. */
  draw(row: Row, nowMs: number): boolean {
    if (row.version !== this.drawnVersion) this.drawText(row);
    const flashes = this.drawFlash(row, nowMs);
    if (this.sparkOwed && nowMs - this.sparkAt >= SPARK_EVERY_MS) {
      this.spark.draw(row.spark);
      this.sparkAt = nowMs;
      this.sparkOwed = false;
    }
    return !flashes && !this.sparkOwed;
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
    setClass(this.cell('spark'), `col-spark ${direction}`);
  }

  private drawHalt(row: Row): void {
    setText(this.halt, row.halted);
    if (row.halted !== '' && this.halt.parentNode === null) this.cell('symbol').append(this.halt);
    if (row.halted === '') this.halt.remove();
  }

  /** True while the last price still flashes. */
  private drawFlash(row: Row, nowMs: number): boolean {
    if (row.flash !== this.drawnFlash) {
      this.drawnFlash = row.flash;
      this.flashAt = row.flash === 0 ? -Infinity : nowMs;
    }
    const flashes = nowMs - this.flashAt < FLASH_MS;
    const way = row.direction > 0 ? 'flash-up' : 'flash-down';
    setClass(this.cell('last'), flashes ? `col-last ${way}` : 'col-last');
    return flashes;
  }
}
