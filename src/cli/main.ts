#!/usr/bin/env node
import { EXIT } from './command.ts';
import { run } from './run.ts';

const listeners: (() => void)[] = [];

// The first Ctrl-C is the command's, if it wants it; the second ends the program in any case.
let signals = 0;
const interrupt = () => {
  const listener = listeners.at(-1);
  if (listener && signals++ === 0) listener();
  else process.exit(EXIT.interrupted);
};
process.on('SIGINT', interrupt);
process.on('SIGTERM', interrupt);

// The reader of a pipe may leave (`| head`). A command that has something to save is interrupted; else the
// program ends, quietly.
let broken = false;
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (broken) return;
    broken = true;
    const listener = listeners.at(-1);
    if (listener) listener();
    else process.exit(0);
  });
}

const code = await run(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  onInterrupt(listener) {
    listeners.push(listener);
    return () => {
      listeners.splice(listeners.indexOf(listener), 1);
    };
  },
});

// Dawn keeps the process alive, and ending it by force may cut off what a pipe has not taken yet.
const flush = (stream: NodeJS.WriteStream) =>
  new Promise<void>(resolve =>
    stream.writableLength > 0 && !broken ? stream.write('', () => resolve()) : resolve(),
  );
await flush(process.stdout);
await flush(process.stderr);
process.exit(code);
