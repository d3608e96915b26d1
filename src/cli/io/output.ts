import { fstatSync, writeSync } from 'node:fs';
import type { Output } from './io.ts';

/** What a Sink writes to: the part of a writable stream that it uses. */
export interface WriteTarget {
  write(text: string, done: (error?: Error | null) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  isTTY?: boolean;
  columns?: number;
}

/**
 * Wraps stdout or stderr for a Sink. If it is a file, data is written to the file directly: when the disk is nearly
 * full, Node's stream does not notice that only a part of the data was written.
 */
export function writeTargetOf(stream: NodeJS.WriteStream & { fd: number }): WriteTarget {
  try {
    if (!fstatSync(stream.fd).isFile()) return stream;
  } catch {
    return stream;
  }
  return {
    write(text, done) {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; ) at += writeSync(stream.fd, bytes, at);
      done();
    },
    on: () => undefined,
  };
}

/**
 * stdout or stderr. Node reports the result of a write later, and not at all if the process has exited by then: a full
 * disk would look like success. So a Sink counts its pending writes and reports the first failure.
 */
export class Sink implements Output {
  /** Why nothing more can be written; undefined while writing works. */
  failure: NodeJS.ErrnoException | undefined;
  readonly #stream: WriteTarget;
  readonly #onFailure: (error: NodeJS.ErrnoException) => void;
  #pending = 0;
  #waiting: (() => void)[] = [];

  constructor(stream: WriteTarget, onFailure: (error: NodeJS.ErrnoException) => void = () => {}) {
    this.#stream = stream;
    this.#onFailure = onFailure;
    stream.on('error', error => this.#fail(error));
  }

  get isTTY(): boolean {
    return Boolean(this.#stream.isTTY);
  }

  get columns(): number | undefined {
    return this.#stream.columns;
  }

  write(text: string): void {
    if (this.failure) return;
    this.#pending++;
    const done = (error?: Error | null) => {
      this.#pending--;
      if (error) this.#fail(error);
      this.#settle();
    };
    try {
      this.#stream.write(text, done);
    } catch (error) {
      // Streams that write synchronously may throw.
      done(error as Error);
    }
  }

  /** Resolves when everything is written, or after a failure. */
  written(): Promise<void> {
    return new Promise(resolve => {
      this.#waiting.push(resolve);
      this.#settle();
    });
  }

  #fail(error: NodeJS.ErrnoException): void {
    if (this.failure) return;
    this.failure = error;
    this.#onFailure(error);
    this.#settle();
  }

  #settle(): void {
    if (this.#pending > 0 && !this.failure) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
