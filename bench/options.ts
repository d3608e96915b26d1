import { type ParseArgsConfig, parseArgs } from 'node:util';
import { InputError, messageOf, unknown } from '../src/base/errors.ts';

/**
 * Parses the options and operands of a script.
 * @param help the command that shows help, named in error messages: `npm run wgsl -- --help`
 * @throws InputError for an unknown option, with a suggestion
 */
export function parseOptions<const O extends NonNullable<ParseArgsConfig['options']>>(
  args: string[],
  options: O,
  help: string,
) {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    // "Unknown option '--plam'. To specify a positional argument starting with …"
    const [sentence] = messageOf(error).split(/\.\s|\n/);
    const name = /^Unknown option '(-+[^']*)'/.exec(sentence)?.[1];
    if (name) unknown('option', name, [...Object.keys(options).map(option => `--${option}`)]);
    throw new InputError(`${sentence.replace(/\.$/, '')}. See ${help}.`);
  }
}
