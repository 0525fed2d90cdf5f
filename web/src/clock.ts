// The server's clock, estimated from here: of the last pings the one with the shortest way there and back tells best.

const KEPT = 12;

export class ClockOffset {
  private samples: { rtt: number; offset: number }[] = [];

  /** sent, received: local ms; server: its clock in ms, read somewhere in between. */
  add(sent: number, received: number, server: number): void {
    this.samples.push({ rtt: received - sent, offset: server - (sent + received) / 2 });
    if (this.samples.length > KEPT) this.samples.shift();
  }

  /** Server clock minus local clock in ms; null until a pong came. The error is at most rtt / 2. */
  get offset(): number | null {
    return this.best()?.offset ?? null;
  }

  get rtt(): number | null {
    return this.best()?.rtt ?? null;
  }

  private best(): { rtt: number; offset: number } | null {
    let best: { rtt: number; offset: number } | null = null;
    for (const s of this.samples) if (best === null || s.rtt <= best.rtt) best = s;
    return best;
  }
}

/** Local wall clock in ms with the fraction that Date.now() lacks. */
export function wallMs(): number {
  return performance.timeOrigin + performance.now();
}
