#!/usr/bin/env node
import { EXIT } from './io/io.ts';
import { drainOf, Sink } from './io/output.ts';
import { nameOf, startedAs } from './io/program-name.ts';
import { run } from './program.ts';
import { printable } from './show/format.ts';

const listeners: (() => void)[] = [];

// The first Ctrl-C is the command's, if it wants it; the second ends the program in any case.
let signals = 0;
const interrupt = () => {
  const listener = listeners.at(-1);
  if (listener && signals++ === 0) listener();
  else process.exit(EXIT.interrupted);
};
// Only from the first command that wants it on: Node hears of signals between two pieces of work, and without
// a listener of its own the system ends it in the middle of one.
const listen = () => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    if (!process.listeners(signal).includes(interrupt)) process.on(signal, interrupt);
  }
};

// The reader of a pipe may leave (`| head`), a disk may be full. A command that has something to save is
// interrupted; else the program ends: quietly where nobody reads any more.
const stdout = new Sink(drainOf(process.stdout), error => {
  const listener = listeners.at(-1);
  if (listener) listener();
  else process.exit(error.code === 'EPIPE' ? 0 : sayUnwritten(error));
});
// Its lines are remarks: if nobody reads them, the work continues.
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

// Dawn keeps the process alive, and ending it by force may cut off what a pipe has not taken yet.
await stdout.written();
const { failure } = stdout;
const wentWell = code === 0 || code === EXIT.interrupted;
if (failure && failure.code !== 'EPIPE' && wentWell) code = sayUnwritten(failure);
await stderr.written();
process.exit(code);
