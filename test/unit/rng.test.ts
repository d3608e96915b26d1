import { describe, expect, it } from 'vitest';
import { Rng, STREAM, threefry2x32 } from '../../src/base/rng.ts';

const hex = (words: number[]) => words.map(word => word.toString(16).padStart(8, '0')).join(' ');

describe('threefry2x32, 20 rounds: the known answers of Random123', () => {
  it.each([
    [0, 0, 0, 0, '6b200159 99ba4efe'],
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, '1cb996fc bb002be7'],
    [0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3, 'c4923a9c 483df7a0'],
  ])('key %i %i, counter %i %i', (key0, key1, c0, c1, expected) => {
    expect(hex(threefry2x32(key0, key1, c0, c1))).toBe(expected);
  });
});

describe('Rng', () => {
  const draws = (rng: Rng, n: number) => Array.from({ length: n }, () => rng.bits());

  it('gives the same numbers for the same seed, purpose and index', () => {
    expect(draws(new Rng(3, STREAM.batch, 7), 9)).toEqual(draws(new Rng(3, STREAM.batch, 7), 9));
  });

  it('gives other numbers for another seed, purpose or index, also above 32 bits', () => {
    const keys: [number, number, number][] = [
      [3, STREAM.batch, 7],
      [4, STREAM.batch, 7],
      [3, STREAM.noise, 7],
      [3, STREAM.batch, 8],
      [3 + 2 ** 32, STREAM.batch, 7],
      [3, STREAM.batch, 7 + 2 ** 32],
    ];
    expect(new Set(keys.map(key => draws(new Rng(...key), 2).join())).size).toBe(keys.length);
  });

  it('uniform: in [0, 1), exact in float32, with the right mean and spread', () => {
    const rng = new Rng(1, STREAM.sample);
    const n = 20_000;
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < n; i++) {
      const x = rng.uniform();
      expect(x >= 0 && x < 1 && Math.fround(x) === x).toBe(true);
      sum += x;
      squares += x * x;
    }
    // Five standard errors: √(1/12n) for the mean, √(4/45n) for the mean square.
    expect(Math.abs(sum / n - 1 / 2)).toBeLessThan(5 * Math.sqrt(1 / (12 * n)));
    expect(Math.abs(squares / n - 1 / 3)).toBeLessThan(5 * Math.sqrt(4 / (45 * n)));
  });

  it('int: includes both ends, uniform', () => {
    const rng = new Rng(1, STREAM.sample);
    const counts = new Map<number, number>();
    const n = 7000;
    for (let i = 0; i < n; i++) {
      const x = rng.int(-3, 3);
      counts.set(x, (counts.get(x) ?? 0) + 1);
    }
    expect([...counts.keys()].sort((a, b) => a - b)).toEqual([-3, -2, -1, 0, 1, 2, 3]);
    // Five standard deviations of a binomial count.
    for (const c of counts.values()) expect(Math.abs(c - n / 7)).toBeLessThan(5 * Math.sqrt((n * 6) / 49));
  });

  it('normal: mean 0, variance 1', () => {
    const rng = new Rng(1, STREAM.noise);
    const n = 20_000;
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < n; i++) {
      const x = rng.normal();
      sum += x;
      squares += x * x;
    }
    expect(Math.abs(sum / n)).toBeLessThan(5 / Math.sqrt(n));
    expect(Math.abs(squares / n - 1)).toBeLessThan(5 * Math.sqrt(2 / n));
  });
});
