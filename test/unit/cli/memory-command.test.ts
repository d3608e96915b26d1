import { describe, expect, test } from 'vitest';
import { pushdown } from '../../support/terminal.ts';

describe('memory', () => {
  test("the paper's figure 1a with gradients, printed with the fewest digits that identify a float32", async () => {
    const operations = {
      kind: 'stack',
      push: [[0.8, 0.5, 0.9]],
      pop: [[0, 0.1, 0.9]],
      value: [[[1], [2], [3]]],
      dRead: [[[1], [2], [3]]],
      strengths: true,
    };
    const { code, out, err } = await pushdown(
      ['memory', '--engine', 'reference'],
      JSON.stringify(operations),
    );
    expect([code, err]).toEqual([0, '']);
    const answer = JSON.parse(out);
    expect(answer.engine).toBe('reference');
    expect(answer.read).toEqual([[[0.8], [1.5], [2.8]]]);
    expect(answer.dPush).toEqual([[1, 2, 6]]);
    expect(answer.dPop).toEqual([[0, 0, 0]]);
    for (const [t, expected] of [2.1, 1, 2.7].entries())
      expect(answer.dValue[0][t][0]).toBeCloseTo(expected, 6);
    expect(answer.strengths[0].map((rows: number[]) => rows.length)).toEqual([1, 2, 3]);
    expect(answer.strengths[0][2][1]).toBe(0);
  });

  test('a queue reads and pops from the front', async () => {
    const operations = { kind: 'queue', push: [[1, 1]], pop: [[0, 1]], value: [[[5], [7]]], strengths: true };
    const { out } = await pushdown(['memory', '--engine', 'reference'], JSON.stringify(operations));
    expect(JSON.parse(out)).toMatchObject({ read: [[[5], [7]]], strengths: [[[1], [0, 1]]] });
  });

  test('strengths of a long tape may be requested, although it has none', async () => {
    const steps = (value: number) => [Array(5000).fill(value)];
    const tape = { kind: 'tape', depth: 2, left: steps(0), right: steps(0), stay: steps(1) };
    const operations = { ...tape, value: [Array(5000).fill([1])], strengths: true };
    const { code, out } = await pushdown(['memory', '--engine', 'cpu'], JSON.stringify(operations));
    expect([code, JSON.parse(out).strengths]).toEqual([0, [Array(5000).fill([])]]);
  });

  test('a tape with a given number of cells writes, then moves; a stack with `depth` is refused', async () => {
    const tape = {
      kind: 'tape',
      depth: 3,
      ...{ left: [[0, 0, 1, 1, 1, 0]], right: [[1, 1, 0, 0, 0, 0]], stay: [[0, 0, 0, 0, 0, 1]] },
      value: [[[1], [2], [3], [4], [5], [6]]],
    };
    const run = (operations: object) =>
      pushdown(['memory', '--engine', 'reference'], JSON.stringify(operations));
    expect(JSON.parse((await run(tape)).out).read).toEqual([[[0], [0], [2], [1], [3], [6]]]);
    const none = await run({ ...tape, depth: 0 });
    expect([none.code, none.out]).toEqual([2, '']);
    expect(none.err).toContain('memory shape: depth must be an integer ≥ 1, got 0.');
    const stack = await run({ kind: 'stack', depth: 3, push: [[1]], pop: [[0]], value: [[[1]]] });
    expect(stack.code).toBe(2);
    expect(stack.err).toContain('unknown key "depth"');
  });

  test('a deque has results for each end; without pushes and pops at the bottom, the top is a stack', async () => {
    const top = {
      push: [[0.8, 0.5, 0.9]],
      pop: [[0, 0.1, 0.9]],
      value: [[[1], [2], [3]]],
      dRead: [[[1], [2], [3]]],
    };
    const silent = [[0, 0, 0]];
    const bottom = { push: silent, pop: silent, value: [[[9], [9], [9]]], dRead: [[[0], [0], [0]]] };
    const { code, out, err } = await pushdown(
      ['memory', '--engine', 'reference'],
      JSON.stringify({ kind: 'deque', top, bottom, strengths: true }),
    );
    expect([code, err]).toEqual([0, '']);
    const answer = JSON.parse(out);
    expect(Object.keys(answer)).toEqual(['engine', 'adapter', 'top', 'bottom', 'strengths']);
    expect(answer.top).toMatchObject({ read: [[[0.8], [1.5], [2.8]]], dPush: [[1, 2, 6]], dPop: silent });
    expect(Object.keys(answer.bottom)).toEqual(['read', 'dPush', 'dPop', 'dValue']);
    expect(answer.bottom.dValue).toEqual([[[0], [0], [0]]]);
    // From bottom to top: the rows pushed at the bottom come first.
    expect(answer.strengths[0].map((rows: number[]) => rows.length)).toEqual([2, 4, 6]);
    expect(answer.strengths[0][1]).toEqual([0, 0, 0.7, 0.5]);
  });

  test('gradients and strengths are printed only on request', async () => {
    const operations = { kind: 'stack', push: [[1]], pop: [[0]], value: [[[5, -6]]] };
    const { out } = await pushdown(['memory', '--engine', 'reference'], JSON.stringify(operations));
    expect(Object.keys(JSON.parse(out))).toEqual(['engine', 'adapter', 'read']);
    expect(JSON.parse(out).read).toEqual([[[5, -6]]]);
  });
});
