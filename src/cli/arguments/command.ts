import { parseArgs } from 'node:util';
import { InputError, messageOf, show, unknown } from '../../base/errors.ts';
import type { Io } from '../io/io.ts';
import { withProgramName } from '../io/program-name.ts';
import { table } from '../show/columns.ts';

export interface Option {
  type: 'string' | 'boolean';
  short?: string;
  multiple?: boolean;
  /** Placeholder of the value in the help: `<folder>`. In square brackets, the value is optional (default ''). */
  value?: string;
  help: string;
}

export type Options = Record<string, Option>;

export type Values<O extends Options> = {
  [K in keyof O]?: O[K]['type'] extends 'boolean'
    ? boolean
    : O[K]['multiple'] extends true
      ? string[]
      : string;
};

export interface Command<O extends Options = Options> {
  name: string;
  /** Names of the positional arguments. Those in square brackets are optional; `…` takes all that remain. */
  operands: readonly string[];
  summary: string;
  /** Printed below the options in `--help`. */
  notes?: string;
  options: O;
  /** Returns the exit code; undefined means 0. */
  run(operands: string[], options: Values<O>, io: Io): Promise<number | undefined>;
}

/** Infers the types of a command's options. */
export const command = <const O extends Options>(definition: Command<O>): Command<O> => definition;

export const JSON_OPTION = { type: 'boolean', help: 'JSON on stdout' } as const satisfies Option;
const HELP: Option = { type: 'boolean', short: 'h', help: 'show this help' };

/**
 * Splits the arguments of a command into operands (positional arguments) and options.
 * @throws InputError for an unknown option, a missing or unexpected value, or a missing or unexpected operand
 */
export function parse(
  definition: Command,
  argv: readonly string[],
): { operands: string[]; options: Values<Options> } {
  const options: Options = { ...definition.options, help: HELP };
  const help = `See pushdown ${definition.name} --help.`;
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({
      args: withEmptyValues(argv, options),
      options,
      allowPositionals: true,
      strict: true,
    });
  } catch (error) {
    const code = (error as { code?: string }).code;
    // "Unknown option '--stpes'. To specify a positional argument starting with …"
    const [sentence] = messageOf(error).split(/\.\s|\n/);
    if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
      const name = /'(-+[^']*)'/.exec(sentence)?.[1] ?? sentence;
      unknown('option', name, [...Object.keys(options).map(option => `--${option}`)]);
    }
    const missing = /^Option '(?:-\w, )?(--\S+).*' argument (?:missing|is ambiguous)/.exec(sentence)?.[1];
    if (missing) {
      const value = options[missing.slice(2)]?.value ?? '<value>';
      throw new InputError(
        `${missing} needs a value: ${missing} ${value}, or ${missing}=${value} if the value starts with "-".`,
      );
    }
    if (code?.startsWith('ERR_PARSE_ARGS')) throw new InputError(`${sentence.replace(/\.$/, '')}. ${help}`);
    throw error;
  }
  const operands = parsed.positionals;
  const values = parsed.values as Values<Options>;
  if (!values['help']) {
    const required = definition.operands.filter(operand => !operand.startsWith('['));
    if (operands.length < required.length) {
      throw new InputError(
        `${definition.name} needs ${required[operands.length]}. Usage: ${usage(definition)}`,
      );
    }
    if (operands.length > definition.operands.length && !definition.operands.at(-1)?.includes('…')) {
      throw new InputError(
        `${definition.name} got an unexpected argument ${show(operands[definition.operands.length])}. ${help}`,
      );
    }
  }
  return { operands, options: values };
}

/** `--resume --json` → `--resume= --json`, for options whose value is optional. */
function withEmptyValues(argv: readonly string[], options: Options): string[] {
  return argv.map((arg, i) => {
    const next = argv[i + 1];
    const valueIsOptional = arg.startsWith('--') && options[arg.slice(2)]?.value?.startsWith('[');
    return valueIsOptional && (next === undefined || next.startsWith('-')) ? `${arg}=` : arg;
  });
}

export const usage = ({ name, operands, options }: Command): string =>
  ['pushdown', name, ...operands, Object.keys(options).length > 0 ? '[options]' : '']
    .filter(Boolean)
    .join(' ');

export function helpOf(definition: Command): string {
  const rows = Object.entries({ ...definition.options, help: HELP }).map(([name, option]) => [
    `--${name}${option.value ? ` ${option.value}` : ''}${option.short ? `, -${option.short}` : ''}`,
    option.help,
  ]);
  const { summary, notes } = definition;
  return withProgramName(
    `${usage(definition)}\n\n${summary}\n\n${table(rows, '  ')}${notes ? `\n\n${notes}` : ''}\n`,
  );
}
