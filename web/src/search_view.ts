// The search field: suggests known symbols while typing, takes an exact name or a prefix with a star.
import { byId, make, setAttribute, setText } from './dom.ts';
import type { Directory } from './directory.ts';
import { isPrefix, patternFault } from './watched.ts';

const SUGGESTIONS = 12;
const WAIT_MS = 120;

export class SearchView {
  private readonly input = byId<HTMLInputElement>('search');
  private readonly list = byId('suggestions');
  private shown: string[] = [];
  private at = -1;
  private asked = 0;
  private timer = 0;

  /** add returns what went wrong, or null. */
  constructor(private readonly directory: Directory, private readonly add: (pattern: string) => string | null, private readonly leave: () => void) {
    this.input.addEventListener('input', () => this.onInput());
    this.input.addEventListener('keydown', (event) => this.onKey(event));
    this.input.addEventListener('focus', () => this.onInput());
    this.input.addEventListener('blur', () => this.hide());
    this.list.addEventListener('pointerdown', (event) => {
      event.preventDefault(); // the field keeps the focus
      const name = (event.target as HTMLElement).closest('li')?.dataset['value'];
      if (name !== undefined) this.take(name);
    });
  }

  focus(): void {
    this.input.focus();
    this.input.select();
  }

  private onInput(): void {
    setText(byId('search-fault'), '');
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.suggest(), WAIT_MS);
  }

  private async suggest(): Promise<void> {
    const text = this.input.value.trim();
    const mine = ++this.asked;
    const prefix = isPrefix(text) ? text.slice(0, -1) : text;
    const found = await this.directory.lookup(prefix, SUGGESTIONS);
    if (mine !== this.asked || document.activeElement !== this.input) return;
    const names = found?.symbols ?? [];
    const pattern = prefix !== '' && names.length + (found?.more ? 1 : 0) > 1 ? [`${prefix}*`] : [];
    this.show([...names, ...pattern], found?.more === true);
  }

  private show(names: string[], more: boolean): void {
    this.shown = names;
    this.at = -1;
    this.list.replaceChildren(...names.map((name, i) => {
      const hint = !isPrefix(name) ? [] : [make('span', {}, more ? `all, more than ${SUGGESTIONS}` : `all ${names.length - 1}`)];
      const item = make('li', { role: 'option', id: `suggestion-${i}`, 'aria-selected': 'false' }, name, ...hint);
      item.dataset['value'] = name;
      return item;
    }));
    this.list.hidden = names.length === 0;
    setAttribute(this.input, 'aria-expanded', String(names.length > 0));
    this.input.removeAttribute('aria-activedescendant');
  }

  private hide(): void {
    this.asked++;
    window.clearTimeout(this.timer);
    this.show([], false);
  }

  private onKey(event: KeyboardEvent): void {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') this.move(event.key === 'ArrowDown' ? 1 : -1);
    else if (event.key === 'Enter') this.take(this.shown[this.at] ?? this.input.value.trim());
    else if (event.key === 'Escape') this.close();
    else return;
    event.preventDefault();
  }

  private close(): void {
    if (!this.list.hidden) return this.hide();
    this.input.value = '';
    this.input.blur();
    this.leave();
  }

  private move(by: number): void {
    if (this.shown.length === 0) return;
    this.at = (this.at + by + this.shown.length) % this.shown.length;
    [...this.list.children].forEach((item, i) => setAttribute(item, 'aria-selected', String(i === this.at)));
    setAttribute(this.input, 'aria-activedescendant', `suggestion-${this.at}`);
    this.list.children[this.at]?.scrollIntoView({ block: 'nearest' });
  }

  private take(pattern: string): void {
    const fault = patternFault(pattern) ?? this.add(pattern);
    setText(byId('search-fault'), fault ?? '');
    if (fault !== null) return;
    this.input.value = '';
    this.hide();
  }
}
