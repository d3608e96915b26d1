import type { Block } from '../../src/layout/layout.ts';

/**
 * Unrolled products of a vector in registers (an array of vec4f) and a matrix in the parameters `w`. Every index is a
 * constant, which on software adapters needs no bounds check and no gather. In the formulas i counts numbers, j vec4s.
 */

const COMPONENTS = ['x', 'y', 'z', 'w'];

/** y += x · W, starting at vec4 `at` of y: y[at + j] += Σ_i x[i] · W[i][j]. */
export function add(y: string, x: string, { offset4, rows, ld4 }: Block, at = 0): string {
  const lines: string[] = [];
  for (let i = 0; i < rows; i += 4) {
    for (let j = 0; j < ld4; j++) {
      const terms = COMPONENTS.slice(0, rows - i).map(
        (c, k) => `${x}[${i / 4}].${c} * w[${offset4 + (i + k) * ld4 + j}]`,
      );
      lines.push(`${y}[${at + j}] += ${terms.join(' + ')};`);
    }
  }
  return lines.join('\n');
}

/** dx += dy · Wᵀ, starting at vec4 `at` of dy: dx[i] += Σ_j dy[at + j] · W[i][j]. */
export function addTransposed(dx: string, dy: string, { offset4, rows, ld4 }: Block, at = 0): string {
  const lines: string[] = [];
  for (let i = 0; i < rows; i++) {
    const terms = Array.from({ length: ld4 }, (_, j) => `dot(${dy}[${at + j}], w[${offset4 + i * ld4 + j}])`);
    lines.push(`${dx}[${Math.floor(i / 4)}].${COMPONENTS[i % 4]} += ${terms.join(' + ')};`);
  }
  return lines.join('\n');
}

/**
 * acc += xᵀ · y, the gradient of W, at the same offset in acc as W in the parameters: acc[i][j] += x[i] · y[at + j].
 */
export function addOuter(acc: string, x: string, y: string, { offset4, rows, ld4 }: Block, at = 0): string {
  const lines: string[] = [];
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < ld4; j++) {
      lines.push(
        `${acc}[${offset4 + i * ld4 + j}] += ${x}[${Math.floor(i / 4)}].${COMPONENTS[i % 4]} * ${y}[${at + j}];`,
      );
    }
  }
  return lines.join('\n');
}
