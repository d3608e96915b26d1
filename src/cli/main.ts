#!/usr/bin/env node
import { EXIT } from './io/io.ts';
import { Sink, writeTargetOf } from './io/output.ts';
import { nameOf, setProgramName } from './io/program-name.ts';
import { run } from './program.ts';
import { printable } from './show/format.ts';

const listeners: (() => void)[] = [];

// The first signal (Ctrl-C) goes to the running command if it listens; the second ends the program.
let signals = 0;
const interrupt = () => {
  const listener = listeners.at(-1);
  if (listener && signals++ === 0) listener();
  else process.exit(EXIT.interrupted);
};
// Node calls signal handlers between two tasks of the event loop; without a handler, the system ends the process at
// once, even in a long task. So handlers are installed only when a command listens for interrupts.
const listen = () => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    if (!process.listeners(signal).includes(interrupt)) process.on(signal, interrupt);
  }
};

// The reader of a pipe may exit (`| head`), and a disk may fill up. Then a command that has something to save is
// interrupted. Any other command ends, without a message if the reader has exited.
const stdout = new Sink(writeTargetOf(process.stdout), error => {
  const listener = listeners.at(-1);
  if (listener) listener();
  else process.exit(error.code === 'EPIPE' ? 0 : reportUnwritten(error));
});
// stderr has only messages and progress: if it cannot be written, the command continues.
const stderr = new Sink(writeTargetOf(process.stderr));

function reportUnwritten(error: Error): number {
  stderr.write(`pushdown: standard output cannot be written: ${printable(error.message)}\n`);
  return EXIT.device;
}

setProgramName(nameOf(process.env, process.argv[1]));
let code = await run(process.argv.slice(2), {
  stdin: process.stdin,
  stdout,
  stderr,
  onInterrupt(listener) {
    listen();
    listeners.push(listener);
    return () => {
      listeners.splice(listeners.indexOf(listener), 1);
    };
  },
});

// Dawn keeps the process alive. So process.exit() is called, after all output is written.
await stdout.written();
const { failure } = stdout;
const succeeded = code === 0 || code === EXIT.interrupted;
if (failure && failure.code !== 'EPIPE' && succeeded) code = reportUnwritten(failure);
await stderr.written();
process.exit(code);
