// A line of the last prices, drawn small.

export interface SparkColours { up: string; down: string; flat: string }

export function drawSpark(canvas: HTMLCanvasElement, points: readonly number[], reference: number, c: SparkColours): void {
  const scale = devicePixelRatio || 1;
  const width = Math.round(76 * scale);
  const height = Math.round(20 * scale);
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext('2d');
  if (context === null) return;
  context.clearRect(0, 0, width, height);
  if (points.length < 2) return;

  let low = Infinity;
  let high = -Infinity;
  for (const p of points) {
    if (p < low) low = p;
    if (p > high) high = p;
  }
  const last = points[points.length - 1] as number;
  const span = high - low || 1;
  const step = width / Math.max(points.length - 1, 24);
  const y = (p: number): number => height - 2 * scale - ((p - low) / span) * (height - 4 * scale);
  const path = new Path2D();
  points.forEach((p, i) => (i === 0 ? path.moveTo(0, y(p)) : path.lineTo(i * step, y(p))));
  context.lineWidth = 1.2 * scale;
  context.lineJoin = 'round';
  context.strokeStyle = last > reference ? c.up : last < reference ? c.down : c.flat;
  context.stroke(path);
  path.lineTo((points.length - 1) * step, height);
  path.lineTo(0, height);
  context.globalAlpha = 0.12;
  context.fillStyle = context.strokeStyle;
  context.fill(path);
  context.globalAlpha = 1;
}
