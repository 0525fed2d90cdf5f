// What the server sends, as parseExact gives it: every number is its text.
import type { Num } from './exact.ts';

export type Kind = 'trade' | 'quote' | 'bar' | 'book' | 'status';
export type Policy = 'conflate' | 'complete' | 'latest' | 'close';

export interface Trade {
  type: 'trade'; seq: Num; symbol: string; price: Num; size: Num; ts: Num; side?: 'buy' | 'sell'; id?: Num;
}
export interface Quote {
  type: 'quote'; seq: Num; symbol: string; bid: Num | null; bid_size: Num; ask: Num | null; ask_size: Num; ts: Num;
}
export interface Bar {
  type: 'bar'; seq: Num; symbol: string; interval: string; open: Num; high: Num; low: Num; close: Num; volume: Num;
  ts: Num; final?: boolean;
}
export interface Book { type: 'book'; seq: Num; symbol: string; side: 'bid' | 'ask'; price: Num; size: Num; ts: Num }
export interface Status { type: 'status'; seq: Num; symbol: string; state: string; ts: Num }
export interface Feed {
  type: 'feed'; feed: string; state: string; seq: Num; ts: Num; reset?: boolean; lost?: Num | null; reason?: string;
}
export type Tick = Trade | Quote | Bar | Book | Status | Feed;

export interface Hello { type: 'hello'; version: Num; server: string; epoch: string; seq: Num }
export interface Rule { symbols: string[]; kinds: Kind[] }
export interface Subscribed {
  type: 'subscribed' | 'unsubscribed'; id?: Num; symbols: string[]; kinds: Kind[]; rules: Rule[]; policy: Policy; rate: Num;
  frame: 'batch' | 'tick'; seq: Num;
}
export interface Snapshot { type: 'snapshot'; seq: Num; since?: Num; more?: boolean; ticks: Tick[] }
export interface Ticks { type: 'ticks'; from: Num; to: Num; conflated?: Num; ticks: Tick[] }
export interface Covered { type: 'covered'; from: Num; to: Num; conflated?: Num }
export interface Gap { type: 'gap'; from: Num; to: Num; reason: string; epoch?: string; seq?: Num }
export interface Lag { type: 'lag'; behind: Num; ms: Num; policy: Policy }
export interface Heartbeat { type: 'heartbeat'; seq: Num; ts: Num; stalled?: boolean }
export interface Pong { type: 'pong'; id?: Num; ts: Num }
export interface ServerError { type: 'error'; id?: Num; code: string; message: string }
export interface Drain { type: 'drain'; reconnect_after_ms: Num }

export type Message =
  | Hello | Subscribed | Snapshot | Ticks | Covered | Gap | Lag | Heartbeat | Pong | ServerError | Drain | Tick;
