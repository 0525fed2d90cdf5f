// Dark or light: as the system says until the button is used; then as chosen, remembered.

const KEY = 'tickcast.theme';

export class Theme {
  private readonly system = matchMedia('(prefers-color-scheme: light)');

  constructor(private readonly changed: () => void) {
    const saved = localStorage.getItem(KEY);
    if (saved === 'dark' || saved === 'light') document.documentElement.dataset['theme'] = saved;
    this.system.addEventListener('change', () => this.changed());
  }

  get isLight(): boolean {
    const chosen = document.documentElement.dataset['theme'];
    return chosen === undefined ? this.system.matches : chosen === 'light';
  }

  toggle(): void {
    const next = this.isLight ? 'dark' : 'light';
    document.documentElement.dataset['theme'] = next;
    try {
      localStorage.setItem(KEY, next);
    } catch {
      // not remembered, still shown
    }
    this.changed();
  }
}

/** A colour of theme.css as it is now. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
