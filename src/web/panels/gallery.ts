import { messageOf, sentence } from '../../base/errors.ts';
import type { Card } from '../../train/gallery.ts';
import { button, byId, make, write, writeOrHide } from '../dom.ts';
import { bringIntoView } from './fold.ts';

/**
 * The trained models that come with the page: a description of each, its accuracy by length, and a button that opens
 * it.
 */
export class Gallery {
  readonly #list = byId('gallery', HTMLElement);
  readonly #status = byId('gallery-status', HTMLElement);
  readonly #open: (bytes: Promise<Uint8Array>, name: string) => Promise<void>;
  #cards: readonly Card[] = [];

  constructor(open: (bytes: Promise<Uint8Array>, name: string) => Promise<void>) {
    this.#open = open;
    // The list is loaded when the user scrolls near the panel.
    const observer = new IntersectionObserver(
      entries => {
        if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
        observer.disconnect();
        void this.#load();
      },
      { rootMargin: '1000px' },
    );
    observer.observe(this.#status.parentElement!);
  }

  #loading: Promise<void> | undefined;

  /** Loads the list, once. Reports a failure on the page. */
  #load(): Promise<void> {
    this.#loading ??= this.#fill().catch(error =>
      write(this.#status, `The gallery could not be loaded: ${sentence(messageOf(error))} Reload the page.`),
    );
    return this.#loading;
  }

  async #fill(): Promise<void> {
    const response = await fetchOk(new URL('../../../gallery/cards.json', import.meta.url));
    this.#cards = await response.json();
    this.#list.replaceChildren(...this.#cards.map(card => this.#item(card)));
  }

  /** Opens a model by its name. */
  async open(name: string): Promise<void> {
    await this.#load();
    const card = this.#cards.find(card => card.name === name);
    if (card) await this.#openCard(card);
    else bringIntoView(this.#status, { block: 'center' });
  }

  #item(card: Card): HTMLElement {
    const { name, title, text, command, accuracy, sequences } = card;
    const open = button('Open', () => void this.#openCard(card), { 'aria-label': `Open ${title}` });
    const bars = accuracy.map(({ length, coarse }) => {
      const bar = make('i', { class: 'bar' });
      bar.style.setProperty('--share', String(coarse));
      return make(
        'li',
        { title: `${sequences} sequences` },
        make('span', {}, String(length)),
        bar,
        make('span', {}, `${Math.floor(100 * coarse)} %`),
      );
    });
    return make(
      'li',
      { id: `gallery-${name}` },
      make('div', { class: 'inline heading' }, make('h3', {}, title), open),
      make('p', {}, text),
      make('ul', { class: 'accuracies' }, ...bars),
      make('code', {}, command),
    );
  }

  async #openCard({ name, title }: Card): Promise<void> {
    write(this.#status, `Opening ${title} …`);
    try {
      const response = fetchOk(new URL(`../../../gallery/${name}.safetensors`, import.meta.url));
      const bytes = response.then(async response => new Uint8Array(await response.arrayBuffer()));
      await this.#open(bytes, name);
      writeOrHide(this.#status, undefined);
    } catch (error) {
      writeOrHide(
        this.#status,
        `${title} could not be opened: ${sentence(messageOf(error))} Try again, or reload the page.`,
      );
    }
  }
}

/** Fetches a file. @throws Error if the server answers with an error status */
async function fetchOk(url: URL): Promise<Response> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
  return response;
}
