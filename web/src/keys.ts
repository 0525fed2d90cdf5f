// Keys of the whole page. Inside a field, and while a dialog is open, they are letters.
import { byId } from './dom.ts';

export interface KeyActions {
  search(): void;
  interval(index: number): void;
  theme(): void;
  tape(): void;
  list(): void;
  notices(): void;
}

export function showDialog(id: string): void {
  const dialog = byId<HTMLDialogElement>(id);
  if (!dialog.open) dialog.showModal();
}

export function bindKeys(actions: KeyActions): void {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target instanceof HTMLInputElement || document.querySelector('dialog[open]') !== null) return;
    if (event.key === '/') actions.search();
    else if (event.key === '?') showDialog('keys');
    else if (event.key === 't') actions.theme();
    else if (event.key === 'a') actions.tape();
    else if (event.key === 'n') actions.notices();
    else if (event.key >= '1' && event.key <= '4') actions.interval(Number(event.key) - 1);
    else if (event.key === 'ArrowDown' && document.activeElement === document.body) actions.list();
    else return;
    event.preventDefault();
  });
}
