// The dashboard: streams write into the store, views read it once a frame. Start reading here.
import { Bars } from './bars.ts';
import { ChartFeed } from './chart_feed.ts';
import { ChartPanel } from './chart_panel.ts';
import { wallMs } from './clock.ts';
import { Directory } from './directory.ts';
import { byId, Frames, make, setAttribute } from './dom.ts';
import { bindKeys, showDialog } from './keys.ts';
import type { Feed, Gap, Tick } from './messages.ts';
import { Latency, Rate } from './meter.ts';
import { SearchView } from './search_view.ts';
import { StatusView } from './status_view.ts';
import { Store } from './store.ts';
import { Stream, type Listener, type Socket, type Surroundings } from './stream.ts';
import { TapeView } from './tape_view.ts';
import { Theme } from './theme.ts';
import { WatchView } from './watch_view.ts';
import { isPrefix, Watched } from './watched.ts';

const FIRST_SYMBOLS = 24;
const WATCH_RATE = 30; // frames a second: quotes between two of them are conflated by the server
const STATUS_EVERY_MS = 250;
const CHOSEN_KEY = 'tickcast.chart';

// Packed records where the server speaks them; `?protocol=json` shows readable messages to who debugs.
const PROTOCOLS = new URLSearchParams(location.search).get('protocol') === 'json'
  ? ['tickcast.v1.json'] : ['tickcast.v1.bin', 'tickcast.v1.json'];

function openSocket(url: string): Socket {
  const socket = new WebSocket(url, PROTOCOLS);
  socket.binaryType = 'arraybuffer';
  return socket as unknown as Socket;
}

const around: Surroundings = {
  open: openSocket,
  nowMs: wallMs,
  random: Math.random,
  later: (ms, run) => window.setTimeout(run, ms),
  cancel: (timer) => window.clearTimeout((timer ?? undefined) as number | undefined),
};

class App {
  private readonly url = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/v1/ws`;
  private readonly watched = new Watched();
  private readonly store = new Store((symbol) => this.watched.has(symbol));
  private readonly rate = new Rate();
  private readonly latency = new Latency();
  private readonly frames = new Frames((now) => this.draw(now));
  private readonly request = (): void => this.frames.request();
  private readonly directory = new Directory('', this.url, around);
  private readonly status = new StatusView(this.store, this.rate, this.latency);
  private readonly theme = new Theme(() => this.onTheme());
  private readonly bars = new Bars();
  private readonly panel = new ChartPanel(this.bars, this.store, this.request);
  private readonly tapeView = new TapeView(this.request);
  private readonly watchView = new WatchView(this.store, {
    choose: (symbol) => this.choose(symbol),
    remove: (symbol) => this.remove(symbol),
  }, this.request);
  private readonly search = new SearchView(this.directory, (pattern) => this.add(pattern), () => this.watchView.focus());
  private readonly feed = new ChartFeed(this.url, around, this.bars, {
    changed: (effect) => this.panel.view.changed(effect),
    restarted: () => this.panel.view.restart(),
    notice: (text) => this.note('gap', text),
  });
  private readonly stream = new Stream(this.url, {
    symbols: [], kinds: ['trade', 'quote', 'status'], policy: 'conflate', rate: WATCH_RATE,
  }, this.events(), around);
  private tapeOfAll = false;
  private statusAt = -Infinity;

  async start(): Promise<void> {
    this.bind();
    this.status.setState('connecting', '');
    this.stream.connect();
    window.setInterval(this.request, STATUS_EVERY_MS);
    if (!this.watched.load(localStorage)) {
      for (const symbol of await this.directory.first(FIRST_SYMBOLS)) this.watched.add(symbol);
    }
    this.stream.add([...this.watched.entries]);
    for (const entry of this.watched.entries) if (!isPrefix(entry)) this.store.row(entry);
    this.showChips();
    this.chooseFirst();
  }

  // ---- the streams write

  private events(): Listener {
    return {
      state: (state, detail) => {
        this.status.setState(state, detail);
        if (detail !== '') this.note('connection', `${state}: ${detail}`);
      },
      hello: (hello, newEpoch) => {
        this.status.setServer(hello.server);
        this.note('connection', `${newEpoch ? 'new epoch' : 'connected to'} ${newEpoch ? hello.epoch : hello.server}`);
      },
      ticks: (ticks, snapshot, conflated) => this.onTicks(ticks, snapshot, conflated),
      reset: () => {
        this.store.reset();
        this.latency.clear();
      },
      gap: (gap, size) => this.onGap(gap, size),
      feed: (feed) => this.onFeed(feed),
      lag: (behind, ms) => {
        this.status.setBehind(behind, ms);
        this.note('lag', behind === 0 ? 'caught up' : `${behind} ticks, ${ms} ms`);
      },
      broken: (expected, from) => {
        this.store.broken++;
        this.note('error', `a frame begins at ${from} where ${expected} was expected`);
      },
      error: (code, message) => this.note('error', `${code}: ${message}`),
    };
  }

  private onTicks(ticks: Tick[], snapshot: boolean, conflated: number): void {
    const now = performance.now();
    this.store.apply(ticks, snapshot, now);
    this.store.conflated += conflated;
    this.request();
    if (snapshot || ticks.length === 0) return;
    this.rate.add(ticks.length, now);
    const newest = ticks[ticks.length - 1] as Tick;
    const late = 'ts' in newest ? this.stream.latencyMs(newest.ts) : null;
    if (late !== null) this.latency.add(late, now);
  }

  private onGap(gap: Gap, size: number): void {
    this.store.gaps++;
    this.store.gapTicks += size;
    const of = gap.epoch === undefined ? `log positions ${gap.from} to ${gap.to} were lost` : `all since position ${gap.seq} of epoch ${gap.epoch} was lost`;
    this.note('gap', `${of} (${gap.reason})`);
  }

  private onFeed(feed: Feed): void {
    const lost = feed.state === 'lost' ? ` ${feed.lost ?? 'an unknown number of'} ticks` : '';
    this.note('feed', `${feed.feed} ${feed.state}${lost}${feed.reason ? ` (${feed.reason})` : ''}`);
  }

  private note(kind: Parameters<Store['note']>[0], text: string): void {
    this.store.note(kind, text, Date.now());
    this.request();
  }

  // ---- the user acts

  private bind(): void {
    byId('clear-button').addEventListener('click', () => this.clear());
    byId('theme-button').addEventListener('click', () => this.theme.toggle());
    byId('keys-button').addEventListener('click', () => showDialog('keys'));
    byId('notices-button').addEventListener('click', () => this.showNotices());
    byId('tape-all').addEventListener('click', () => this.showTape(true));
    byId('tape-chosen').addEventListener('click', () => this.showTape(false));
    bindKeys({
      search: () => this.search.focus(),
      interval: (index) => this.panel.choose(index),
      theme: () => this.theme.toggle(),
      tape: () => this.showTape(!this.tapeOfAll),
      list: () => this.watchView.focus(),
      notices: () => this.showNotices(),
    });
  }

  private add(pattern: string): string | null {
    if (!this.watched.add(pattern)) {
      if (!this.watched.has(pattern)) return 'the list is full';
    }
    this.watched.save(localStorage);
    if (!isPrefix(pattern)) this.store.row(pattern);
    this.stream.add([pattern]);
    this.showChips();
    if (!isPrefix(pattern)) this.choose(pattern);
    this.request();
    return null;
  }

  private remove(entry: string): void {
    this.stream.remove(this.watched.remove(entry));
    this.watched.save(localStorage);
    this.store.drop((symbol) => this.watched.has(symbol));
    this.showChips();
    this.request();
  }

  private clear(): void {
    this.stream.remove(this.watched.clear());
    this.watched.save(localStorage);
    this.store.drop(() => false);
    byId('watch-empty').textContent = 'Nothing on the list. Press / to add a symbol.';
    this.showChips();
    this.request();
  }

  private choose(symbol: string): void {
    if (this.feed.symbol === symbol) return;
    localStorage.setItem(CHOSEN_KEY, symbol);
    this.panel.setEmptyText(`No trade of ${symbol} yet`);
    this.watchView.choose(symbol);
    this.feed.choose(symbol);
    this.request();
  }

  private chooseFirst(): void {
    const saved = localStorage.getItem(CHOSEN_KEY);
    const first = this.watched.entries.find((entry) => !isPrefix(entry));
    const symbol = saved !== null && this.watched.has(saved) ? saved : first;
    if (symbol !== undefined && this.feed.symbol === null) this.choose(symbol);
  }

  private showChips(): void {
    const patterns = this.watched.entries.filter(isPrefix);
    byId('chips').hidden = patterns.length === 0;
    byId('chips').replaceChildren(...patterns.map((pattern) => {
      const chip = make('button', { type: 'button', title: `Remove ${pattern}`, 'aria-label': `Remove ${pattern}` }, pattern);
      chip.addEventListener('click', () => this.remove(pattern));
      return chip;
    }));
  }

  private showTape(all: boolean): void {
    this.tapeOfAll = all;
    setAttribute(byId('tape-all'), 'aria-checked', String(all));
    setAttribute(byId('tape-chosen'), 'aria-checked', String(!all));
    this.request();
  }

  private showNotices(): void {
    this.status.markSeen();
    showDialog('notices');
    this.request();
  }

  private onTheme(): void {
    this.panel.view.applyTheme();
    this.request();
  }

  // ---- once a frame

  private draw(now: number): void {
    const owed = [
      this.watchView.draw(now),
      this.panel.draw(now, this.feed),
      this.tapeView.draw(this.tapeOfAll ? this.store.tape : this.feed.tape, now),
    ];
    if (now - this.statusAt >= STATUS_EVERY_MS) {
      this.statusAt = now;
      this.status.draw(now, this.stream);
    }
    if (owed.includes(true)) this.request();
  }
}

void new App().start();
