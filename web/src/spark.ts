// A line of the last prices, drawn small. SVG: a canvas for each row would be a layer for each row.

export const SPARK_WIDTH = 76;
export const SPARK_HEIGHT = 20;
const NAMESPACE = 'http://www.w3.org/2000/svg';
const STEPS_LEAST = 24; // a young line does not fill the width

export class Spark {
  readonly element = document.createElementNS(NAMESPACE, 'svg');
  private readonly area = document.createElementNS(NAMESPACE, 'polyline');
  private readonly line = document.createElementNS(NAMESPACE, 'polyline');

  constructor() {
    this.element.setAttribute('viewBox', `0 0 ${SPARK_WIDTH} ${SPARK_HEIGHT}`);
    this.element.setAttribute('aria-hidden', 'true');
    this.area.setAttribute('class', 'area');
    this.line.setAttribute('class', 'line');
    this.element.append(this.area, this.line);
  }

  draw(prices: readonly number[]): void {
    const { line, area } = sparkPoints(prices);
    this.line.setAttribute('points', line);
    this.area.setAttribute('points', area);
  }
}

/** Points of the line and of the area below it; none for a single price. */
export function sparkPoints(prices: readonly number[]): { line: string; area: string } {
  if (prices.length < 2) return { line: '', area: '' };
  let low = Infinity;
  let high = -Infinity;
  for (const p of prices) {
    if (p < low) low = p;
    if (p > high) high = p;
  }
  const span = high - low || 1;
  const step = SPARK_WIDTH / Math.max(prices.length - 1, STEPS_LEAST);
  const room = SPARK_HEIGHT - 4;
  const y = (p: number): string => (SPARK_HEIGHT - 2 - ((p - low) / span) * room).toFixed(1);
  const line = prices.map((p, i) => `${(i * step).toFixed(1)},${y(p)}`).join(' ');
  const right = ((prices.length - 1) * step).toFixed(1);
  return { line, area: `0,${SPARK_HEIGHT} ${line} ${right},${SPARK_HEIGHT}` };
}
