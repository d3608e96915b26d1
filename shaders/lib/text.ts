/** Helpers for generating WGSL from TypeScript. wgsl-preprocessor inserts values as JavaScript prints them. */

/** A WGSL f32 literal. `${1.0}` alone would print `1`, which WGSL reads as an integer. */
export function float(x: number): string {
  if (!Number.isFinite(x)) throw new RangeError(`no WGSL literal for ${x}`);
  const text = String(x);
  return /[.e]/.test(text) ? `${text}f` : `${text}.0f`;
}

/**
 * `body` for every index below n: unrolled up to `limit`, as a loop beyond. A constant index needs no bounds check, and
 * on software adapters the array stays in registers.
 */
export function each(n: number, limit: number, body: (index: string) => string, name = 'i'): string {
  if (n <= limit) return Array.from({ length: n }, (_, index) => body(`${index}u`)).join('\n');
  return `for (var ${name} = 0u; ${name} < ${n}u; ${name}++) {\n${body(name)}\n}`;
}

/** The integers in [0, n). */
export const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Size of the largest part when n is split into the fewest parts of at most `most`, as equal as possible. */
export const evenly = (n: number, most: number): number => Math.ceil(n / Math.ceil(n / most));
