import { run } from '../../src/cli/program.ts';

/**
 * Runs a command line in this process.
 * @param interruptAfter simulates Ctrl-C after this many lines of stdout
 */
export async function pushdown(
  argv: readonly string[],
  stdin = '',
  interruptAfter = Number.POSITIVE_INFINITY,
) {
  let [out, err] = ['', ''];
  let interrupt: (() => void) | undefined;
  const code = await run(argv, {
    stdin: (async function* () {
      if (stdin) yield stdin;
    })(),
    stdout: {
      write(text) {
        out += text;
        if (out.split('\n').length > interruptAfter) interrupt?.();
      },
    },
    stderr: {
      write(text) {
        err += text;
      },
    },
    onInterrupt(listener) {
      interrupt = listener;
      return () => {
        interrupt = undefined;
      };
    },
  });
  return { code, out, err };
}

/** Parses JSON with one object per line. */
export const jsonLines = (text: string) =>
  text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line));
