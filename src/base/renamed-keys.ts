import { InputError } from './errors.ts';
import { isPlain, type Plain } from './plain.ts';

/** Renamed keys: former name → current name. Any configuration may still use the former name. */
export const RENAMED: Readonly<Record<string, string>> = { 'model.deeper': 'model.projection' };

/** The current name of a key. @param key dotted, current or former name */
export const currentKey = (key: string): string => RENAMED[key] ?? key;

/** The original name of a key. Hashes of key names use it, so that renaming a key does not change them. */
export const firstKey = (key: string): string =>
  Object.entries(RENAMED).find(([, now]) => now === key)?.[0] ?? key;

/** Returns `input` with all keys under their current names. @throws InputError if a key is given under both names */
export function withCurrentKeys(input: Plain): Plain {
  const renamed = { ...input };
  for (const [before, now] of Object.entries(RENAMED)) {
    const [group, old] = before.split('.');
    const given = renamed[group];
    if (!isPlain(given) || !Object.hasOwn(given, old)) continue;
    const key = now.split('.')[1];
    if (Object.hasOwn(given, key))
      throw new InputError(`${before} is the former name of ${now}: give one of the two.`);
    const { [old]: value, ...rest } = given;
    renamed[group] = { ...rest, [key]: value };
  }
  return renamed;
}

/** One line of advice for each key that a configuration, or a `--set` assignment, gives under its former name. */
export function renamedKeys(input: unknown, assignments: readonly string[] = []): string[] {
  const words = assignments.map(assignment => assignment.split('=')[0].trim());
  return Object.entries(RENAMED)
    .filter(([before]) => {
      const [group, old] = before.split('.');
      const given = isPlain(input) ? input[group] : undefined;
      return (isPlain(given) && Object.hasOwn(given, old)) || words.includes(before) || words.includes(old);
    })
    .map(([before, now]) => `${before} is now called ${now}`);
}
