import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { each, lines } from '../lib/text.ts';
import type { MemoryOptions } from './kind.wgsl.ts';
import {
  type End,
  endsRead,
  grow,
  passes,
  popOf,
  pushes,
  rewindGradients,
  rewindLoads,
  rewindRows,
  rewindStores,
} from './rows-ends.wgsl.ts';

/**
 * The deque with an undo log, one sequence per invocation, which walks over the rows one by one (usually one or two per
 * step).
 */

export const laneForward = (o: MemoryOptions): string => {
  // Pop (equations 2, 4, 7, 8): removes rows while their strength is at most what is left to pop, then reduces the next
  // row by the rest.
  const pop = ({ index, side }: End): string => wgsl`
  var rest${index} = ${popOf(index)};
  var reached${index} = 0u;
  var before${index} = 0.0;
  while (hi > lo) {
    let at = slotAt(k, ${side === 'top' ? 'hi - 1u' : 'lo'});
    let s = bitcast<f32>(slots[at].x);
    if (s > rest${index}) {
      before${index} = s;
      if (rest${index} > 0.0) {
        reached${index} = REACHED;
        slots[at].x = bitcast<u32>(s - rest${index});
      }
      break;
    }
    rest${index} -= s;
    ${side === 'top' ? 'hi--' : 'lo++'};
  }`;
  // Read (equations 3, 5, 10, 11) from the end, until one unit of strength is read.
  const read = ({ index, side }: End): string => wgsl`{
    var left = 1.0;
    for (var n = 0u; n < hi - lo && left > 0.0; n++) {
      let slot = slots[slotAt(k, ${side === 'top' ? 'hi - 1u - n' : 'lo + n'})];
      let weight = min(bitcast<f32>(slot.x), left);
      ${each(o.elements, 8, c => `addRead(k, ${index}u, ${c}, weight * loadValue(k, slot.y, ${c}));`, 'c')}
      left -= weight;
    }
  }`;
  return wgsl`
fn forward(k: u32, t: u32, bounds: vec2u, controls: vec4f) -> vec2u {
  var lo = bounds.x;
  var hi = bounds.y;
  ${lines(endsRead(o.kind), pop)}
  ${pushes(o.kind)}
  ${grow(o.kind)}
  ${lines(endsRead(o.kind), read)}
  return vec2u(lo, hi);
}
`;
};

export const laneBackward = (o: MemoryOptions): string => {
  // Backward pass of a read. For a row read as a whole, adds its gradient to dStrength; the gradient of the row read in
  // part is subtracted from dStrength of all rows nearer the end.
  const read = ({ index, side }: End): string => {
    const slot = (n: string): string =>
      `slotAt(k, ${side === 'top' ? `bounds.y - 1u - ${n}` : `bounds.x + ${n}`})`;
    return wgsl`{
    var left = 1.0;
    for (var n = 0u; n < bounds.y - bounds.x && left > 0.0; n++) {
      let at = ${slot('n')};
      let slot = slots[at];
      let s = bitcast<f32>(slot.x);
      let weight = min(s, left);
      var g = 0.0;
      ${each(
        o.elements,
        8,
        c => `{
        let dr = loadDRead(k, ${index}u, ${c});
        g += elementDot(loadValue(k, slot.y, ${c}), dr);
        addDValue(k, slot.y, ${c}, weight * dr);
      }`,
        'c',
      )}
      if (s <= left) {
        if (${passes(o.kind, 'slot', 't')}) { dStrength[at] += g; }
      } else {
        for (var nearer = 0u; nearer < n; nearer++) {
          let to = ${slot('nearer')};
          if (${passes(o.kind, 'slots[to]', 't')}) { dStrength[to] -= g; }
        }
      }
      left -= weight;
    }
  }`;
  };
  return wgsl`
fn backward(k: u32, t: u32, bounds: vec2u) -> vec2u {
  ${lines(endsRead(o.kind), read)}
  let before = boundsBefore(k, t);
  ${rewindLoads(o.kind)}
  ${rewindStores(o.kind)}
  ${rewindRows(o)}
  ${rewindGradients(o.kind)}
  return before;
}
`;
};
