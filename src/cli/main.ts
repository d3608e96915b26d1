#!/usr/bin/env node
import { EXIT } from './io/io.ts';
import { drainOf, Sink } from './io/output.ts';
import { nameOf, startedAs } from './io/program-name.ts';
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
// Node handles signals between two tasks of the event loop. Without a listener, the system ends the process in the
// middle of a task. So signals are handled only once a command asks for them.
const listen = () => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    if (!process.listeners(signal).includes(interrupt)) process.on(signal, interrupt);
  }
};

// The reader of a pipe may exit (`| head`), and a disk may fill up. Then a command that has something to save is
// interrupted; any other command ends, silently if the reader has exited.
const stdout = new Sink(drainOf(process.stdout), error => {
  const listener = listeners.at(-1);
  if (listener) listener();
  else process.exit(error.code === 'EPIPE' ? 0 : sayUnwritten(error));
});
// stderr carries remarks: if it cannot be written, the command continues.
const stderr = new Sink(drainOf(process.stderr));

function sayUnwritten(error: Error): number {
  stderr.write(`pushdown: standard output cannot be written: ${printable(error.message)}\n`);
  return EXIT.device;
}

startedAs(nameOf(process.env, process.argv[1]));
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

// Dawn keeps the process alive, so it must be ended by force, but not before a pipe has taken all of the output.
await stdout.written();
const { failure } = stdout;
const wentWell = code === 0 || code === EXIT.interrupted;
if (failure && failure.code !== 'EPIPE' && wentWell) code = sayUnwritten(failure);
await stderr.written();
process.exit(code);
