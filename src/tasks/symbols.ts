/**
 * Symbols are compared in one normal form, NFC: é is the same symbol whether it is written as one character or as e followed
 * by an accent. Names are stored as given, because models from before normalisation may have others.
 */
export const normal = (text: string): string => text.normalize('NFC');

const finders = new WeakMap<readonly string[], (name: string) => number | undefined>();

/** Finds the index of a symbol by name: an identical name if there is one, else one with the same normal form. */
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
