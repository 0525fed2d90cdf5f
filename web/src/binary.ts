// Messages of tickcast.v1.bin (docs/protocol-binary.md) as the objects that parseExact makes of the JSON ones: numbers
// are text with the digits that were sent. One reader a connection: it keeps the symbols that were defined.
import { parseExact, type Num } from './exact.ts';
import type { Kind, Message, Policy, Rule, Subscribed, Tick } from './messages.ts';

const POLICIES: Policy[] = ['conflate', 'complete', 'latest', 'close'];
const FRAMES: Subscribed['frame'][] = ['batch', 'tick'];
const SUBSCRIBED_KINDS: Kind[] = ['trade', 'quote', 'bar', 'book', 'status']; // bit 1, 2, ...
const KINDS = ['', 'trade', 'quote', 'bar', 'book', 'status', 'feed', 'symbol'];
const INTERVALS = '1s 5s 10s 15s 30s 1m 2m 3m 5m 10m 15m 30m 1h 2h 4h 6h 8h 12h 1d 1w 1M'.split(' ');
const STATES = ['', 'trading', 'halted', 'paused', 'quoting', 'pre_open', 'open', 'closed', 'auction'];
const FEED_STATES = ['', 'started', 'ended', 'stalled', 'failed', 'lost', 'looped', 'seeked', 'restarted', 'resumed'];
const FEED_REASONS = ['', 'ring', 'line', 'symbols', 'skipped', 'upstream'];
const GAP_REASONS = ['', 'overrun', 'policy', 'resume'];
const UNKNOWN = 2n ** 64n - 1n;

const utf8 = new TextDecoder();

export class BinaryReader {
  private readonly names = new Map<number, string>();

  /** null: definitions, or a type not known here. Throws where the bytes are not what the protocol says. */
  read(buffer: ArrayBuffer): Message | null {
    const v = new DataView(buffer);
    const flags = v.getUint8(1);
    switch (v.getUint8(0)) {
      case 1:
        return {
          type: 'hello', version: String(v.getUint16(4, true)), server: text(v, 24, v.getUint16(6, true)),
          epoch: hex(v.getBigUint64(8, true)), seq: u64(v, 16),
        };
      case 2: return this.set(v, 'subscribed');
      case 3: return this.set(v, 'unsubscribed');
      case 4: this.records(v, 8, 0n, false); return null;
      case 5: {
        const ticks = this.records(v, 24, 0n, true);
        return {
          type: 'snapshot', seq: u64(v, 8), ticks, ...(flags & 2 ? { since: u64(v, 16) } : {}), ...(flags & 1 ? { more: true } : {}),
        };
      }
      case 6: {
        const ticks = this.records(v, 24, v.getBigUint64(16, true), false);
        return { type: 'ticks', from: u64(v, 8), to: u64(v, 16), ticks, ...conflated(v) };
      }
      case 7: return this.records(v, 16, v.getBigUint64(8, true), false)[0] ?? null;
      case 8: return { type: 'covered', from: u64(v, 8), to: u64(v, 16), ...conflated(v) };
      case 9:
        return {
          type: 'gap', from: u64(v, 8), to: u64(v, 16), reason: word(GAP_REASONS, v.getUint8(2)),
          ...(flags & 1 ? { epoch: hex(v.getBigUint64(24, true)), seq: u64(v, 32) } : {}),
        };
      case 10: return { type: 'lag', behind: u64(v, 8), ms: u64(v, 16), policy: word(POLICIES, v.getUint8(2)) };
      case 11: return { type: 'heartbeat', seq: u64(v, 8), ts: u64(v, 16), ...(flags & 1 ? { stalled: true } : {}) };
      case 12: return { type: 'pong', ...id(v, 16, v.getUint8(2)), ts: u64(v, 8) };
      case 13: {
        const code = 8 + v.getUint8(2);
        const message = code + v.getUint8(3);
        return {
          type: 'error', code: text(v, code, v.getUint8(3)), message: text(v, message, v.getUint16(4, true)),
          ...id(v, 8, v.getUint8(2)),
        };
      }
      case 14: return { type: 'drain', reconnect_after_ms: u64(v, 8) };
      default: return null;
    }
  }

  private set(v: DataView, type: 'subscribed' | 'unsubscribed'): Message {
    const patterns = new Map<number, string[]>(); // by their kinds, in the order sent
    let at = 25 + v.getUint8(24);
    for (let left = v.getUint32(4, true); left > 0; left--) {
      const kinds = v.getUint8(at);
      const size = v.getUint8(at + 1);
      const same = patterns.get(kinds) ?? [];
      same.push(text(v, at + 2, size));
      patterns.set(kinds, same);
      at += 2 + size;
    }
    const rules: Rule[] = [...patterns].map(([kinds, symbols]) => ({ symbols, kinds: kindsOf(kinds) }));
    const union = [...patterns.keys()].reduce((all, kinds) => all | kinds, 0);
    return {
      type, ...id(v, 25, v.getUint8(24)), symbols: [...new Set([...patterns.values()].flat())], kinds: kindsOf(union), rules,
      policy: word(POLICIES, v.getUint8(2)), rate: rate(v.getBigUint64(16, true)), frame: word(FRAMES, v.getUint8(3)), seq: u64(v, 8),
    };
  }

  /** The ticks from `at` on; definitions are learned, unknown kinds stepped over. */
  private records(v: DataView, at: number, to: bigint, seqBefore: boolean): Tick[] {
    const ticks: Tick[] = [];
    for (let left = v.getUint16(2, true); left > 0; left--) {
      const seq = seqBefore ? u64(v, at) : null;
      if (seqBefore) at += 8;
      const size = (v.getUint8(at) >> 4) * 8;
      if (size < 16 || at + size > v.byteLength) throw new RangeError('a record is cut');
      const tick = this.record(v, at, size, seq ?? String(to - BigInt(v.getUint16(at + 6, true))));
      if (tick !== null) ticks.push(tick);
      at += size;
    }
    return ticks;
  }

  private record(v: DataView, at: number, size: number, seq: Num): Tick | null {
    const kind = KINDS[v.getUint8(at) & 15];
    const flags = v.getUint8(at + 1);
    const number = v.getUint16(at + 4, true);
    if (kind === 'symbol') this.names.set(number, padded(v, at + 8, size - 8));
    if (kind === undefined || kind === '' || kind === 'symbol') return null;
    if (kind === 'feed') return feed(v, at, seq);
    const symbol = this.names.get(number);
    if (symbol === undefined) throw new RangeError(`symbol ${number} is not defined`);
    const price = (offset: number): Num => decimal(v.getBigInt64(at + offset, true), v.getUint8(at + 2));
    const amount = (offset: number): Num => decimal(v.getBigInt64(at + offset, true), v.getUint8(at + 3));
    const ts = String(v.getBigInt64(at + 8, true));
    switch (kind) {
      case 'trade':
        return {
          type: kind, seq, symbol, price: price(16), size: amount(24), ts,
          ...(flags & 3 ? { side: flags & 1 ? 'buy' : 'sell' } : {}), ...(size > 32 ? { id: u64(v, at + 32) } : {}),
        };
      case 'quote':
        return {
          type: kind, seq, symbol, bid: flags & 1 ? null : price(16), bid_size: flags & 1 ? '0' : amount(24),
          ask: flags & 2 ? null : price(32), ask_size: flags & 2 ? '0' : amount(40), ts,
        };
      case 'bar':
        return {
          type: kind, seq, symbol, interval: word(INTERVALS, (flags >> 1) & 63), open: price(16), high: price(24), low: price(32),
          close: price(40), volume: amount(48), final: (flags & 1) === 1, ts,
        };
      case 'book':
        return { type: kind, seq, symbol, side: flags & 1 ? 'ask' : 'bid', price: price(16), size: amount(24), ts };
      default: return { type: 'status', seq, symbol, state: word(STATES, flags), ts };
    }
  }
}

function feed(v: DataView, at: number, seq: Num): Tick {
  const state = word(FEED_STATES, v.getUint8(at + 2));
  const reason = v.getUint8(at + 3);
  const lost = v.getBigUint64(at + 16, true);
  return {
    type: 'feed', feed: padded(v, at + 24, 16), state, seq, ts: String(v.getBigInt64(at + 8, true)),
    ...(state === 'lost' ? { lost: lost === UNKNOWN ? null : String(lost) } : {}),
    ...(reason ? { reason: word(FEED_REASONS, reason) } : {}), ...(v.getUint8(at + 1) & 1 ? { reset: true } : {}),
  };
}

/** Exactly as many decimals as are told: 18920 and 2 is "189.20". */
export function decimal(mantissa: bigint, decimals: number): Num {
  if (decimals === 0) return String(mantissa);
  const sign = mantissa < 0n ? '-' : '';
  const digits = String(mantissa < 0n ? -mantissa : mantissa).padStart(decimals + 1, '0');
  return `${sign}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

function kindsOf(bits: number): Kind[] {
  return SUBSCRIBED_KINDS.filter((_, i) => (bits >> (i + 1)) & 1);
}

/** The shortest decimal that means this interval: the rate that was asked for, as the server's JSON tells it. */
export function rate(intervalNs: bigint): Num {
  if (intervalNs === 0n) return '0';
  const exact = 1e9 / Number(intervalNs);
  for (let decimals = 0; ; decimals++) {
    const shown = rounded(exact, decimals);
    const read = Number(shown);
    if (decimals === 9 || (read > 0 && BigInt(Math.floor(1e9 / read + 0.5)) === intervalNs)) return shown;
  }
}

/** As toFixed, but halves to the even digit, as the server rounds. */
function rounded(x: number, decimals: number): string {
  const up = x.toFixed(decimals);
  const digits = x.toFixed(100); // all that a double has
  const end = digits.indexOf('.') + 1 + decimals;
  const half = /^50*$/.test(digits.slice(end));
  return half && /[13579]$/.test(up) ? digits.slice(0, decimals > 0 ? end : end - 1) : up;
}

function conflated(v: DataView): { conflated?: Num } {
  const count = v.getUint32(4, true);
  return count > 0 ? { conflated: String(count) } : {};
}

function word<T extends string>(words: readonly T[], code: number): T {
  const found = words[code];
  if (found === undefined || found === '') throw new RangeError(`code ${code} is not known`);
  return found;
}

function u64(v: DataView, at: number): Num {
  return String(v.getBigUint64(at, true));
}

function hex(n: bigint): string {
  return n.toString(16).padStart(16, '0');
}

function text(v: DataView, at: number, size: number): string {
  if (at + size > v.byteLength) throw new RangeError('a text is cut');
  return utf8.decode(new Uint8Array(v.buffer, v.byteOffset + at, size));
}

function padded(v: DataView, at: number, size: number): string {
  return text(v, at, size).replace(/\0+$/, '');
}

function id(v: DataView, at: number, size: number): { id?: Num } {
  return size > 0 ? { id: String(parseExact(text(v, at, size))) } : {};
}
