/**
 * Symbols are compared in one normal form, NFC: an é written as one character and one written as e and an accent are the
 * same. Names are kept as they are: models trained before symbols were normalised may have others.
 */
export const normal = (text: string): string => text.normalize('NFC');

const finders = new WeakMap<readonly string[], (name: string) => number | undefined>();

/** Finds the index of a symbol by its name: the same name first, else one of the same normal form. */
export function symbolFinder(names: readonly string[]): (name: string) => number | undefined {
  const made = finders.get(names) ?? makeFinder(names);
  finders.set(names, made);
  return made;
}

function makeFinder(names: readonly string[]): (name: string) => number | undefined {
  const exact = new Map(names.map((name, i) => [name, i]));
  const normalised = new Map(names.map((name, i) => [normal(name), i]));
  return name => exact.get(name) ?? normalised.get(normal(name));
}
