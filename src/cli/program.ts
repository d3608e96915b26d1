import { DeviceError, InputError, messageOf, unknown } from '../base/errors.ts';
import { type Command, helpOf, parse } from './arguments/command.ts';
import { devices } from './commands/devices.ts';
import { doctor } from './commands/doctor.ts';
import { evaluate } from './commands/eval.ts';
import { gallery } from './commands/gallery.ts';
import { memory } from './commands/memory.ts';
import { predict } from './commands/predict.ts';
import { presets } from './commands/presets.ts';
import { table as tableCommand } from './commands/table.ts';
import { trace } from './commands/trace.ts';
import { train } from './commands/train.ts';
import { EXIT, type Io } from './io/io.ts';
import { withProgramName } from './io/program-name.ts';
import { packageVersion } from './io/version.ts';
import { table } from './show/columns.ts';
import { printable } from './show/format.ts';

/** All commands of `pushdown`, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  train,
  evaluate,
  predict,
  trace,
  tableCommand,
  memory,
  presets,
  gallery,
  devices,
  doctor,
];

/** Runs one command line and returns the exit code. Prints every error. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  try {
    return await dispatch(argv, io);
  } catch (error) {
    if (error instanceof InputError || error instanceof DeviceError) {
      const isInput = error instanceof InputError;
      // A driver's message may have several lines; text from a file may contain control characters.
      const message = isInput ? error.message : error.message.trim().replace(/\s*\n\s*/g, ' ');
      io.stderr.write(`pushdown: ${printable(isInput ? withProgramName(message) : message)}\n`);
      return isInput ? EXIT.input : EXIT.device;
    }
    if ((error as NodeJS.ErrnoException | undefined)?.syscall === 'uv_cwd') {
      io.stderr.write('pushdown: the working folder no longer exists: change to another folder.\n');
      return EXIT.input;
    }
    io.stderr.write(`${error instanceof Error && error.stack ? error.stack : messageOf(error)}\n`);
    io.stderr.write('pushdown: this is a bug in pushdown. Please report it with the lines above.\n');
    return EXIT.bug;
  }
}

async function dispatch(argv: readonly string[], io: Io): Promise<number> {
  const [word, ...rest] = argv;
  if (word === '--version' || word === '-v') {
    io.stdout.write(`${packageVersion()}\n`);
    return 0;
  }
  if (word === undefined || word === '--help' || word === '-h' || word === 'help') {
    const topic = word === 'help' && rest[0] !== undefined ? find(rest[0]) : undefined;
    (word === undefined ? io.stderr : io.stdout).write(topic ? helpOf(topic) : overview());
    return word === undefined ? EXIT.input : 0;
  }
  const command = find(word);
  const { operands, options } = parse(command, rest);
  if (options['help']) {
    io.stdout.write(helpOf(command));
    return 0;
  }
  return (await command.run(operands, options, io)) ?? 0;
}

function find(word: string): Command {
  const names = COMMANDS.map(({ name }) => name);
  return COMMANDS.find(({ name }) => name === word) ?? unknown('command', word, names);
}

function overview(): string {
  const rows = COMMANDS.map(({ name, operands, summary }) => [[name, ...operands].join(' '), summary]);
  const text = `pushdown ${packageVersion()}: trains neural stacks, queues and deques on WebGPU or the CPU

${table(rows, '  ')}

Help for a command: pushdown <command> --help. Start with: pushdown train reverse
`;
  return withProgramName(text);
}
