import { expect } from 'vitest';
import type { Tensors } from '../../src/base/parameters.ts';

/**
 * Gradient of f with respect to every number in `at`: (f(x + h) − f(x − h)) / 2h. f reads `at`, which is restored
 * afterwards.
 */
function centralDifferences(f: () => number, at: Tensors, h: number): Tensors {
  const gradients: Tensors = new Map();
  for (const [name, x] of at) {
    const gradient = new Float64Array(x.length);
    for (let n = 0; n < x.length; n++) {
      const original = x[n];
      x[n] = original + h;
      const above = f();
      x[n] = original - h;
      const below = f();
      x[n] = original;
      gradient[n] = (above - below) / (2 * h);
    }
    gradients.set(name, gradient);
  }
  return gradients;
}

/**
 * Fails unless |got − expected| ≤ tolerance · max(1, |expected|) everywhere, naming the first five places that
 * differ: `W_hh[7]: expected 0.25, got 0.5`.
 */
function expectTensorsClose(got: Tensors, expected: Tensors, tolerance: number): void {
  const faults: string[] = [];
  for (const [name, want] of expected) {
    const have = got.get(name);
    if (have?.length !== want.length) {
      faults.push(`${name}: expected ${want.length} numbers, got ${have?.length ?? 'none'}`);
      continue;
    }
    for (let n = 0; n < want.length; n++) {
      // Written so that NaN fails.
      if (Math.abs(have[n] - want[n]) <= tolerance * Math.max(1, Math.abs(want[n]))) continue;
      faults.push(`${name}[${n}]: expected ${want[n]}, got ${have[n]}`);
    }
  }
  for (const name of got.keys()) if (!expected.has(name)) faults.push(`${name}: not expected`);
  const more = faults.length > 5 ? `\n… and ${faults.length - 5} more` : '';
  if (faults.length > 0) expect.fail(`${faults.slice(0, 5).join('\n')}${more}`);
}

/**
 * Fails unless `gradients` are those of f at `at`, by central differences.
 *
 * The error of the differences is about h²·|f‴|/6 from truncation and 10⁻¹⁶·|f|/h from rounding. At h = 3e-6 both
 * are near 1e-9 if f is of the order of 10 and f‴ of 1000, as in a model over several steps. The default tolerance
 * is a factor of ten above that, and still six orders of magnitude below the effect of the
 * smallest mistake in a formula.
 */
export function expectGradients(
  f: () => number,
  at: Tensors,
  gradients: Tensors,
  { h = 3e-6, tolerance = 1e-8 } = {},
): void {
  expectTensorsClose(gradients, centralDifferences(f, at, h), tolerance);
}
