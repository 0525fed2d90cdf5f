// The watch list as the user made it: exact names, and patterns that end in `*`. Saved in the browser.

const KEY = 'tickcast.watch.v1';
export const ENTRIES_MAX = 200;

/** null if the pattern is legal, else what is wrong with it. */
export function patternFault(pattern: string): string | null {
  if (pattern.length === 0) return 'type a symbol';
  if (pattern.length > 32) return 'a symbol has at most 32 characters';
  if (!/^[\x20-\x7e]+$/.test(pattern)) return 'only printable ASCII characters';
  if (pattern.includes(',')) return 'one symbol at a time, without a comma';
  return null;
}

export function isPrefix(pattern: string): boolean {
  return pattern.endsWith('*');
}

/** Does a pattern of the protocol mean this symbol? */
export function matches(pattern: string, symbol: string): boolean {
  return isPrefix(pattern) ? symbol.startsWith(pattern.slice(0, -1)) : pattern === symbol;
}

export class Watched {
  private list: string[] = [];
  private hidden = new Set<string>(); // taken off one by one though a wider pattern means them

  get entries(): readonly string[] {
    return this.list;
  }

  has(symbol: string): boolean {
    return !this.hidden.has(symbol) && this.list.some((pattern) => matches(pattern, symbol));
  }

  /** False if it was there already or the list is full. */
  add(pattern: string): boolean {
    this.hidden.delete(pattern);
    if (isPrefix(pattern)) for (const h of [...this.hidden]) if (matches(pattern, h)) this.hidden.delete(h);
    if (this.list.includes(pattern) || this.list.length >= ENTRIES_MAX) return false;
    this.list.push(pattern);
    return true;
  }

  /** Takes off an entry or one symbol that a pattern means. Returns the patterns to unsubscribe. */
  remove(entry: string): string[] {
    const gone = this.list.filter((pattern) => pattern === entry);
    this.list = this.list.filter((pattern) => pattern !== entry);
    if (this.list.some((pattern) => matches(pattern, entry)) && !isPrefix(entry)) this.hidden.add(entry);
    return gone;
  }

  clear(): string[] {
    const gone = this.list;
    this.list = [];
    this.hidden.clear();
    return gone;
  }

  save(storage: Storage): void {
    try {
      storage.setItem(KEY, JSON.stringify({ list: this.list, hidden: [...this.hidden] }));
    } catch {
      // a browser that keeps nothing still shows everything
    }
  }

  /** False if nothing usable was saved. */
  load(storage: Storage): boolean {
    try {
      const saved = JSON.parse(storage.getItem(KEY) ?? 'null') as { list?: unknown; hidden?: unknown } | null;
      if (saved === null || !Array.isArray(saved.list)) return false;
      const legal = (x: unknown): x is string => typeof x === 'string' && patternFault(x) === null;
      this.list = saved.list.filter(legal).slice(0, ENTRIES_MAX);
      this.hidden = new Set(Array.isArray(saved.hidden) ? saved.hidden.filter(legal).slice(0, ENTRIES_MAX) : []);
      return true;
    } catch {
      return false;
    }
  }
}
