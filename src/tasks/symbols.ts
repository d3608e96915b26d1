/**
 * The normal form (NFC) in which symbols are compared: é is the same symbol whether it is one character or an e
 * followed by an accent. Names are stored as given, because older models may have names that are not normalised.
 */
export const normal = (text: string): string => text.normalize('NFC');

const finders = new WeakMap<readonly string[], (name: string) => number | undefined>();

/** Returns a function from a name to the index of the symbol: an identical name, else one with the same normal form. */
export function symbolFinder(names: readonly string[]): (name: string) => number | undefined {
  const finder = finders.get(names) ?? makeFinder(names);
  finders.set(names, finder);
  return finder;
}

function makeFinder(names: readonly string[]): (name: string) => number | undefined {
  const exact = new Map(names.map((name, i) => [name, i]));
  const normalised = new Map(names.map((name, i) => [normal(name), i]));
  return name => exact.get(name) ?? normalised.get(normal(name));
}
