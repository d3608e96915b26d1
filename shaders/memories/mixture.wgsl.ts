import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { lines, range } from '../lib/text.ts';
import { barrier, divided, type MemoryCode, type MemoryOptions, vec4sPerRow } from './kind.wgsl.ts';

/**
 * A memory of `depth` cells of vec4sPerRow() vec4s each.
 * At every step each cell becomes a mixture of the cell before it, the cell
 * after it and itself, weighted by the three controls. Equations: src/reference/superposition.ts and tape.ts. A step
 * costs O(depth); the block form is parallel over cells. The undo log holds all cells after every step. dStrength holds
 * the gradients of the cells in two halves, one for this step and one for the next; they swap roles at every step.
 *
 * @param ring true for a tape: the value is written to cell 0, and the last cell comes before the first. False for a
 * superposition stack: the value comes before cell 0, and a row of zeros after the last cell
 */
export const mixture = (ring: boolean): MemoryCode => ({
  functions: (o, pass) => wgsl`
fn boundsBefore(k: u32, t: u32) -> vec2u { return vec2u(); }
fn value4(k: u32, t: u32, g: u32) -> vec4f { return ${load4(o, c => `loadValue(k, t, ${c})`)}; }
// The number of the cell at position i, from -1 to depth. In a superposition stack, -1 and depth are not cells.
fn numberOf(i: i32) -> i32 {
  return ${ring ? `(i + ${o.depth}) % ${o.depth}` : 'i'};
}
// vec4 g of what step t mixes at position i, from -1 to depth. Before the first step all cells are 0.
fn source4(k: u32, t: u32, i: i32, g: u32) -> vec4f {
  let n = numberOf(i);
  if (n == ${ring ? 0 : -1}) { return value4(k, t, g); }
  if (t == 0u || n >= ${o.depth}) { return vec4f(); }
  return bitcast<vec4f>(undoLog[undoAt(k, ((t - 1u) * ${o.depth}u + u32(n)) * ${vec4sPerRow(o)}u + g)]);
}
${pass === 'forward' ? forward(o) : backward(o, ring)}
`,
});

/** vec4 g of a row whose elements are vec4s or numbers. Numbers beyond the end of the row are 0. */
const load4 = ({ element, elements }: MemoryOptions, load: (c: string) => string): string => {
  if (element === 'vec4f') return load('g');
  return `vec4f(${range(4)
    .map(j => {
      const c = `min(4u * g + ${j}u, ${elements - 1}u)`;
      return `select(0.0, ${load(c)}, 4u * g + ${j}u < ${elements}u)`;
    })
    .join(', ')})`;
};

/** Stores x as vec4 g of a row. */
const store4 = ({ element, elements }: MemoryOptions, store: (c: string, x: string) => string): string =>
  element === 'vec4f'
    ? store('g', 'x')
    : lines(4, j => `if (4u * g + ${j}u < ${elements}u) { ${store(`4u * g + ${j}u`, `x[${j}]`)} }`);

/** `body` for every vec4 g of every cell i. In the block form the invocations divide the work. */
const eachCell = (o: MemoryOptions, body: string): string =>
  divided(
    o,
    'n',
    '0u',
    `${o.depth * vec4sPerRow(o)}u`,
    `let i = i32(n / ${vec4sPerRow(o)}u);
    let g = n % ${vec4sPerRow(o)}u;
    ${body}`,
  );

const forward = (o: MemoryOptions): string => wgsl`
fn forward(k: u32, t: u32, bounds: vec2u, controls: vec4f) -> vec2u {
  ${barrier(o)}
  ${eachCell(
    o,
    wgsl`
    let x = controls.x * source4(k, t, i - 1, g) + controls.y * source4(k, t, i + 1, g) + controls.z * source4(k, t, i, g);
    undoLog[undoAt(k, (t * ${o.depth}u + u32(i)) * ${vec4sPerRow(o)}u + g)] = bitcast<vec4u>(x);
    if (i < ${o.reads}) {
      ${store4(o, (c, x) => `addRead(k, u32(i), ${c}, ${x});`)}
    }`,
  )}
  ${barrier(o)}
  return bounds;
}
`;

const backward = (o: MemoryOptions, ring: boolean): string => wgsl`
#if ${o.form === 'block'}
var<workgroup> wg_sums: array<vec4f, ${o.size}>;
#endif
// Index in dStrength of component j of vec4 g of the gradient of cell i, in half 0 or 1 of dStrength.
fn dCellAt(k: u32, half: u32, i: u32, g: u32, j: u32) -> u32 {
  return gradientAt(k, ((half * ${o.depth}u + i) * ${vec4sPerRow(o)}u + g) * 4u + j);
}
// vec4 g of the gradient of the cell at position i after step t, including the gradient of its read.
fn gradient4(k: u32, t: u32, i: i32, g: u32) -> vec4f {
  let n = numberOf(i);
  if (n < 0 || n >= ${o.depth}) { return vec4f(); }
  let half = (t + 1u) & 1u;
  var x = vec4f();
  for (var j = 0u; j < 4u; j++) { x[j] = dStrength[dCellAt(k, half, u32(n), g, j)]; }
  if (n < ${o.reads}) { x += ${load4(o, c => `loadDRead(k, u32(n), ${c})`)}; }
  return x;
}
fn clearGradient(k: u32, bounds: vec2u) {
  ${eachCell(
    o,
    `for (var j = 0u; j < 4u; j++) {
      dStrength[dCellAt(k, 0u, u32(i), g, j)] = 0.0;
      dStrength[dCellAt(k, 1u, u32(i), g, j)] = 0.0;
    }`,
  )}
}
fn backward(k: u32, t: u32, bounds: vec2u) -> vec2u {
  ${barrier(o)}
  let controls = loadControls(k, t);
  var sums = vec4f();
  ${eachCell(
    o,
    wgsl`
    let dCell = gradient4(k, t, i, g);
    sums += vec4f(
      dot(dCell, source4(k, t, i - 1, g)), dot(dCell, source4(k, t, i + 1, g)), dot(dCell, source4(k, t, i, g)), 0.0);
    var passed = controls.x * gradient4(k, t, i + 1, g) + controls.y * gradient4(k, t, i - 1, g) + controls.z * dCell;
    if (i == 0) {
      // The step overwrote cell 0 of a tape, so no gradient passes to its old contents.
      ${ring ? 'let x = passed; passed = vec4f();' : 'let x = controls.x * dCell;'}
      ${store4(o, (c, x) => `addDValue(k, t, ${c}, ${x});`)}
    }
    for (var j = 0u; j < 4u; j++) { dStrength[dCellAt(k, t & 1u, u32(i), g, j)] = passed[j]; }`,
  )}
#if ${o.form === 'block'}
  wg_sums[lid] = sums;
  workgroupBarrier();
  if (lid == 0u) {
    for (var n = 1u; n < ${o.size}u; n++) { sums += wg_sums[n]; }
  }
#endif
  ${barrier(o)}
  // In the block form only invocation 0 has the complete sums, and only invocation 0 stores them.
  gradients = sums;
  return bounds;
}
`;
