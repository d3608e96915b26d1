import type { Output } from '../io/io.ts';

/** Not on a terminal: time between two lines, in ms. */
const LINE_MS = 10_000;
/** On a terminal: time between two states of the line, in ms. */
const REDRAW_MS = 100;
/** Time between two looks at how training goes, in ms. */
const FOLLOW_MS = 1000;

/**
 * How training goes: on a terminal, a line that is overwritten. Elsewhere lines go by the clock, however fast steps and
 * evaluations are: one every ten seconds, and the last state at the end.
 */
export class StatusLine {
  readonly #out: Output;
  readonly #terminal: boolean;
  #drawn = false;
  /** When it was drawn last; when a line was printed last. */
  #drawnAt = 0;
  #printedAt = performance.now();
  /** Not on a terminal: what is to be printed when it is due. */
  #status: string | undefined;
  #remark: string | undefined;

  constructor(out: Output, terminal: boolean) {
    this.#out = out;
    this.#terminal = terminal;
  }

  status(text: string): void {
    if (!this.#terminal) {
      this.#status = text;
      if (performance.now() - this.#printedAt > LINE_MS - FOLLOW_MS) this.#printPending();
      return;
    }
    if (performance.now() - this.#drawnAt < REDRAW_MS) return;
    this.#drawnAt = performance.now();
    const width = (this.#out.columns ?? 80) - 1;
    this.#out.write(`\r${text.slice(0, width)}\x1b[K`);
    this.#drawn = true;
  }

  /** A line that belongs to a state, as an evaluation does: on a terminal it stays, elsewhere the last one is printed when due. */
  remark(text: string): void {
    if (this.#terminal) this.print(text);
    else this.#remark = text;
  }

  print(text: string): void {
    this.#out.write(`${this.#drawn ? '\r\x1b[K' : ''}${text}\n`);
    this.#drawn = false;
    this.#drawnAt = 0;
    this.#printedAt = performance.now();
    // Of before this line.
    this.#status = undefined;
  }

  /** Shows the state by the clock, since reports may be far apart, until the returned function is called. */
  follow(state: () => string): () => void {
    const timer = setInterval(() => this.status(state()), FOLLOW_MS);
    return () => clearInterval(timer);
  }

  end(): void {
    if (this.#drawn) this.#out.write('\n');
    this.#drawn = false;
    this.#printPending();
  }

  #printPending(): void {
    const lines = [this.#status, this.#remark].filter(line => line !== undefined);
    this.#remark = undefined;
    if (lines.length > 0) this.print(lines.join('\n'));
  }
}
