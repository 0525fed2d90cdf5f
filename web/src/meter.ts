// Rates and latency over the last second or so.

/** Events per second over a sliding window of one second, in ten buckets. */
export class Rate {
  private buckets = new Float64Array(10);
  private at = 0;

  add(count: number, nowMs: number): void {
    this.forget(nowMs);
    this.buckets[this.at % 10] = (this.buckets[this.at % 10] as number) + count;
  }

  perSecond(nowMs: number): number {
    this.forget(nowMs);
    let sum = 0;
    for (let i = 1; i < 10; i++) sum += this.buckets[(this.at + i) % 10] as number; // without the unfinished one
    return sum / 0.9;
  }

  private forget(nowMs: number): void {
    const now = Math.floor(nowMs / 100);
    if (now - this.at >= 10) this.buckets.fill(0);
    else for (let b = this.at + 1; b <= now; b++) this.buckets[b % 10] = 0;
    this.at = Math.max(this.at, now);
  }
}

/** The median of the last samples, of those not older than two seconds. */
export class Latency {
  private samples: { at: number; ms: number }[] = [];

  add(ms: number, nowMs: number): void {
    this.samples.push({ at: nowMs, ms });
    if (this.samples.length > 128) this.samples.splice(0, 64);
  }

  clear(): void {
    this.samples = [];
  }

  median(nowMs: number): number | null {
    const recent = this.samples.filter((s) => nowMs - s.at < 2000).map((s) => s.ms).sort((a, b) => a - b);
    return recent.length === 0 ? null : (recent[recent.length >> 1] as number);
  }
}
