// Numbers and times as the page writes them.
import { nsToMs, type Num } from './exact.ts';

const HOUR_MS = 3_600_000;

export function signed(value: number, decimals: number): string {
  const text = Math.abs(value).toFixed(decimals);
  if (Number(text) === 0) return text;
  return (value < 0 ? '\u2212' : '+') + text;
}

/** How many decimals a price was sent with. */
export function decimalsOf(price: Num): number {
  const point = price.indexOf('.');
  return point < 0 ? 0 : price.length - point - 1;
}

/** Sizes and volumes: whole below a million, then short. */
export function compact(value: number): string {
  const a = Math.abs(value);
  if (a >= 1e9) return `${(value / 1e9).toFixed(2)}B`;
  if (a >= 1e6) return `${(value / 1e6).toFixed(2)}M`;
  if (a >= 1e5) return `${(value / 1e3).toFixed(0)}K`;
  return Number.isInteger(value) ? String(value) : value.toPrecision(5).replace(/\.?0+$/, '');
}

export function grouped(value: number | bigint): string {
  return String(value).replace(/\B(?=(\d{3})+(?!\d))/g, '\u2009');
}

export function milliseconds(ms: number): string {
  if (Math.abs(ms) >= 10_000) return `${(ms / 1000).toFixed(0)} s`;
  if (Math.abs(ms) >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  return `${ms.toFixed(Math.abs(ms) < 10 ? 1 : 0)} ms`;
}

/** The lag of a live feed; a feed of old data has none that means anything. */
export function lag(ms: number | null): string {
  if (ms === null) return '\u2013';
  if (Math.abs(ms) > HOUR_MS) return 'replay';
  return milliseconds(ms);
}

function two(n: number): string {
  return n < 10 ? `0${n}` : String(n);
}

/** 14:03:59.123 in local time. */
export function clockTime(ns: Num): string {
  const date = new Date(nsToMs(ns));
  return `${wallTime(date)}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

export function wallTime(date: Date): string {
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
