// JSON whose numbers stay the text they are on the wire. A sequence number or a time in nanoseconds does not fit a
// JavaScript number (2^53), and a price is to be shown with the digits that were sent. So numbers are put in quotes
// before JSON.parse; whoever needs one to calculate with says which precision is enough.

export type Num = string;

// From the last match on: strings and everything that is no number, then a number. Sticky, so that a match never
// begins inside a string; no callback, so it runs at the speed of the engine.
const NUMBERS = /((?:"(?:[^"\\]|\\.)*"|[^"\d-])*)(-?\d[\d.eE+-]*)/gy;

export function parseExact(text: string): unknown {
  return JSON.parse(text.replace(NUMBERS, '$1"$2"'));
}

/** Milliseconds since 1970, with the fraction a double holds (about 0.2 us today). */
export function nsToMs(ns: Num): number {
  if (ns.length < 7) return Number(ns) / 1e6;
  return Number(ns.slice(0, -6)) + Number(ns.slice(-6)) / 1e6;
}

/** a - b of two sequence numbers; exact up to a difference of 2^53. */
export function seqDistance(a: bigint, b: bigint): number {
  return Number(a - b);
}

export function maxSeq(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
