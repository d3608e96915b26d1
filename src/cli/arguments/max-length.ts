import type { Option } from './command.ts';
import { wholeNumber } from './number.ts';

/** --max-length: the maximum number of symbols in an answer. */
export const MAX_LENGTH_OPTION = {
  type: 'string',
  value: '<n>',
  help: 'maximum symbols in an answer (default: twice the length of the source plus 8, or more if the task needs it)',
} as const satisfies Option;

/**
 * The value of --max-length; undefined if it is not given. @throws InputError unless it is a whole number in the range
 */
export const maxLength = (options: { 'max-length'?: string }): number | undefined =>
  options['max-length'] === undefined
    ? undefined
    : wholeNumber('--max-length', options['max-length'], 1, 100_000);

export const cutOffText = (limit: number): string =>
  `cut off after ${limit} ${limit === 1 ? 'symbol' : 'symbols'}, before the model ended its answer: allow more with --max-length <n>`;
