// One connection to /v1/ws and what keeps it true: every frame must begin where the last one ended, an interruption
// is resumed from where we stood, and whatever is missing is reported, never papered over. No DOM: the socket, the
// clock and chance are passed in, so that tests run it without a network.
import { BinaryReader } from './binary.ts';
import { ClockOffset } from './clock.ts';
import { maxSeq, nsToMs, parseExact, seqDistance } from './exact.ts';
import type { Feed, Gap, Heartbeat, Hello, Kind, Message, Policy, Subscribed, Tick, Ticks } from './messages.ts';

export type StreamState = 'connecting' | 'live' | 'behind' | 'stalled' | 'reconnecting' | 'draining' | 'closed';

export interface Subscription {
  symbols: string[];
  kinds?: Kind[];
  policy?: Policy;
  rate?: number;
  since?: string;
}

export interface Listener {
  state?(state: StreamState, detail: string): void;
  hello?(hello: Hello, newEpoch: boolean): void;
  /** Deliveries in order of seq; `snapshot` ones are state as of now, not events. */
  ticks?(ticks: Tick[], snapshot: boolean, conflated: number): void;
  /** Nothing that we hold is known to be true any more: another epoch, or a feed's time went back. */
  reset?(reason: string): void;
  gap?(gap: Gap, size: number): void;
  feed?(feed: Feed): void;
  lag?(behind: number, ms: number): void;
  heartbeat?(heartbeat: Heartbeat): void;
  /** The server broke its own rule: a frame did not begin where the last one ended. */
  broken?(expected: bigint, from: bigint): void;
  error?(code: string, message: string): void;
  clock?(offsetMs: number, rttMs: number): void;
}

/** The part of WebSocket that is used. */
export interface Socket {
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

export interface Surroundings {
  open(url: string): Socket;
  nowMs(): number;
  random(): number;
  later(ms: number, run: () => void): unknown;
  cancel(timer: unknown): void;
}

const BACKOFF_FIRST_MS = 250;
const BACKOFF_MOST_MS = 15_000;
const BACKOFF_REFUSED_MS = 5_000; // the server said that it is full, or that we may not: no use to hurry
const PING_EVERY_MS = 2_000;
const SILENCE_MS = 15_000; // heartbeats come every 5 s: after three missed ones the connection is dead
const HANDSHAKE_MS = 10_000;

export class Stream {
  readonly clock = new ClockOffset();
  state: StreamState = 'connecting';
  epoch: string | null = null;
  position: bigint | null = null; // as in the protocol: moved by subscribed, ticks, gap and covered alone
  messages = 0;

  private socket: Socket | null = null;
  private heartbeatSeq = 0n;
  private awaited: 'none' | 'subscribe' | 'resume' = 'none'; // whose `subscribed` sets the position
  private commandId = 0;
  private failures = 0;
  private drainAfterMs: number | null = null;
  private behind = false;
  private stalled = false;
  private closed = false;
  private greeted = false; // hello came on this very connection
  private pings = new Map<string, number>();
  private retryTimer: unknown = null;
  private pingTimer: unknown = null;
  private silenceTimer: unknown = null;

  constructor(
    private readonly url: string,
    private subscription: Subscription,
    private readonly listener: Listener,
    private readonly around: Surroundings,
  ) {}

  connect(): void {
    this.closed = false;
    this.open();
  }

  close(): void {
    this.closed = true;
    this.dropSocket();
    this.around.cancel(this.retryTimer);
    this.enter('closed', '');
  }

  /** Patterns added to the set in force. */
  add(symbols: string[]): void {
    const fresh = symbols.filter((s) => !this.subscription.symbols.includes(s));
    if (fresh.length === 0) return;
    this.subscription = { ...this.subscription, symbols: [...this.subscription.symbols, ...fresh] };
    if (this.canSend()) this.sendSubscribe(fresh, this.position === null);
  }

  /** Takes away exactly these patterns. */
  remove(symbols: string[]): void {
    const gone = symbols.filter((s) => this.subscription.symbols.includes(s));
    if (gone.length === 0) return;
    const symbolsLeft = this.subscription.symbols.filter((s) => !gone.includes(s));
    this.subscription = { ...this.subscription, symbols: symbolsLeft };
    if (this.canSend()) this.send({ op: 'unsubscribe', symbols: gone });
  }

  get symbols(): readonly string[] {
    return this.subscription.symbols;
  }

  /** ms from the event to now by the server's clock; null while that clock is unknown. */
  latencyMs(tsNs: string): number | null {
    const offset = this.clock.offset;
    return offset === null ? null : this.around.nowMs() + offset - nsToMs(tsNs);
  }

  // ---- the life of a connection

  private open(): void {
    this.enter(this.epoch === null && this.failures === 0 ? 'connecting' : 'reconnecting', '');
    this.behind = this.stalled = false;
    this.drainAfterMs = null;
    this.awaited = 'none';
    this.pings.clear();
    const socket = this.around.open(this.url);
    this.socket = socket;
    const binary = new BinaryReader();
    socket.onmessage = (event) => {
      if (typeof event.data === 'string') this.receive(parseExact(event.data) as Message);
      else if (event.data instanceof ArrayBuffer) this.receiveBinary(binary, event.data);
    };
    socket.onclose = (event) => this.lost(event.code, event.reason);
    this.watchSilence(HANDSHAKE_MS);
  }

  private canSend(): boolean {
    return this.socket !== null && this.greeted;
  }

  private lost(code: number, reason: string): void {
    const after = this.drainAfterMs;
    this.dropSocket();
    if (this.closed) return;
    const wait = after !== null ? after * (1 + this.around.random() * 0.25) : this.backoff(code);
    const said = reason ? `${code} ${reason}` : `${code}`;
    this.enter(after !== null ? 'draining' : 'reconnecting', `closed ${said}; again in ${(wait / 1000).toFixed(1)} s`);
    this.around.cancel(this.retryTimer);
    this.retryTimer = this.around.later(wait, () => this.open());
  }

  private backoff(code: number): number {
    const refused = code === 1013 || code === 1008 || code === 4001;
    const first = refused ? BACKOFF_REFUSED_MS : BACKOFF_FIRST_MS;
    const most = Math.min(BACKOFF_MOST_MS, first * 2 ** Math.min(this.failures++, 10));
    return most / 2 + (this.around.random() * most) / 2; // jitter: a crowd must not come back as one
  }

  private dropSocket(): void {
    this.around.cancel(this.pingTimer);
    this.around.cancel(this.silenceTimer);
    this.greeted = false;
    const socket = this.socket;
    this.socket = null;
    if (socket === null) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(1000);
  }

  private watchSilence(ms: number): void {
    this.around.cancel(this.silenceTimer);
    this.silenceTimer = this.around.later(ms, () => this.lost(1006, 'silent'));
  }

  private enter(state: StreamState, detail: string): void {
    if (this.state === state && detail === '') return;
    this.state = state;
    this.listener.state?.(state, detail);
  }

  private enterByFlags(): void {
    if (this.drainAfterMs !== null) this.enter('draining', '');
    else if (this.stalled) this.enter('stalled', '');
    else if (this.behind) this.enter('behind', '');
    else if (this.position !== null) this.enter('live', '');
  }

  // ---- what we say

  private send(command: Record<string, unknown>, exact: Record<string, bigint> = {}): string {
    const id = String(++this.commandId);
    const numbers = Object.entries(exact).map(([key, value]) => `,${JSON.stringify(key)}:${value}`).join('');
    this.socket?.send(`${JSON.stringify({ ...command, id: this.commandId }).slice(0, -1)}${numbers}}`);
    return id;
  }

  private sendSubscribe(symbols: string[], first: boolean): void {
    if (symbols.length === 0) return;
    const { kinds, policy, rate, since } = this.subscription;
    if (first) this.awaited = 'subscribe';
    this.send({ op: 'subscribe', symbols, kinds, policy, rate, snapshot: true, since: first ? since : undefined });
  }

  private sendResume(): void {
    const { symbols, kinds, policy, rate } = this.subscription;
    this.awaited = 'resume';
    const seq = maxSeq(this.position ?? 0n, this.heartbeatSeq);
    this.send({ op: 'resume', epoch: this.epoch, symbols, kinds, policy, rate, snapshot: true }, { seq });
  }

  private ping(): void {
    const sent = this.around.nowMs();
    this.pings.set(this.send({ op: 'ping' }), sent);
    if (this.pings.size > 8) this.pings.delete(this.pings.keys().next().value as string);
    this.pingTimer = this.around.later(PING_EVERY_MS, () => this.ping());
  }

  // ---- what we hear

  private receiveBinary(reader: BinaryReader, data: ArrayBuffer): void {
    let message: Message | null;
    try {
      message = reader.read(data);
    } catch (e) {
      return this.lost(1007, `unreadable: ${(e as Error).message}`);
    }
    if (message !== null) this.receive(message);
  }

  private receive(message: Message): void {
    this.messages++;
    this.watchSilence(SILENCE_MS);
    switch (message.type) {
      case 'hello': return this.onHello(message);
      case 'subscribed':
      case 'unsubscribed': return this.onSubscribed(message);
      case 'snapshot':
        this.check(BigInt(message.seq));
        return this.listener.ticks?.(message.ticks, true, 0);
      case 'ticks': return this.onTicks(message);
      case 'covered':
        return this.advance(BigInt(message.from), BigInt(message.to));
      case 'gap': return this.onGap(message);
      case 'lag':
        this.behind = message.behind !== '0';
        this.listener.lag?.(Number(message.behind), Number(message.ms));
        return this.enterByFlags();
      case 'heartbeat': return this.onHeartbeat(message);
      case 'pong': {
        const sent = this.pings.get(String(message.id));
        this.pings.delete(String(message.id));
        if (sent === undefined) return;
        this.clock.add(sent, this.around.nowMs(), nsToMs(message.ts));
        return this.listener.clock?.(this.clock.offset as number, this.clock.rtt as number);
      }
      case 'error': return this.onError(message.code, message.message);
      case 'drain':
        this.drainAfterMs = Number(message.reconnect_after_ms);
        return this.enter('draining', `server closes; again in ${(this.drainAfterMs / 1000).toFixed(1)} s`);
      default:
        if ('seq' in message) this.deliver([message], 0); // frame=tick: coverage comes by `covered`
    }
  }

  private onHello(hello: Hello): void {
    const known = this.epoch;
    this.greeted = true;
    if (known !== null && this.position !== null && this.subscription.symbols.length > 0) {
      this.sendResume(); // names the epoch that we know: the server tells what is lost
    } else {
      this.position = null;
      this.sendSubscribe(this.subscription.symbols, true);
    }
    const isNew = known !== null && known !== hello.epoch;
    this.epoch = hello.epoch;
    this.heartbeatSeq = isNew ? 0n : this.heartbeatSeq;
    this.listener.hello?.(hello, isNew);
    if (isNew) this.listener.reset?.('another epoch: the server was started anew');
    if (this.subscription.symbols.length === 0) this.enter('live', '');
    this.ping();
  }

  private onSubscribed(message: Subscribed): void {
    const seq = BigInt(message.seq);
    if (this.awaited !== 'none' || this.position === null) {
      this.position = seq;
      this.awaited = 'none';
      this.failures = 0;
    } else {
      this.check(seq);
    }
    this.enterByFlags();
  }

  private onTicks(message: Ticks): void {
    this.advance(BigInt(message.from), BigInt(message.to));
    this.deliver(message.ticks, Number(message.conflated ?? 0));
  }

  private deliver(ticks: Tick[], conflated: number): void {
    let start = 0; // a reset inside a frame parts it: what stands before it belongs to the old state
    for (let i = 0; i < ticks.length; i++) {
      const tick = ticks[i] as Tick;
      if (tick.type !== 'feed') continue;
      if (i > start) this.listener.ticks?.(ticks.slice(start, i), false, 0);
      start = i + 1;
      this.listener.feed?.(tick);
      if (tick.reset) this.listener.reset?.(`feed ${tick.feed} ${tick.state}`);
    }
    const rest = start === 0 ? ticks : ticks.slice(start);
    if (rest.length > 0 || conflated > 0) this.listener.ticks?.(rest, false, conflated);
  }

  private onGap(gap: Gap): void {
    const from = BigInt(gap.from);
    const to = BigInt(gap.to);
    this.advance(from, to);
    this.listener.gap?.(gap, seqDistance(to, from));
  }

  private onHeartbeat(heartbeat: Heartbeat): void {
    this.heartbeatSeq = maxSeq(this.heartbeatSeq, BigInt(heartbeat.seq));
    this.stalled = heartbeat.stalled === true;
    this.listener.heartbeat?.(heartbeat);
    this.enterByFlags();
  }

  private onError(code: string, message: string): void {
    this.listener.error?.(code, message);
    if (this.awaited !== 'resume') return;
    this.position = null; // what we held cannot be resumed: begin as a newcomer
    this.heartbeatSeq = 0n;
    this.listener.reset?.(`resume refused: ${code}`);
    this.sendSubscribe(this.subscription.symbols, true);
  }

  private check(seq: bigint): void {
    if (this.position !== null && seq !== this.position) this.listener.broken?.(this.position, seq);
  }

  private advance(from: bigint, to: bigint): void {
    this.check(from);
    this.position = to;
  }
}
