// A small stand-in for the server that speaks enough of the protocol to do, on demand, what a healthy server does
// rarely: gaps, drains, resets, another epoch, a cut connection, a stall, and ticks at any rate.
import { createServer } from 'node:http';
import { readFileSync, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { extname, join } from 'node:path';
import { randomBytes } from 'node:crypto';

const { WebSocketServer } = createRequire(new URL('../../../web/package.json', import.meta.url))('ws');
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const FRAME_MS = 33;
const LOG_KEPT = 60_000;

export class FakeServer {
  /** options: dist (folder of the built page), symbols, rate (ticks/s), firstSeq, hasDirectory */
  constructor(options) {
    this.options = { symbols: 60, rate: 500, firstSeq: 1n, hasDirectory: true, ...options };
    this.names = Array.from({ length: this.options.symbols }, (_, i) => `${'ABCDEFGHIJ'[i % 10]}${'ABC'[Math.floor(i / 10) % 3]}${String(i).padStart(2, '0')}`);
    this.prices = this.names.map((_, i) => 5_000 + i * 137);
    this.clients = new Set();
    this.resumes = []; // what clients asked to resume, for the test to see
    this.shiftMs = 0; // event time minus wall time
    this.stalled = false; // what each heartbeat says of the feeds
    this.greetings = 0; // connections so far
    this.newEpoch();
  }

  async listen(port = 0) {
    this.http = createServer((request, reply) => this.answer(request, reply));
    const wss = new WebSocketServer({ server: this.http, path: '/v1/ws' });
    wss.on('connection', (socket) => this.greet(socket));
    await new Promise((resolve) => this.http.listen(port, '127.0.0.1', resolve));
    this.port = this.http.address().port;
    this.last = performance.now();
    this.timer = setInterval(() => this.turn(), FRAME_MS);
    return this;
  }

  get url() { return `http://127.0.0.1:${this.port}/`; }

  async close() {
    clearInterval(this.timer);
    for (const c of this.clients) c.socket.terminate();
    await new Promise((resolve) => this.http.close(resolve));
  }

  // ---- faults

  /** The process died: connections break, the log begins anew. */
  restart() { this.cut(); this.newEpoch(); }
  cut() { for (const c of this.clients) c.socket.terminate(); }
  /** As if the log had lapped everybody by `count` ticks. */
  gap(count) {
    for (const c of this.clients) {
      this.flush(c);
      const from = c.position;
      c.position = this.head + BigInt(count);
      this.say(c, { type: 'gap', reason: 'overrun' }, { from, to: c.position });
    }
    this.head += BigInt(count);
  }
  /** A frame that does not begin where the last one ended: what no server may do. */
  breakPromise() { for (const c of this.clients) c.position += 5n; this.head += 5n; }
  drain(ms) {
    for (const c of this.clients) { this.say(c, { type: 'drain', reconnect_after_ms: ms }); c.socket.close(1012, 'drain'); }
  }
  /** A replay that begins again: time goes back. */
  loop(backMs) {
    this.shiftMs -= backMs;
    this.append((seq) => `{"type":"feed","feed":"fake","state":"looped","reset":true,"seq":${seq}}`, null, 'feed');
  }
  lag(behind, ms) { for (const c of this.clients) this.say(c, { type: 'lag', behind, ms, policy: 'conflate' }); }
  /** The feeds stand still, or go on: told at once and with each heartbeat, so that a page keeps saying it. */
  stall(stalled) { this.stalled = stalled; for (const c of this.clients) this.beat(c); }

  // ---- the log

  newEpoch() {
    this.epoch = randomBytes(8).toString('hex');
    this.head = BigInt(this.options.firstSeq) - 1n;
    this.log = [];
    this.values = new Map();
  }

  append(json, symbol, kind) {
    const seq = ++this.head;
    const tick = { seq, symbol, kind, json: json(seq) };
    this.log.push(tick);
    if (symbol !== null) this.values.set(`${symbol} ${kind}`, tick);
    if (this.log.length > LOG_KEPT) this.log.splice(0, LOG_KEPT / 4);
  }

  turn() {
    const now = performance.now();
    const most = Math.max(5_000, this.options.rate); // a second's: after a shorter delay the rate is kept
    const count = Math.min(most, Math.round(((now - this.last) / 1000) * this.options.rate));
    if (count > 0) this.last = now;
    for (let i = 0; i < count; i++) this.makeTick(i % 3 === 0);
    for (const c of this.clients) this.flush(c);
  }

  makeTick(isTrade) {
    const i = Math.floor(Math.random() * this.names.length);
    const step = Math.round((Math.random() - 0.5) * 6);
    const p = (this.prices[i] = Math.max(100, this.prices[i] + step));
    const ts = BigInt(Math.floor((Date.now() + this.shiftMs) * 1000)) * 1000n + 123n;
    const s = this.names[i];
    const text = (cents) => (cents / 100).toFixed(2);
    if (isTrade) this.append((seq) => `{"type":"trade","seq":${seq},"symbol":"${s}","price":${text(p)},"size":${1 + Math.floor(Math.random() * 9) * 100},"side":"${step > 0 ? 'buy' : 'sell'}","ts":${ts}}`, s, 'trade');
    else this.append((seq) => `{"type":"quote","seq":${seq},"symbol":"${s}","bid":${text(p - 1)},"bid_size":300,"ask":${text(p + 1)},"ask_size":200,"ts":${ts}}`, s, 'quote');
  }

  // ---- a client

  greet(socket) {
    const c = { socket, rules: [], position: this.head };
    this.clients.add(c);
    this.greetings++;
    socket.on('close', () => this.clients.delete(c));
    socket.on('message', (data) => this.command(c, String(data)));
    this.say(c, { type: 'hello', version: 1, server: 'tickcast/fake', epoch: this.epoch }, { seq: this.head });
    c.beats = setInterval(() => this.beat(c), 1000);
    socket.on('close', () => clearInterval(c.beats));
  }

  command(c, text) {
    const command = JSON.parse(text);
    const id = command.id;
    if (command.op === 'ping') return this.say(c, { type: 'pong', id }, { ts: BigInt(Date.now()) * 1_000_000n });
    this.flush(c);
    if (command.op === 'unsubscribe') c.rules = c.rules.filter((r) => !command.symbols.includes(r.pattern));
    else {
      for (const pattern of command.symbols) c.rules.push({ pattern, kinds: command.kinds ?? null });
      if (command.op === 'resume') return this.resume(c, command, BigInt(/"seq":(\d+)/.exec(text)[1]));
      if (command.since === 'oldest') c.position = (this.log[0]?.seq ?? this.head + 1n) - 1n;
    }
    this.confirm(c, id, command.op === 'unsubscribe' ? 'unsubscribed' : 'subscribed');
    if (command.op === 'subscribe' && command.since === undefined) this.snapshot(c);
  }

  resume(c, command, seq) {
    this.resumes.push({ epoch: command.epoch, seq });
    const known = command.epoch === this.epoch;
    c.position = known ? seq : 0n;
    this.confirm(c, command.id, 'subscribed');
    if (known) return;
    c.position = this.head;
    this.say(c, { type: 'gap', reason: 'resume', epoch: command.epoch }, { from: 0n, to: this.head, seq });
    this.snapshot(c);
  }

  confirm(c, id, type) {
    this.say(c, { type, id, symbols: c.rules.map((r) => r.pattern), kinds: [], policy: 'conflate' }, { seq: c.position });
  }

  snapshot(c) {
    const ticks = [...this.values.values()].filter((t) => t.seq <= c.position && this.wants(c, t)).map((t) => t.json);
    this.raw(c, `{"type":"snapshot","seq":${c.position},"ticks":[${ticks.join(',')}]}`);
  }

  wants(c, tick) {
    if (tick.symbol === null) return true;
    return c.rules.some(({ pattern, kinds }) => (kinds === null || kinds.includes(tick.kind)) &&
      (pattern.endsWith('*') ? tick.symbol.startsWith(pattern.slice(0, -1)) : pattern === tick.symbol));
  }

  flush(c) {
    if (c.rules.length === 0 || c.position >= this.head) { if (c.rules.length === 0) c.position = this.head; return; }
    const quotes = new Map();
    const kept = [];
    for (const t of this.log) {
      if (t.seq <= c.position || !this.wants(c, t)) continue;
      if (t.kind === 'quote') quotes.set(t.symbol, t);
      kept.push(t);
    }
    const out = kept.filter((t) => t.kind !== 'quote' || quotes.get(t.symbol) === t);
    const conflated = kept.length - out.length;
    this.raw(c, `{"type":"ticks","from":${c.position},"to":${this.head},${conflated ? `"conflated":${conflated},` : ''}"ticks":[${out.map((t) => t.json).join(',')}]}`);
    c.position = this.head;
  }

  beat(c) {
    this.say(c, { type: 'heartbeat', ...(this.stalled ? { stalled: true } : {}) }, { seq: c.position, ts: BigInt(Date.now()) * 1_000_000n });
  }

  say(c, message, exact = {}) {
    const numbers = Object.entries(exact).map(([k, v]) => `,"${k}":${v}`).join('');
    this.raw(c, `${JSON.stringify(message).slice(0, -1)}${numbers}}`);
  }

  raw(c, text) { if (c.socket.readyState === 1) c.socket.send(text); }

  // ---- http

  answer(request, reply) {
    const url = new URL(request.url, 'http://x');
    if (url.pathname === '/v1/symbols' && this.options.hasDirectory) {
      const limit = Number(url.searchParams.get('limit') ?? 20);
      const found = this.names.filter((n) => n.startsWith(url.searchParams.get('prefix') ?? '')).sort();
      reply.setHeader('content-type', 'application/json');
      return reply.end(JSON.stringify({ epoch: this.epoch, seq: Number(this.head), symbols: found.slice(0, limit), more: found.length > limit }));
    }
    const path = join(this.options.dist, url.pathname === '/' ? 'index.html' : url.pathname);
    if (!path.startsWith(this.options.dist) || !existsSync(path)) return reply.writeHead(404).end();
    reply.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' }).end(readFileSync(path));
  }
}
