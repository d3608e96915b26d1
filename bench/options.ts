import { type ParseArgsConfig, parseArgs } from 'node:util';
import { InputError, messageOf, unknown } from '../src/base/errors.ts';

/**
 * The options of a script, and its operands.
 * @param help where a mistake is answered: `npm run wgsl -- --help`
 * @throws InputError with what was probably meant
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
