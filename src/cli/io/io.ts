/** Exit codes: 0 success, 1 the device or the output failed, 2 wrong input, 70 a bug, 130 interrupted. */
export const EXIT = { device: 1, input: 2, bug: 70, interrupted: 130 } as const;

/**
 * The streams of a command. Results go to stdout, everything else to stderr; but `train` and `table` also show progress
 * on stdout, unless --json is given.
 */
export interface Io {
  stdin: AsyncIterable<string | Uint8Array>;
  stdout: Output;
  stderr: Output;
  /**
   * Calls the listener on Ctrl-C, until the returned function is called. Without a listener, Ctrl-C ends the program.
   */
  onInterrupt(listener: () => void): () => void;
}

export interface Output {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}
