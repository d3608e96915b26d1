import { walksOf } from '../../src/kernels/walks.ts';
import { linePlot } from '../../src/plot/lines.ts';
import { decades, logAt } from '../../src/plot/scale.ts';
import { memoryInputs, STRENGTHS } from '../problems.ts';

const TIMES = [16, 64, 256, 1024, 4096, 16_384];
const RANGE = { 'near 1': 'in (½, 1)', uniform: 'in (0, 1)', 'near 0': 'in (0, .1)' } as const;

/** Rows that a step of a stack visits for its pop and read, averaged over a sequence (docs/algorithm.md, section 8). */
export function costFigure(): string {
  const lines = [
    // At step t, counted from 0, the formulas as written visit t rows for the pop and t + 1 rows for the read.
    { label: 'as written', points: TIMES.map(T => ({ x: T, y: T })) },
    ...STRENGTHS.map(strengths => ({
      label: `push strengths ${RANGE[strengths]}`,
      points: TIMES.map(T => {
        const { push, pop } = memoryInputs({ kind: 'stack', B: 1, T, M: 1, strengths });
        return { x: T, y: walksOf('stack', push, pop, 1, T)!.perStep.reduce((sum, rows) => sum + rows) / T };
      }),
    })),
  ];
  return linePlot({
    title: 'Rows that a step visits: removed by its pop, and read',
    x: { label: 'T, time steps, log scale', scale: logAt(TIMES) },
    y: {
      label: 'rows per step, log scale',
      scale: decades(lines.flatMap(({ points }) => points.map(({ y }) => y))),
    },
    lines,
  });
}
