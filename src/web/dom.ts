/** An element of index.html. @throws where there is none of that name and kind */
export function byId<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`index.html must have a ${kind.name} with id "${id}".`);
}

/** Writes text where it differs, so that nothing is redrawn or announced twice. */
export function write(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Shows an element with a text; without one, hides it. */
export function writeOrHide(element: HTMLElement, text: string | undefined): void {
  element.hidden = !text;
  write(element, text ?? '');
}

export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  text = '',
  className = '',
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  element.textContent = text;
  if (className) element.className = className;
  return element;
}

/** A colour of style.css, by the name of its property. */
export const colour = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** Calls `redraw` whenever light becomes dark or the reverse. */
export function onScheme(redraw: () => void): void {
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
}

/** Calls `work` once before the next frame, however often it was asked for. */
export function onceAFrame(work: () => void): () => void {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      work();
    });
  };
}
