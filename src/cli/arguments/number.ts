import { InputError, show } from '../../base/errors.ts';

/** Parses the value of option `name`. @throws InputError unless `text` is a whole number from min to max */
export function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new InputError(`${name} must be a whole number from ${min} to ${max}, got ${show(text)}.`);
}
