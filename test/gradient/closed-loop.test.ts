import { describe, it } from 'vitest';
import { endsOf, gradientName, MEMORY_NAMES, type MemoryName, memoryKind } from '../../src/base/memories.ts';
import type { Tensors } from '../../src/base/parameters.ts';
import {
  emptyMemory,
  memoryStep,
  memoryStepBackward,
  ROW_MEMORIES,
  type RowName,
} from '../../src/reference/memory.ts';
import { expectGradients } from '../support/differences.ts';
import { drawAwayFromTies, memoryMargin, uniforms } from '../support/margins.ts';

/**
 * A memory driven step by step in a closed loop: the controller's output depends on the previous read.
 * So gradients flow from reads through the controls and values of later steps back to earlier reads.
 *
 *   a_t = W r_{t−1} + x_t,   controls = scale · σ(a),   values = tanh(a),   L = Σ_t c_t · r_t
 */

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

interface Loop {
  kind: MemoryName;
  T: number;
  M: number;
  /** The maximum of a control. */
  scale: number;
}

/** The length of a_t: E numbers for each control, then E·M for the values. */
const widthOf = ({ kind, M }: Loop): number => endsOf(kind) * (memoryKind(kind).controls.length + M);

interface Step {
  a: Float64Array;
  controls: Float64Array[];
  value: Float64Array;
  before: unknown;
  after: unknown;
  r: Float64Array;
}

/** W [width, E·M], x [T, width] → the states of all steps */
function forward(loop: Loop, at: Tensors): Step[] {
  const { kind, T, M, scale } = loop;
  const [E, width] = [endsOf(kind), widthOf(loop)];
  const [W, x] = [at.get('W')!, at.get('x')!];
  const count = memoryKind(kind).controls.length;
  const steps: Step[] = [];
  let [before, last]: [unknown, Float64Array] = [emptyMemory(kind, M), new Float64Array(E * M)];
  for (let t = 0; t < T; t++) {
    const a = Float64Array.from({ length: width }, (_, i) =>
      last.reduce((sum, r, m) => sum + W[i * E * M + m] * r, x[t * width + i]),
    );
    const controls = Array.from({ length: count }, (_, c) =>
      a.slice(c * E, (c + 1) * E).map(x => scale * sigmoid(x)),
    );
    const value = a.slice(count * E).map(Math.tanh);
    const { after, r } = memoryStep(kind, before, controls, value);
    steps.push({ a, controls, value, before, after, r });
    [before, last] = [after, r];
  }
  return steps;
}

/** dW, dx and dc, computed with memoryStepBackward alone, from the last step to the first. */
function backward(loop: Loop, at: Tensors, steps: readonly Step[]): Tensors {
  const { kind, T, M, scale } = loop;
  const [E, width] = [endsOf(kind), widthOf(loop)];
  const [W, c] = [at.get('W')!, at.get('c')!];
  const { controls: all } = memoryKind(kind);
  const [dW, dx, dc] = [W, at.get('x')!, c].map(({ length }) => new Float64Array(length));
  let arriving: unknown;
  // The gradient of a step's read from the next step's controller.
  let later: Float64Array = new Float64Array(E * M);
  for (let t = T - 1; t >= 0; t--) {
    const { a, controls, value, before, after, r } = steps[t];
    const dr = Float64Array.from({ length: E * M }, (_, m) => c[t * E * M + m] + later[m]);
    dc.set(r, t * E * M);
    const { passed, gradients } = memoryStepBackward(kind, before, controls, value, after, dr, arriving);
    arriving = passed;
    const da = Float64Array.from(a, (x, i) => {
      const [control, end] = [Math.floor(i / E), i % E];
      if (control >= all.length) {
        const v = Math.tanh(x);
        return gradients.dValue[i - all.length * E] * (1 - v * v);
      }
      const s = sigmoid(x);
      return gradients[gradientName(all[control].name)][end] * scale * s * (1 - s);
    });
    dx.set(da, t * width);
    const last = t > 0 ? steps[t - 1].r : new Float64Array(E * M);
    later = new Float64Array(E * M);
    for (let i = 0; i < width; i++) {
      for (let m = 0; m < E * M; m++) {
        dW[i * E * M + m] += da[i] * last[m];
        later[m] += W[i * E * M + m] * da[i];
      }
    }
  }
  return new Map([
    ['W', dW],
    ['x', dx],
    ['c', dc],
  ]);
}

describe.each(MEMORY_NAMES)('gradients of a %s whose reads feed back into its controls', kind => {
  describe.each([
    ['to 1', 1],
    ['to 0.4: a read takes many rows', 0.4],
    ['to 3', 3],
  ])('controls up %s', (_, scale) => {
    it.each([1, 2, 9])('T = %i', T => {
      for (const seed of [1, 2]) {
        // Shares of a softmax sum to 1. With larger shares the memory would grow without bound.
        const shares = memoryKind(kind).activation === 'softmax' ? memoryKind(kind).controls.length : 1;
        const loop: Loop = { kind, T, M: 2, scale: shares > 1 ? Math.min(1, scale) / shares : scale };
        const [E, width] = [endsOf(kind), widthOf(loop)];
        const at: Tensors = drawAwayFromTies(
          rng =>
            new Map([
              ['W', uniforms(rng, width * E * 2, -1, 1)],
              ['x', uniforms(rng, T * width, -1, 1)],
              ['c', uniforms(rng, T * E * 2, -1, 1)],
            ]),
          drawn => {
            if (!(kind in ROW_MEMORIES)) return Infinity;
            const steps = forward(loop, drawn);
            const [push, pop] = [0, 1].map(c => steps.flatMap(({ controls }) => [...controls[c]]));
            return memoryMargin(kind as RowName, push, pop);
          },
          { seed },
        );
        const loss = (): number =>
          forward(loop, at).reduce(
            (sum, { r }, t) => r.reduce((all, x, m) => all + x * at.get('c')![t * E * 2 + m], sum),
            0,
          );
        expectGradients(loss, at, backward(loop, at, forward(loop, at)));
      }
    });
  });
});
