/** Returns an element of index.html. @throws Error if there is none with this id and type */
export function byId<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`index.html must have a ${kind.name} with id "${id}".`);
}

/** Sets the text of an element only if it differs, to avoid redrawing it and having a screen reader repeat it. */
export function write(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Shows an element with a text, or hides it if there is no text. */
export function writeOrHide(element: HTMLElement, text: string | undefined): void {
  element.hidden = !text;
  write(element, text ?? '');
}

type Attributes = Record<string, string | number | boolean | undefined>;

/** Creates an element with attributes (true: set without a value; false or undefined: not set) and children. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false)
      element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children);
  return element;
}

/** Creates a button that calls `work`. */
export function button(label: string, work: () => void, attributes: Attributes = {}): HTMLButtonElement {
  const element = make('button', { type: 'button', ...attributes }, label);
  element.addEventListener('click', work);
  return element;
}

/** Returns a colour of the style sheets: `colour('push')` is the value of `--push`. */
export const colour = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** Calls `redraw` when the colour scheme changes between light and dark. */
export function onColourSchemeChange(redraw: () => void): void {
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
}

/** Returns a function that schedules `work` for the next frame, at most once per frame. */
export function onceAFrame(work: () => void): () => void {
  let scheduled = false;
  return () => {
    if (scheduled) return;
    scheduled = true;
    requestAnimationFrame(() => {
      scheduled = false;
      work();
    });
  };
}

/** Offers a file for download. */
export function download(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  make('a', { href: url, download: name }).click();
  // The browser reads the URL only after the click.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
