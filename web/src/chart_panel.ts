// The chart with its head: symbol, last price, quote, and the choice of the interval.
import { INTERVALS, type Bars } from './bars.ts';
import type { ChartFeed } from './chart_feed.ts';
import { ChartView } from './chart_view.ts';
import { byId, make, setAttribute, setClass, setText } from './dom.ts';
import { compact, decimalsOf, signed } from './format.ts';
import type { Store } from './store.ts';

const KEY = 'tickcast.interval';

export class ChartPanel {
  readonly view: ChartView;
  private readonly buttons: HTMLButtonElement[] = [];

  constructor(bars: Bars, private readonly store: Store, private readonly request: () => void) {
    this.view = new ChartView(bars);
    INTERVALS.forEach(({ name }, i) => {
      const button = make('button', { type: 'button', role: 'radio', 'aria-checked': 'false', title: `Interval (${i + 1})` }, name);
      button.addEventListener('click', () => this.choose(i));
      this.buttons.push(button);
      byId('intervals').append(button);
    });
    const saved = INTERVALS.findIndex(({ name }) => name === localStorage.getItem(KEY));
    this.choose(Math.max(0, saved));
  }

  choose(index: number): void {
    const interval = INTERVALS[index];
    if (interval === undefined) return;
    this.buttons.forEach((b, i) => setAttribute(b, 'aria-checked', String(i === index)));
    this.view.setInterval(interval.seconds);
    localStorage.setItem(KEY, interval.name);
    this.request();
  }

  draw(nowMs: number, feed: ChartFeed): boolean {
    this.drawHead(feed);
    if (feed.decimals > 0) this.view.setDecimals(feed.decimals);
    return this.view.draw(nowMs);
  }

  setEmptyText(text: string): void {
    setText(byId('chart-empty'), text);
  }

  private drawHead(feed: ChartFeed): void {
    const row = feed.symbol === null ? undefined : this.store.rows.get(feed.symbol);
    setText(byId('chart-symbol'), feed.symbol ?? '–');
    const last = row?.last ?? feed.lastPrice;
    setText(byId('chart-last'), last ?? '');
    const change = row === undefined || row.last === null ? null : row.change;
    setText(byId('chart-change'), change === null || row === undefined ? ''
      : `${signed(change, decimalsOf(row.last ?? ''))} (${signed(row.percent, 2)} %)`);
    const direction = change === null || change === 0 ? '' : change > 0 ? 'up' : 'down';
    setClass(byId('chart-last'), `big ${direction}`);
    setClass(byId('chart-change'), direction);
    setText(byId('chart-quote'), row === undefined || (row.bid === null && row.ask === null) ? ''
      : `${row.bid ?? '–'} × ${compact(Number(row.bidSize))}  /  ${row.ask ?? '–'} × ${compact(Number(row.askSize))}`);
  }
}
