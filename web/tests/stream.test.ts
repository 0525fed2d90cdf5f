import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tick } from '../src/messages.ts';
import { Stream, type Socket, type StreamState, type Subscription } from '../src/stream.ts';

class FakeSocket implements Socket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  sent: string[] = [];
  closed = false;
  send(text: string): void { this.sent.push(text); }
  close(): void { this.closed = true; }
  hear(...texts: string[]): void { for (const data of texts) this.onmessage?.({ data }); }
  break(code: number, reason = ''): void { this.onclose?.({ code, reason }); }
}

/** A world with its own clock: timers run when time is moved. */
class World {
  now = 1_000;
  chance = 0;
  sockets: FakeSocket[] = [];
  states: StreamState[] = [];
  gaps: number[] = [];
  broken: string[] = [];
  resets: string[] = [];
  ticks: { seq: string; snapshot: boolean }[] = [];
  conflated = 0;
  private timers = new Map<number, { at: number; run: () => void }>();
  private timerId = 0;
  readonly stream: Stream;

  constructor(subscription: Subscription = { symbols: ['AAPL'] }) {
    this.stream = new Stream('ws://x/v1/ws', subscription, {
      state: (s) => this.states.push(s),
      gap: (_g, size) => this.gaps.push(size),
      broken: (expected, from) => this.broken.push(`${expected} ${from}`),
      reset: (why) => this.resets.push(why),
      ticks: (ticks: Tick[], snapshot, conflated) => {
        this.ticks.push(...ticks.map((t) => ({ seq: t.seq, snapshot })));
        this.conflated += conflated;
      },
    }, {
      open: () => { const s = new FakeSocket(); this.sockets.push(s); return s; },
      nowMs: () => this.now,
      random: () => this.chance,
      later: (ms, run) => { this.timers.set(++this.timerId, { at: this.now + ms, run }); return this.timerId; },
      cancel: (id) => void this.timers.delete(id as number),
    });
    this.stream.connect();
  }

  get socket(): FakeSocket { return this.sockets[this.sockets.length - 1] as FakeSocket; }

  pass(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const due = [...this.timers].filter(([, t]) => t.at <= end).sort((a, b) => a[1].at - b[1].at)[0];
      if (due === undefined) break;
      this.timers.delete(due[0]);
      this.now = due[1].at;
      due[1].run();
    }
    this.now = end;
  }

  live(seq = '100'): this {
    this.socket.hear(`{"type":"hello","version":1,"server":"tickcast/1","epoch":"e1","seq":${seq}}`,
      `{"type":"subscribed","id":1,"symbols":["AAPL"],"kinds":[],"policy":"conflate","seq":${seq}}`);
    return this;
  }

  said(op: string): string[] { return this.socket.sent.filter((t) => t.includes(`"op":"${op}"`)); }
}

const trade = (seq: string): string => `{"type":"trade","seq":${seq},"symbol":"AAPL","price":1.5,"size":1,"ts":1700000000000000000}`;
const frame = (from: string, to: string, ...ticks: string[]): string => `{"type":"ticks","from":${from},"to":${to},"ticks":[${ticks.join(',')}]}`;

test('subscribes after hello and is live with subscribed', () => {
  const w = new World({ symbols: ['AAPL', 'BRK*'], kinds: ['trade'], rate: 30, since: 'oldest' });
  assert.equal(w.socket.sent.length, 0);
  w.live();
  const said = JSON.parse(w.said('subscribe')[0] as string);
  assert.deepEqual([said.symbols, said.kinds, said.rate, said.since], [['AAPL', 'BRK*'], ['trade'], 30, 'oldest']);
  assert.equal(w.stream.state, 'live');
  assert.equal(w.stream.position, 100n);
});

test('a chain of frames is followed, also where doubles cannot tell neighbours apart', () => {
  const w = new World().live('9007199254740992');
  w.socket.hear(frame('9007199254740992', '9007199254740993', trade('9007199254740993')), frame('9007199254740993', '9007199254740994'));
  assert.deepEqual(w.broken, []);
  w.socket.hear(frame('9007199254740995', '9007199254740996'));
  assert.deepEqual(w.broken, ['9007199254740994 9007199254740995']);
  assert.equal(w.stream.position, 9007199254740996n);
});

test('snapshots and a later subscribed must stand at the position, and do not move it', () => {
  const w = new World().live();
  w.socket.hear(`{"type":"snapshot","seq":100,"ticks":[${trade('7')}]}`, frame('100', '105'));
  w.socket.hear('{"type":"subscribed","id":9,"symbols":[],"kinds":[],"policy":"conflate","seq":105}');
  assert.deepEqual(w.broken, []);
  assert.deepEqual(w.ticks, [{ seq: '7', snapshot: true }]);
  w.socket.hear('{"type":"snapshot","seq":104,"ticks":[]}');
  assert.deepEqual(w.broken, ['105 104']);
});

test('a told gap moves the position and is no broken promise', () => {
  const w = new World().live();
  w.socket.hear('{"type":"gap","from":100,"to":350,"reason":"overrun"}', frame('350', '360'));
  assert.deepEqual([w.gaps, w.broken, w.stream.position], [[250], [], 360n]);
});

test('resumes with the greater of position and heartbeat, exactly', () => {
  const w = new World().live('9007199254740993');
  w.socket.hear('{"type":"heartbeat","seq":9007199254740997,"ts":1}');
  w.socket.break(1006);
  w.pass(20_000 - 15_000);
  const first = w.sockets.length;
  assert.ok(first > 1);
  w.socket.hear('{"type":"hello","version":1,"server":"s","epoch":"e1","seq":9007199254740999}');
  assert.match(w.said('resume')[0] as string, /"epoch":"e1".*"seq":9007199254740997}/);
  w.socket.hear('{"type":"subscribed","id":1,"symbols":["AAPL"],"kinds":[],"policy":"conflate","seq":9007199254740997}', frame('9007199254740997', '9007199254740998'));
  assert.deepEqual([w.broken, w.resets, w.stream.state], [[], [], 'live']);
});

test('another epoch: everything is forgotten, the gap is told in the new numbering', () => {
  const w = new World().live('500');
  w.socket.break(1006);
  w.pass(1_000);
  w.socket.hear('{"type":"hello","version":1,"server":"s","epoch":"e2","seq":40}');
  assert.match(w.said('resume')[0] as string, /"epoch":"e1".*"seq":500}/);
  w.socket.hear('{"type":"subscribed","id":1,"symbols":[],"kinds":[],"policy":"conflate","seq":0}',
    '{"type":"gap","from":0,"to":40,"reason":"resume","epoch":"e1","seq":500}', '{"type":"snapshot","seq":40,"ticks":[]}', frame('40', '41'));
  assert.equal(w.resets.length, 1);
  assert.deepEqual([w.broken, w.stream.epoch, w.stream.position], [[], 'e2', 41n]);
  w.socket.break(1006);
  w.pass(1_000);
  w.socket.hear('{"type":"hello","version":1,"server":"s","epoch":"e2","seq":41}');
  assert.match(w.said('resume')[0] as string, /"epoch":"e2".*"seq":41}/, 'the old heartbeat is not carried over');
});

test('a refused resume begins anew', () => {
  const w = new World().live('500');
  w.socket.break(1006);
  w.pass(1_000);
  w.socket.hear('{"type":"hello","version":1,"server":"s","epoch":"e1","seq":4}', '{"type":"error","id":3,"code":"bad_seq","message":"ahead"}');
  assert.equal(w.said('subscribe').length, 1);
  w.socket.hear('{"type":"subscribed","id":4,"symbols":["AAPL"],"kinds":[],"policy":"conflate","seq":4}');
  assert.deepEqual([w.stream.position, w.resets.length, w.broken.length], [4n, 1, 0]);
});

test('drain: not before reconnect_after_ms, and then at once', () => {
  const w = new World().live();
  w.socket.hear('{"type":"drain","reconnect_after_ms":2000}');
  assert.equal(w.stream.state, 'draining');
  w.socket.break(1012, 'drain');
  w.pass(1_999);
  assert.equal(w.sockets.length, 1);
  w.pass(1);
  assert.equal(w.sockets.length, 2);
});

test('backs off further with each failure, bounded, with jitter; a full server is given time', () => {
  const waits = (code: number, chance: number, count: number): number[] => {
    const w = new World();
    w.chance = chance;
    return Array.from({ length: count }, () => {
      const before = w.now;
      const sockets = w.sockets.length;
      w.socket.break(code);
      while (w.sockets.length === sockets) w.pass(5);
      return w.now - before;
    });
  };
  const slow = waits(1006, 0.999, 10);
  const fast = waits(1006, 0, 10);
  assert.ok((slow[0] as number) <= 255 && (slow[9] as number) <= 15_005 && (slow[9] as number) > 14_000, slow.join());
  slow.forEach((ms, i) => assert.ok((fast[i] as number) < ms * 0.6, 'jitter spreads'));
  assert.ok((waits(1013, 0, 1)[0] as number) >= 2_500);
});

test('states: behind, stalled, live again', () => {
  const w = new World().live();
  w.socket.hear('{"type":"lag","behind":9000,"ms":120,"policy":"conflate"}');
  assert.equal(w.stream.state, 'behind');
  w.socket.hear('{"type":"lag","behind":0,"ms":0,"policy":"conflate"}');
  assert.equal(w.stream.state, 'live');
  w.socket.hear('{"type":"heartbeat","seq":100,"ts":1,"stalled":true}');
  assert.equal(w.stream.state, 'stalled');
  w.socket.hear('{"type":"heartbeat","seq":100,"ts":1}');
  assert.equal(w.stream.state, 'live');
});

test('a silent connection is given up', () => {
  const w = new World().live();
  w.pass(14_000);
  assert.equal(w.sockets.length, 1);
  w.pass(2_000);
  assert.ok(w.sockets[0]?.closed);
  assert.ok(w.sockets.length > 1 || w.stream.state === 'reconnecting');
});

test('a reset inside a frame parts it', () => {
  const w = new World();
  const order: string[] = [];
  const s = new Stream('u', { symbols: ['A'] }, {
    ticks: (t) => order.push(...t.map((x) => x.seq)), reset: () => order.push('reset'), feed: (f) => order.push(f.state),
  }, { open: () => w.socket, nowMs: () => 0, random: () => 0, later: () => 0, cancel: () => undefined });
  s.connect();
  w.live();
  w.socket.hear(frame('100', '103', trade('101'), '{"type":"feed","feed":"f","state":"looped","reset":true,"seq":102}', trade('103')));
  assert.deepEqual(order, ['101', 'looped', 'reset', '103']);
});

test('the server clock is the one of the quickest pong', () => {
  const w = new World().live();
  const pong = (wait: number, server: number): void => {
    const id = JSON.parse(w.said('ping').at(-1) as string).id as number;
    w.now += wait;
    w.socket.hear(`{"type":"pong","id":${id},"ts":${server}000000}`);
  };
  const sent = w.now;
  pong(10, sent + 5 + 300);
  assert.equal(w.stream.clock.offset, 300);
  w.pass(2_000);
  const at = w.now - ((w.now - 1_000 - 10) % 2_000);
  pong(400, at + 4_000);
  assert.equal(w.stream.clock.offset, 300, 'a slow one tells less');
  assert.equal(w.stream.latencyMs(`${w.now + 300 - 25}000000`), 25);
});

test('patterns are added and taken away on the open connection', () => {
  const w = new World().live();
  w.stream.add(['MSFT', 'AAPL']);
  assert.deepEqual(JSON.parse(w.said('subscribe').at(-1) as string).symbols, ['MSFT']);
  w.stream.remove(['AAPL', 'XX']);
  assert.deepEqual(JSON.parse(w.said('unsubscribe').at(-1) as string).symbols, ['AAPL']);
  assert.deepEqual(w.stream.symbols, ['MSFT']);
});
