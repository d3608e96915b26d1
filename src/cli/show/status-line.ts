import type { Output } from '../io/io.ts';

/** Without a terminal: time between two lines, in ms. */
const LINE_MS = 10_000;
/** On a terminal: minimum time between two updates of the line, in ms. */
const REDRAW_MS = 100;
/** Time between two checks of the progress, in ms. */
const FOLLOW_MS = 1000;

/**
 * Shows progress. On a terminal, one line is overwritten. Otherwise, a line is printed every ten seconds, however fast
 * steps and evaluations are, and the last state at the end.
 */
export class StatusLine {
  readonly #out: Output;
  readonly #terminal: boolean;
  #drawn = false;
  /** When the line was last drawn, and when a line was last printed. */
  #drawnAt = 0;
  #printedAt = performance.now();
  /** Without a terminal: text to print when the next line is due. */
  #status: string | undefined;
  #remark: string | undefined;

  constructor(out: Output, terminal: boolean) {
    this.#out = out;
    this.#terminal = terminal;
  }

  /** Shows the current state: on a terminal at once, otherwise when the next line is due. */
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

  /**
   * Shows a line about an event, such as an evaluation. On a terminal the line stays; otherwise only the last one is
   * printed, when the next line is due.
   */
  remark(text: string): void {
    if (this.#terminal) this.print(text);
    else this.#remark = text;
  }

  print(text: string): void {
    this.#out.write(`${this.#drawn ? '\r\x1b[K' : ''}${text}\n`);
    this.#drawn = false;
    this.#drawnAt = 0;
    this.#printedAt = performance.now();
    // The status is older than this line.
    this.#status = undefined;
  }

  /** Shows the state once a second, because reports may be far apart. Call the returned function to stop. */
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
