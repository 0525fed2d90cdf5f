// The candle chart: lightweight-charts, fed with what changed since the last frame.
import {
  CandlestickSeries, ColorType, createChart, CrosshairMode, HistogramSeries, TickMarkType,
  type IChartApi, type ISeriesApi, type Time, type UTCTimestamp,
} from 'lightweight-charts';
import type { Bars, Candle, Effect } from './bars.ts';
import { byId } from './dom.ts';
import { wallTime } from './format.ts';
import { colour } from './theme.ts';

const DRAW_EVERY_MS = 50;
const REBUILD_EVERY_MS = 400;

export class ChartView {
  private readonly chart: IChartApi;
  private readonly candles: ISeriesApi<'Candlestick'>;
  private readonly volume: ISeriesApi<'Histogram'>;
  private interval = 1;
  private owed: 'nothing' | 'newest' | 'all' = 'nothing';
  private drawnAt = -Infinity;
  private rebuiltAt = -Infinity;
  private drawnTo = -Infinity; // start of the newest candle on the chart
  private decimals = -1;
  private fresh = true; // the next rebuild shows the newest candles

  constructor(private readonly bars: Bars) {
    this.chart = createChart(byId('chart-box'), {
      autoSize: true,
      layout: { attributionLogo: false, fontSize: 11 }, // its style element would break the page's CSP; see the foot
      crosshair: { mode: CrosshairMode.Normal },
      timeScale: {
        timeVisible: true, secondsVisible: true, rightOffset: 4, barSpacing: 8, minBarSpacing: 1,
        tickMarkFormatter: (time: Time, type: TickMarkType) => markText(Number(time), type),
      },
      localization: { timeFormatter: (time: Time) => wallTime(new Date(Number(time) * 1000)) },
    });
    this.candles = this.chart.addSeries(CandlestickSeries, { borderVisible: false });
    this.volume = this.chart.addSeries(HistogramSeries, {
      priceScaleId: 'volume', priceFormat: { type: 'volume' }, lastValueVisible: false, priceLineVisible: false,
    });
    this.candles.priceScale().applyOptions({ scaleMargins: { top: 0.06, bottom: 0.24 } });
    this.volume.priceScale().applyOptions({ scaleMargins: { top: 0.82, bottom: 0 } });
    this.applyTheme();
  }

  applyTheme(): void {
    const line = colour('line');
    this.chart.applyOptions({
      layout: { background: { type: ColorType.Solid, color: colour('panel') }, textColor: colour('soft') },
      grid: { vertLines: { color: line }, horzLines: { color: line } },
      rightPriceScale: { borderColor: line },
      timeScale: { borderColor: line },
    });
    this.candles.applyOptions({
      upColor: colour('up'), downColor: colour('down'), wickUpColor: colour('up'), wickDownColor: colour('down'),
    });
    this.owe('all');
  }

  setInterval(seconds: number): void {
    this.interval = seconds;
    this.chart.timeScale().applyOptions({ secondsVisible: seconds < 60 });
    this.restart();
  }

  /** The series begins anew: another symbol, or time went back. */
  restart(): void {
    this.fresh = true;
    this.rebuiltAt = -Infinity;
    this.owe('all');
  }

  changed(effect: Effect): void {
    if (effect === 'restarted') this.restart();
    else this.owe(effect === 'older' ? 'all' : 'newest');
  }

  setDecimals(decimals: number): void {
    const precision = Math.min(10, decimals);
    if (precision === this.decimals) return;
    this.decimals = precision;
    this.candles.applyOptions({ priceFormat: { type: 'price', precision, minMove: 10 ** -precision } });
  }

  /** Returns true if it wants another frame soon. */
  draw(nowMs: number): boolean {
    if (this.owed === 'nothing') return false;
    if (nowMs - this.drawnAt < DRAW_EVERY_MS) return true;
    if (this.owed === 'all' && nowMs - this.rebuiltAt < REBUILD_EVERY_MS) return true;
    this.drawnAt = nowMs;
    if (this.owed === 'all') this.drawAll(nowMs);
    else this.drawNewest();
    this.owed = 'nothing';
    return false;
  }

  private owe(what: 'newest' | 'all'): void {
    if (this.owed !== 'all') this.owed = what;
  }

  private drawAll(nowMs: number): void {
    this.rebuiltAt = nowMs;
    const candles = this.bars.gather(this.interval);
    this.candles.setData(candles.map(candlePoint));
    this.volume.setData(candles.map(volumePoint));
    this.drawnTo = candles[candles.length - 1]?.time ?? -Infinity;
    byId('chart-empty').hidden = candles.length > 0;
    if (!this.fresh || candles.length === 0) return;
    this.fresh = false;
    this.candles.priceScale().applyOptions({ autoScale: true });
    this.chart.timeScale().applyOptions({ barSpacing: 8 });
    this.chart.timeScale().scrollToRealTime();
  }

  private drawNewest(): void {
    if (this.drawnTo === -Infinity) return this.drawAll(this.drawnAt);
    for (const candle of this.bars.gather(this.interval, this.drawnTo)) {
      this.candles.update(candlePoint(candle));
      this.volume.update(volumePoint(candle));
      this.drawnTo = candle.time;
    }
  }
}

function candlePoint(c: Candle): { time: UTCTimestamp; open: number; high: number; low: number; close: number } {
  return { time: c.time as UTCTimestamp, open: c.open, high: c.high, low: c.low, close: c.close };
}

function volumePoint(c: Candle): { time: UTCTimestamp; value: number; color: string } {
  return { time: c.time as UTCTimestamp, value: c.volume, color: c.close >= c.open ? 'rgb(43 196 138 / 0.4)' : 'rgb(240 97 109 / 0.4)' };
}

function markText(seconds: number, type: TickMarkType): string {
  const date = new Date(seconds * 1000);
  if (type === TickMarkType.TimeWithSeconds) return wallTime(date);
  if (type === TickMarkType.Time) return wallTime(date).slice(0, 5);
  return date.toLocaleDateString(undefined, { month: 'short', day: 'numeric' });
}
