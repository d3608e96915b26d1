/** Exit codes: 0 done, 1 the device failed (or what is written to did), 2 wrong input, 70 a bug, 130 interrupted. */
export const EXIT = { device: 1, input: 2, bug: 70, interrupted: 130 } as const;

/** What a command reads and writes. Results go to stdout, all else to stderr. */
export interface Io {
  stdin: AsyncIterable<string | Uint8Array>;
  stdout: Output;
  stderr: Output;
  /** Handles Ctrl-C until the returned function is called. Without a listener Ctrl-C ends the program. */
  onInterrupt(listener: () => void): () => void;
}

export interface Output {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}
