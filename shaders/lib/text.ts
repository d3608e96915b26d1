/** Helpers for generating WGSL from TypeScript. */

/** A WGSL f32 literal. wgsl-preprocessor inserts `${1.0}` as `1`, which is an integer in WGSL. */
export function float(x: number): string {
  if (!Number.isFinite(x)) throw new RangeError(`no WGSL literal for ${x}`);
  const text = String(x);
  return /[.e]/.test(text) ? `${text}f` : `${text}.0f`;
}

/** Repeats `body` for every index below n, unrolled. */
export const unrolled = (n: number, body: (index: string) => string): string => lines(n, i => body(`${i}u`));

/**
 * Repeats `body` for every index below n: unrolled if n is at most `limit`, otherwise as a loop over c. A constant
 * index needs no bounds check, and on software adapters it keeps the array in registers.
 */
export function each(n: number, limit: number, body: (index: string) => string): string {
  if (n <= limit) return unrolled(n, body);
  return `for (var c = 0u; c < ${n}u; c++) {\n${body('c')}\n}`;
}

/** Repeats `body` for every item, or for every number below `items`, one per line. */
export function lines(items: number, body: (n: number) => string): string;
export function lines<T>(items: readonly T[], body: (item: T, index: number) => string): string;
export function lines(
  items: number | readonly unknown[],
  body: (item: never, index: number) => string,
): string {
  const all = typeof items === 'number' ? range(items) : items;
  return all.map((item, index) => body(item as never, index)).join('\n');
}

/** The integers in [0, n). */
export const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/**
 * Size of the largest part when n is split into as few parts of at most `max` as possible, of sizes as equal as
 * possible.
 */
export const evenly = (n: number, max: number): number => Math.ceil(n / Math.ceil(n / max));
