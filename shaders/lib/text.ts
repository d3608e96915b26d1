/** Helpers for writing WGSL from TypeScript. wgsl-preprocessor inserts values as JavaScript prints them. */

/** A WGSL f32 literal: `${1.0}` alone would print `1`, which WGSL takes for an integer. */
export function float(x: number): string {
  if (!Number.isFinite(x)) throw new RangeError(`no WGSL literal for ${x}`);
  const text = String(x);
  return /[.e]/.test(text) ? `${text}f` : `${text}.0f`;
}

/**
 * `body` for every index below n: written out up to `limit` (a constant index needs no bounds check, and on
 * software adapters stays in a register), as a loop beyond.
 */
export function each(n: number, limit: number, body: (index: string) => string, name = 'i'): string {
  if (n <= limit) return Array.from({ length: n }, (_, index) => body(`${index}u`)).join('\n');
  return `for (var ${name} = 0u; ${name} < ${n}u; ${name}++) {\n${body(name)}\n}`;
}

/** [0, n). */
export const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** The size of the largest part, where n is divided into parts as equal as can be, none larger than `most`. */
export const evenly = (n: number, most: number): number => Math.ceil(n / Math.ceil(n / most));
