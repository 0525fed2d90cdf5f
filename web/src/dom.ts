// The few helpers with which views touch the page.

export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found as T;
}

export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K, attributes: Record<string, string> = {}, ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Writes only what changed: to write the same text would still cost a layout. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function setAttribute(element: Element, name: string, value: string): void {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

export function setClass(element: Element, name: string): void {
  if (element.className !== name) element.className = name;
}

/**
 * Calls draw on an animation frame after request(), however often that is called before. Drawing, with the layout and
 * painting that follow it, gets a quarter of the time at most: on a slow machine the page shows fewer pictures, each of
 * them as of now, and messages are not kept waiting behind it.
 */
export class Frames {
  private asked = false;
  private notBefore = 0;

  constructor(private readonly draw: (nowMs: number) => void) {}

  request(): void {
    if (this.asked) return;
    this.asked = true;
    const wait = this.notBefore - performance.now();
    if (wait > 4) window.setTimeout(() => this.ask(), wait);
    else this.ask();
  }

  private ask(): void {
    requestAnimationFrame((now) => {
      this.asked = false;
      const start = performance.now();
      this.draw(now);
      const { port1, port2 } = new MessageChannel(); // its message comes after this frame was laid out and painted
      port1.onmessage = () => {
        const cost = performance.now() - start;
        this.notBefore = performance.now() + Math.min(REST_MOST_MS, cost * 3);
        port1.close();
      };
      port2.postMessage(null);
    });
  }
}

const REST_MOST_MS = 250;
