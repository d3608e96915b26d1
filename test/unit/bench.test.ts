import { describe, expect, test } from 'vitest';
import { growthOf, within } from '../../bench/cases/growth.ts';
import { allCases, selectCases } from '../../bench/cases/index.ts';
import { rowsRead } from '../../bench/cases/memory.ts';
import { type Baseline, isFailure, judge, parseBaseline, type Ratios, remarksOf } from '../../bench/gate.ts';
import { exponent, spread } from '../../bench/measure.ts';
import { agree } from '../../bench/peers/agree.ts';
import { failuresOf } from '../../bench/suite.ts';

/** The statistics and verdicts that benchmarks compute from their samples. */

test('medians and quartiles are interpolated between samples', () => {
  expect(spread([4, 1, 3, 2])).toMatchObject({ median: 2.5, low: 1.75, high: 3.25 });
  expect(spread([7])).toMatchObject({ median: 7, low: 7, high: 7 });
});

test('the exponent of a power law is fitted', () => {
  const xs = [64, 256, 1024];
  expect(
    exponent(
      xs,
      xs.map(x => 5 * x ** 1.5),
    ),
  ).toBeCloseTo(1.5, 12);
  const points = xs.map(T => ({ T, ms: spread([T * T]), bytes: 10 * T }));
  const growth = growthOf(points, 1.1);
  expect(growth.exponent).toBeCloseTo(2, 12);
  expect(growth.bytesExponent).toBeCloseTo(1, 12);
  expect(within(growth)).toBe(false);
  expect(within({ ...growth, limit: 2.1 })).toBe(true);
});

describe('the cases', () => {
  const cases = [
    { name: 'adapter: copy' },
    { name: 'memory: stack B=1' },
    { name: 'memory: queue B=1', full: true },
  ];
  test('--only also keeps those that measure the adapter', () => {
    expect(selectCases(cases, { only: ['STACK'] })).toEqual(cases.slice(0, 2));
  });
  test('those marked `full` are left out without --full', () => {
    expect(selectCases(cases, {})).toEqual(cases.slice(0, 2));
    expect(selectCases(cases, { full: true })).toEqual(cases);
  });
  test('an --only text that matches no case is an error', () => {
    expect(() => selectCases(cases, { only: ['lstm'] })).toThrow(/no case has this in its name/);
    expect(() => selectCases(cases, { only: ['queue'] })).toThrow(/With --full, 1 case has it\./);
  });
  test.each(['gpu', 'cpu'] as const)('have unique names on %s', engine => {
    const names = allCases(engine).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.some(name => name.startsWith('prefix sum'))).toBe(engine === 'gpu');
    expect(names.some(name => name.startsWith('adapter: ') && name.includes('product'))).toBe(true);
  });
});

describe('the gate', () => {
  const ratios = (reference: number, copy: number): Ratios => ({
    name: 'memory',
    how: '',
    ms: 1,
    reference: spread([reference]),
    copy: spread([copy]),
  });
  const baseline = { cases: [ratios(1, 10)] };
  test.each([
    [1.2, 12, 'ok'],
    [1.3, 13, 'failed'],
    [1.3, 10, 'moved'],
    [1, 14, 'moved'],
    [0.7, 7, 'faster'],
    [Number.NaN, Number.NaN, 'failed'],
  ] as const)(
    'ratios of %d and %d, with 1 and 10 in the baseline, are judged: %s',
    (reference, copy, verdict) => {
      const judgement = judge(ratios(reference, copy), baseline);
      expect(judgement.verdict).toBe(verdict);
      expect(remarksOf([judgement], []).length).toBe(verdict === 'ok' ? 0 : 1);
    },
  );
  test('a slowdown within the quartiles of the baseline fails as unclear', () => {
    const wide = { cases: [{ ...ratios(1, 10), copy: spread([6, 10, 20]) }] };
    const judgement = judge(ratios(1.4, 14), wide);
    expect(judgement.verdict).toBe('unclear');
    expect(isFailure(judgement.verdict)).toBe(true);
    expect(remarksOf([judgement], [])[0]).toMatch(/\+40 % .* quartiles overlap/);
    expect(judge(ratios(1.4, 16), wide).verdict).toBe('failed');
  });
  test('a case that the baseline does not have is new', () => {
    expect(judge({ ...ratios(1, 1), name: 'other' }, baseline).verdict).toBe('new');
  });
  test('a file that is not a baseline is refused', () => {
    const good: Partial<Baseline> = { benchmark: 'check', cases: baseline.cases };
    expect(parseBaseline(JSON.stringify(good), 'x.json').cases).toHaveLength(1);
    for (const text of ['', '{}', 'null', '{"benchmark":"check","cases":[{"name":"a"}]}']) {
      expect(() => parseBaseline(text, 'x.json')).toThrow(/x\.json is not a baseline/);
    }
  });
});

test('a failed case, growth beyond its limit, and a wrong peer count as failures', () => {
  const growth = growthOf(
    [1, 2, 4].map(T => ({ T, ms: spread([T ** 3]), bytes: T })),
    1.1,
  );
  const cases = [
    { name: 'a', failed: 'no device' },
    { name: 'b', growth },
    { name: 'c', peers: [{ name: 'P', version: '1', device: 'CPU', none: 'wrong: read differs' }] },
    { name: 'd', skipped: 'too large' },
  ];
  expect(failuresOf({ cases }).map(text => text[0])).toEqual(['a', 'b', 'c']);
});

test('the tensor that differs most is named; a missing one, or one of another size, is an error', () => {
  const right = new Map([
    ['a', [1, -4]],
    ['b', [0, 0]],
  ]);
  expect(
    agree(
      right,
      new Map([
        ['a', [1, -4.4]],
        ['b', [0, 0]],
      ]),
    ),
  ).toMatchObject({ worst: 'a', difference: expect.closeTo(0.1, 10) });
  expect(agree(right, right).difference).toBe(0);
  expect(
    agree(
      right,
      new Map([
        ['a', [1, Number.NaN]],
        ['b', [0, 0]],
      ]),
    ).difference,
  ).toBeNaN();
  expect(() => agree(right, new Map([['a', [1, 2]]]))).toThrow(/^tensor b is missing: got a\.$/);
  expect(() => agree(right, new Map([['a', [1]]]))).toThrow(/^tensor a should have 2 numbers, got 1\.$/);
});

test('the rows that a read takes are counted', () => {
  const problem = { kind: 'stack', B: 1, T: 200, M: 1, strengths: 'near 1' } as const;
  expect(rowsRead(problem)).toBeGreaterThan(1);
  expect(rowsRead(problem)).toBeLessThan(3);
  expect(rowsRead({ ...problem, strengths: 'near 0' })).toBeGreaterThan(10);
});
