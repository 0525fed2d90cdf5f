// The trade tape: as many lines as fit, their text replaced, newest on top.
import { byId, make, setAttribute, setText } from './dom.ts';
import { clockTime, compact } from './format.ts';
import type { Tape } from './tape.ts';

const LINE_HEIGHT = 20; // tape.css
const LINES_MAX = 80;
const DRAW_EVERY_MS = 66; // faster than anybody reads

export class TapeView {
  private readonly list = byId('tape');
  private readonly lines: HTMLLIElement[] = [];
  private drawn: { tape: Tape | null; version: number; at: number } = { tape: null, version: -1, at: -Infinity };
  private height = 0;

  constructor(request: () => void) {
    new ResizeObserver(() => {
      this.height = this.list.clientHeight;
      this.drawn.version = -1;
      request();
    }).observe(this.list);
  }

  /** Returns true if it wants another frame soon. */
  draw(tape: Tape, nowMs: number): boolean {
    if (this.drawn.tape === tape && this.drawn.version === tape.version) return false;
    if (this.drawn.tape === tape && nowMs - this.drawn.at < DRAW_EVERY_MS) return true;
    this.drawn = { tape, version: tape.version, at: nowMs };
    this.fit(Math.min(LINES_MAX, Math.floor(this.height / LINE_HEIGHT)));
    this.lines.forEach((line, i) => {
      const print = tape.prints[tape.prints.length - 1 - i];
      const [time, symbol, price, size] = line.children as unknown as [Element, Element, Element, Element];
      setText(time, print === undefined ? '' : clockTime(print.ts));
      setText(symbol, print?.symbol ?? '');
      setText(price, print?.price ?? '');
      setText(size, print === undefined ? '' : compact(Number(print.size)));
      setAttribute(line, 'data-side', print === undefined || print.direction === 0 ? '' : print.direction > 0 ? 'up' : 'down');
    });
    return false;
  }

  private fit(count: number): void {
    while (this.lines.length < count) {
      const line = make('li', {}, make('span'), make('span'), make('span'), make('span'));
      this.lines.push(line);
      this.list.append(line);
    }
    while (this.lines.length > count) this.lines.pop()?.remove();
  }
}
