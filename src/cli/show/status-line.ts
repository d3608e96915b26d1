import type { Output } from '../io/io.ts';

/** Not on a terminal: time without a line within which the state is printed, in ms. */
const LINE_MS = 10_000;
/** On a terminal: time between two states of the line, in ms. */
const REDRAW_MS = 100;
/** Time between two looks at how training goes, in ms. */
const FOLLOW_MS = 1000;

/** A line that is overwritten on a terminal. Elsewhere it is printed when due, and after ten seconds without a line. */
export class StatusLine {
  readonly #out: Output;
  readonly #terminal: boolean;
  #drawn = false;
  /** When it was drawn last; when a line was printed last. */
  #drawnAt = 0;
  #printedAt = performance.now();

  constructor(out: Output, terminal: boolean) {
    this.#out = out;
    this.#terminal = terminal;
  }

  status(text: string, due: boolean): void {
    if (!this.#terminal) {
      if (due || performance.now() - this.#printedAt > LINE_MS - FOLLOW_MS) this.print(text);
      return;
    }
    if (performance.now() - this.#drawnAt < REDRAW_MS) return;
    this.#drawnAt = performance.now();
    const width = (this.#out.columns ?? 80) - 1;
    this.#out.write(`\r${text.slice(0, width)}\x1b[K`);
    this.#drawn = true;
  }

  print(text: string): void {
    this.#out.write(`${this.#drawn ? '\r\x1b[K' : ''}${text}\n`);
    this.#drawn = false;
    this.#drawnAt = 0;
    this.#printedAt = performance.now();
  }

  /** Shows the state by the clock, since reports may be far apart, until the returned function is called. */
  follow(state: () => string): () => void {
    const timer = setInterval(() => this.status(state(), false), FOLLOW_MS);
    return () => clearInterval(timer);
  }

  end(): void {
    if (this.#drawn) this.#out.write('\n');
    this.#drawn = false;
  }
}
