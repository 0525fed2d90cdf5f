// Which symbols there are. GET /v1/symbols answers at once; where that is missing, the stream itself is watched for a
// moment. Bounded: never more names than asked for.
import { Stream, type Surroundings } from './stream.ts';

export interface Found { symbols: string[]; more: boolean }

const ASK_TIMEOUT_MS = 4_000;
const LISTEN_MS = 3_000;

export class Directory {
  constructor(private readonly base: string, private readonly url: string, private readonly around: Surroundings) {}

  /** null: this server has no directory, or did not answer. */
  async lookup(prefix: string, limit: number): Promise<Found | null> {
    const abort = new AbortController();
    const timer = this.around.later(ASK_TIMEOUT_MS, () => abort.abort());
    try {
      const query = `prefix=${encodeURIComponent(prefix)}&limit=${limit}`;
      const response = await fetch(`${this.base}/v1/symbols?${query}`, { signal: abort.signal });
      if (!response.ok) return null;
      const found = (await response.json()) as { symbols?: unknown; more?: unknown };
      if (!Array.isArray(found.symbols)) return null;
      const symbols = found.symbols.filter((s): s is string => typeof s === 'string').slice(0, limit);
      return { symbols, more: found.more === true || found.symbols.length > limit };
    } catch {
      return null;
    } finally {
      this.around.cancel(timer);
    }
  }

  /** The first symbols that stream: at least one, at most `count`. Waits until there is one. */
  async first(count: number): Promise<string[]> {
    for (;;) {
      const found = await this.lookup('', count);
      const symbols = found === null ? await this.listen(count) : found.symbols;
      if (symbols.length > 0) return symbols;
      await new Promise<void>((resolve) => void this.around.later(1_000, resolve));
    }
  }

  private listen(count: number): Promise<string[]> {
    return new Promise((resolve) => {
      const names = new Set<string>();
      const finish = (): void => {
        this.around.cancel(timer);
        stream.close();
        resolve([...names].slice(0, count));
      };
      const stream = new Stream(this.url, { symbols: ['*'], rate: 5 }, {
        ticks: (ticks) => {
          for (const tick of ticks) if ('symbol' in tick && names.size < count) names.add(tick.symbol);
          if (names.size >= count) this.around.later(0, finish);
        },
      }, this.around);
      const timer = this.around.later(LISTEN_MS, finish);
      stream.connect();
    });
  }
}
