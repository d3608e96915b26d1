import type { Option } from './command.ts';
import { wholeNumber } from './number.ts';

/** Symbols that an answer may have. */
export const MAX_LENGTH_OPTION = {
  type: 'string',
  value: '<n>',
  help: 'symbols of an answer at most (default by the longest target trained on)',
} as const satisfies Option;

/** @throws InputError where it is no number of symbols */
export const maxLength = (options: { 'max-length'?: string }): number | undefined =>
  options['max-length'] === undefined
    ? undefined
    : wholeNumber('--max-length', options['max-length'], 1, 100_000);

export const cutOffWords = (limit: number): string =>
  `cut off after ${limit} ${limit === 1 ? 'symbol' : 'symbols'}, before the model ended its answer: --max-length <n> allows more`;
