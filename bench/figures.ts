/**
 * The figures of docs/algorithm.md, drawn by the programs of that document. A test compares them with the files.
 *
 *   node bench/run.mjs bench/figures.ts
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Rng } from '../src/base/rng.ts';
import { type AlgorithmCode, loadAlgorithm } from './algorithm-code.ts';
import { costFigure } from './figures/cost.ts';
import { intervalsFigure } from './figures/intervals.ts';
import { prefixSumFigure } from './figures/prefix-sum.ts';
import { slotsFigure } from './figures/slots.ts';
import { undoFigure } from './figures/undo.ts';

export const FOLDER = join('docs', 'images');

/** Figure 1a of the paper, and a fourth step. */
export const EXAMPLE = { push: [0.8, 0.5, 0.9, 0.2], pop: [0, 0.1, 0.9, 1] };

export async function main(): Promise<number> {
  mkdirSync(FOLDER, { recursive: true });
  for (const [name, svg] of Object.entries(figures(await loadAlgorithm()))) {
    const path = join(FOLDER, name);
    writeFileSync(path, svg);
    console.log(path);
  }
  return 0;
}

/** SVGs by file name. */
export const figures = (code: AlgorithmCode): Record<string, string> => ({
  'algorithm-intervals.svg': intervalsFigure(code, {
    title: 'The example as intervals of heights',
    ...EXAMPLE,
    labelled: true,
    maxHeight: 1.5,
  }),
  'algorithm-undo.svg': undoFigure(code, EXAMPLE.push, EXAMPLE.pop),
  'algorithm-slots.svg': slotsFigure(),
  'algorithm-cost.svg': costFigure(),
  'algorithm-prefix-sum.svg': prefixSumFigure(code, [0.3, 0.2, 0.4, 0.6, 0.1, 0.5, 0.2, 0.3], 1.2),
  'algorithm-time.svg': intervalsFigure(code, longRun()),
});

/** Push and pop strengths of steps in which the stack grows and shrinks. */
function longRun() {
  const T = 20;
  const rng = new Rng(4, 0, T);
  const eighths = (max: number): number => rng.int(1, max) / 8;
  const push = Array.from({ length: T }, () => eighths(7));
  const pop = Array.from({ length: T }, (_, t) => (t === 0 ? 0 : eighths(6)));
  return { title: 'A longer run of a stack', push, pop, labelled: false, maxHeight: 3, linksOf: T - 1 };
}
