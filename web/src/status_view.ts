// Everything that says how good the data is: connection state, meters, banner, notices, foot.
import { byId, make, setAttribute, setText } from './dom.ts';
import { grouped, lag, milliseconds, wallTime } from './format.ts';
import type { Latency, Rate } from './meter.ts';
import type { Notice, Store } from './store.ts';
import type { Stream, StreamState } from './stream.ts';

const BANNERS: Partial<Record<StreamState, string>> = {
  behind: 'This page is behind the market: what it shows is late.',
  stalled: 'The feeds deliver nothing at the moment: what is shown may be old.',
  draining: 'The server is about to close for a planned restart; this page comes back by itself.',
  reconnecting: 'Not connected: what is shown is old.',
};
const KIND_WORDS: Record<Notice['kind'], string> = {
  gap: 'Gap', lag: 'Behind', feed: 'Feed', connection: 'Connection', error: 'Error',
};

export class StatusView {
  private noticesVersion = -1;
  private seen = 0; // id of the newest notice that was looked at
  private detail = '';
  private behind = '';
  private server = '';

  constructor(private readonly store: Store, private readonly rate: Rate, private readonly latency: Latency) {}

  setState(state: StreamState, detail: string): void {
    this.detail = detail;
    if (state !== 'behind') this.behind = '';
    setAttribute(byId('state'), 'data-state', state);
    setText(byId('state-word'), state);
    setText(byId('state-detail'), detail);
    this.drawBanner(state);
  }

  setBehind(ticks: number, ms: number): void {
    this.behind = ticks === 0 ? '' : ` By ${grouped(ticks)} ticks, ${milliseconds(ms)}.`;
    this.drawBanner((byId('state').dataset['state'] ?? 'connecting') as StreamState);
  }

  setServer(server: string): void {
    this.server = server;
  }

  markSeen(): void {
    this.seen = this.store.notices[this.store.notices.length - 1]?.id ?? 0;
    this.noticesVersion = -1;
  }

  draw(nowMs: number, stream: Stream): void {
    setText(byId('meter-rate'), grouped(Math.round(this.rate.perSecond(nowMs))));
    setText(byId('meter-lag'), lag(this.latency.median(nowMs)));
    const rtt = stream.clock.rtt;
    setText(byId('meter-rtt'), rtt === null ? '–' : milliseconds(rtt));
    const { gaps, gapTicks, conflated, broken } = this.store;
    setText(byId('meter-gaps'), broken > 0 ? `${grouped(gaps)} + ${broken} untold` : grouped(gaps));
    setAttribute(byId('meter-gaps'), 'data-bad', gaps + broken > 0 ? 'yes' : 'no');
    byId('meter-gaps').title = `${grouped(gapTicks)} log positions in all`;
    setText(byId('meter-conflated'), grouped(conflated));
    setText(byId('foot-server'), this.server || 'no server yet');
    setText(byId('foot-epoch'), stream.epoch === null ? '' : `epoch ${stream.epoch}`);
    setText(byId('foot-position'), stream.position === null ? '' : `position ${grouped(stream.position)}`);
    if (this.store.noticesVersion !== this.noticesVersion) this.drawNotices();
  }

  private drawBanner(state: StreamState): void {
    const text = BANNERS[state];
    byId('banner').hidden = text === undefined;
    if (text !== undefined) setText(byId('banner'), text + (state === 'behind' ? this.behind : ''));
    document.title = state === 'live' ? 'tickcast' : `${state} · tickcast`;
    byId('state').title = this.detail;
  }

  private drawNotices(): void {
    this.noticesVersion = this.store.noticesVersion;
    const notices = this.store.notices;
    const fresh = notices.filter((n) => n.id > this.seen).length;
    setText(byId('notices-count'), String(fresh));
    setAttribute(byId('notices-count'), 'data-new', fresh > 0 ? 'yes' : 'no');
    const last = notices[notices.length - 1];
    setText(byId('foot-notice'), last === undefined ? '' : noticeText(last));
    byId('notices-list').replaceChildren(...[...notices].reverse().map((n) => make('li', { 'data-kind': n.kind },
      make('time', {}, wallTime(new Date(n.atMs))), make('b', {}, KIND_WORDS[n.kind]), make('span', {}, n.text))));
  }
}

function noticeText(notice: Notice): string {
  return `${wallTime(new Date(notice.atMs))} ${KIND_WORDS[notice.kind]}: ${notice.text}`;
}
