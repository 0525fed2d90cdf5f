// The watch list as a table that is sorted, scrolled and walked with keys. Only rows in view are drawn.
import { byId, make, setAttribute, setText } from './dom.ts';
import type { Row, Store } from './store.ts';
import { COLUMNS, WatchRow, type Column } from './watch_row.ts';

const HEAD_HEIGHT = 26;
const ROW_HEIGHT = 25; // watch.css
const SORT_EVERY_MS = 1000; // a list that jumps at each tick cannot be read
const SORT_KEY = 'tickcast.sort';

export interface WatchActions {
  choose(symbol: string): void;
  remove(symbol: string): void;
}

export class WatchView {
  private readonly table = byId<HTMLTableElement>('watch');
  private readonly head = byId<HTMLTableRowElement>('watch-head');
  private readonly body = byId<HTMLTableSectionElement>('watch-body');
  private readonly scroll = byId('watch-scroll');
  private readonly views = new Map<string, WatchRow>();
  private order: string[] = [];
  private made = 0;
  private rowsVersion = -1;
  private sortedAt = -Infinity;
  private sort: { key: string; down: boolean } = loadSort();
  private cursor: string | null = null;
  private chosen: string | null = null;

  constructor(private readonly store: Store, private readonly actions: WatchActions, private readonly request: () => void) {
    for (const column of COLUMNS) this.head.append(this.headCell(column));
    this.head.append(make('th', { class: 'col-remove' }));
    this.showSort();
    this.table.addEventListener('keydown', (event) => this.onKey(event));
    this.body.addEventListener('click', (event) => this.onClick(event));
    this.scroll.addEventListener('scroll', () => request(), { passive: true });
    new ResizeObserver(() => request()).observe(this.scroll);
  }

  choose(symbol: string | null): void {
    this.chosen = symbol;
    this.cursor ??= symbol;
    for (const [name, view] of this.views) setAttribute(view.element, 'aria-selected', String(name === symbol));
    this.showCursor(false);
  }

  focus(): void {
    this.table.focus();
  }

  /** Returns true if it wants another frame soon. */
  draw(nowMs: number): boolean {
    if (this.store.rowsVersion !== this.rowsVersion) this.syncRows();
    if (nowMs - this.sortedAt >= SORT_EVERY_MS) this.sortRows(nowMs);
    const first = Math.max(0, Math.floor((this.scroll.scrollTop - HEAD_HEIGHT) / ROW_HEIGHT));
    const last = Math.min(this.order.length, first + Math.ceil(this.scroll.clientHeight / ROW_HEIGHT) + 1);
    let owed = false;
    for (let i = first; i < last; i++) {
      const symbol = this.order[i] as string;
      const row = this.store.rows.get(symbol);
      const view = this.views.get(symbol);
      if (row !== undefined && view !== undefined && !view.draw(row, nowMs)) owed = true;
    }
    return owed;
  }

  // ---- rows and their order

  private syncRows(): void {
    this.rowsVersion = this.store.rowsVersion;
    for (const [symbol, view] of this.views) {
      if (this.store.rows.has(symbol)) continue;
      view.element.remove();
      this.views.delete(symbol);
    }
    for (const symbol of this.store.rows.keys()) {
      if (this.views.has(symbol)) continue;
      const view = new WatchRow(symbol, this.made++);
      setAttribute(view.element, 'aria-selected', String(symbol === this.chosen));
      this.views.set(symbol, view);
    }
    const size = this.store.rows.size;
    setAttribute(this.table, 'aria-rowcount', String(size));
    setText(byId('row-count'), `${size} symbol${size === 1 ? '' : 's'}`);
    byId('watch-empty').hidden = size > 0;
    if (this.cursor !== null && !this.store.rows.has(this.cursor)) this.cursor = null;
    this.sortedAt = -Infinity;
  }

  private sortRows(nowMs: number): void {
    this.sortedAt = nowMs;
    const column = COLUMNS.find((c) => c.key === this.sort.key);
    const rows = [...this.store.rows.values()];
    if (column === undefined) rows.sort((a, b) => a.index - b.index);
    else rows.sort((a, b) => compare(a, b, column) * (this.sort.down ? -1 : 1));
    const order = rows.map((row) => row.symbol);
    if (order.length === this.body.children.length && order.every((symbol, i) => symbol === this.order[i])) return;
    this.order = order;
    order.forEach((symbol, i) => {
      const element = (this.views.get(symbol) as WatchRow).element;
      if (this.body.children[i] !== element) this.body.insertBefore(element, this.body.children[i] ?? null);
    });
    this.showCursor(false);
  }

  private headCell(column: Column): HTMLTableCellElement {
    const button = make('button', { type: 'button', tabindex: '0' }, column.title);
    if (column.hint !== '') button.title = column.hint;
    button.addEventListener('click', () => this.sortBy(column.key));
    return make('th', { scope: 'col', role: 'columnheader', class: `col-${column.key}`, 'data-key': column.key }, button);
  }

  private sortBy(key: string): void {
    const first = key === 'symbol' ? false : true; // numbers: the greatest first; names: A first
    if (this.sort.key !== key) this.sort = { key, down: first };
    else if (this.sort.down === first) this.sort = { key, down: !first };
    else this.sort = { key: '', down: false }; // the third time: as they came
    localStorage.setItem(SORT_KEY, JSON.stringify(this.sort));
    this.showSort();
    this.sortedAt = -Infinity;
    this.request();
  }

  private showSort(): void {
    for (const th of this.head.children) {
      const mine = (th as HTMLElement).dataset['key'] === this.sort.key;
      setAttribute(th, 'aria-sort', !mine ? 'none' : this.sort.down ? 'descending' : 'ascending');
    }
  }

  // ---- keys and clicks

  private onKey(event: KeyboardEvent): void {
    if (event.target !== this.table || event.ctrlKey || event.altKey || event.metaKey) return;
    const page = Math.max(1, Math.floor(this.scroll.clientHeight / ROW_HEIGHT) - 2);
    const at = this.cursor === null ? -1 : this.order.indexOf(this.cursor);
    const moves: Record<string, number> = {
      ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: this.order.length - 1,
    };
    const to = moves[event.key];
    if (to !== undefined) this.moveTo(to);
    else if (event.key === 'Enter' && this.cursor !== null) this.actions.choose(this.cursor);
    else if (event.key === 'Delete' && this.cursor !== null) this.removeAt(at);
    else return;
    event.preventDefault();
  }

  private moveTo(index: number): void {
    if (this.order.length === 0) return;
    this.cursor = this.order[Math.max(0, Math.min(this.order.length - 1, index))] as string;
    this.showCursor(true);
    this.request();
  }

  private removeAt(index: number): void {
    const symbol = this.order[index] as string;
    this.cursor = this.order[index + 1] ?? this.order[index - 1] ?? null;
    this.actions.remove(symbol);
  }

  private onClick(event: MouseEvent): void {
    const target = event.target as HTMLElement;
    const symbol = target.closest('tr')?.dataset['symbol'];
    if (symbol === undefined) return;
    if (target.closest('.remove') !== null) return this.actions.remove(symbol);
    this.cursor = symbol;
    this.actions.choose(symbol);
    this.showCursor(false);
  }

  private showCursor(follow: boolean): void {
    for (const [symbol, view] of this.views) {
      setAttribute(view.element, 'data-cursor', symbol === this.cursor ? 'yes' : 'no');
    }
    const view = this.cursor === null ? undefined : this.views.get(this.cursor);
    if (view === undefined) return this.table.removeAttribute('aria-activedescendant');
    setAttribute(this.table, 'aria-activedescendant', view.element.id);
    if (!follow) return;
    const top = this.order.indexOf(this.cursor as string) * ROW_HEIGHT;
    const room = this.scroll.clientHeight - HEAD_HEIGHT - ROW_HEIGHT;
    if (top < this.scroll.scrollTop) this.scroll.scrollTop = top;
    else if (top > this.scroll.scrollTop + room) this.scroll.scrollTop = top - room;
  }
}

function compare(a: Row, b: Row, column: Column): number {
  const x = column.value(a);
  const y = column.value(b);
  return x < y ? -1 : x > y ? 1 : a.index - b.index;
}

function loadSort(): { key: string; down: boolean } {
  try {
    const saved = JSON.parse(localStorage.getItem(SORT_KEY) ?? 'null') as { key?: unknown; down?: unknown } | null;
    if (typeof saved?.key === 'string') return { key: saved.key, down: saved.down === true };
  } catch {
    // an unreadable setting is none
  }
  return { key: '', down: false };
}
