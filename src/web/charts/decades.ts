/** Returns the powers of ten in a range, at most six. */
export function powers(min: number, max: number): number[] {
  const [low, high] = [Math.ceil(Math.log10(min) - 1e-9), Math.floor(Math.log10(max) + 1e-9)];
  const every = Math.ceil((high - low + 1) / 6);
  const exponents = Array.from({ length: high - low + 1 }, (_, i) => high - i);
  return exponents
    .filter((_, i) => i % every === 0)
    .map(exponent => Number(`1e${exponent}`))
    .reverse();
}

/**
 * Returns the range of whole decades that covers [min, max], for a logarithmic axis; 0.1 to 10 if there are no values.
 */
export function decades(min: number | null | undefined, max: number | null | undefined): [number, number] {
  if (min == null || max == null || !(min > 0)) return [0.1, 10];
  const low = Math.floor(Math.log10(min) + 1e-9);
  const high = Math.ceil(Math.log10(max) - 1e-9);
  return [Number(`1e${low}`), Number(`1e${Math.max(high, low + 1)}`)];
}
