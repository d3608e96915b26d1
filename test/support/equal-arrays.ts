import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';

/**
 * Compares equal typed arrays at once. vitest compares them number by number, which takes
 * longer than the computation of the numbers. Different arrays are left to vitest, for its message.
 */
expect.addEqualityTesters([
  (a, b) => (ArrayBuffer.isView(a) && ArrayBuffer.isView(b) && isDeepStrictEqual(a, b) ? true : undefined),
]);
