import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { each } from '../lib/text.ts';
import type { MemoryOptions } from './kind.wgsl.ts';
import { type End, passes, popOf, type RowsForm } from './rows-ends.wgsl.ts';

/**
 * The deque with an undo log, one sequence per invocation, which walks over the rows one by one (usually one or two per
 * step).
 */

/**
 * Pop (equations 2, 4, 7, 8): removes rows while their strength is at most what is left to pop, then reduces the next
 * row by the rest.
 */
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

/** Read (equations 3, 5, 10, 11) from the end, until one unit of strength is read. */
const read = (o: MemoryOptions, { index, side }: End): string => wgsl`{
  var left = 1.0;
  for (var n = 0u; n < hi - lo && left > 0.0; n++) {
    let slot = slots[slotAt(k, ${side === 'top' ? 'hi - 1u - n' : 'lo + n'})];
    let weight = min(bitcast<f32>(slot.x), left);
    ${each(o.elements, 8, c => `addRead(k, ${index}u, ${c}, weight * loadValue(k, slot.y, ${c}));`)}
    left -= weight;
  }
}`;

/**
 * Backward pass of a read. For a row read as a whole, adds its gradient to dStrength; the gradient of the row read in
 * part is subtracted from dStrength of all rows nearer the end.
 */
const readBackward = (o: MemoryOptions, { index, side }: End): string => {
  const slot = (n: string): string => `slotAt(k, ${side === 'top' ? `hi - 1u - ${n}` : `lo + ${n}`})`;
  return wgsl`{
  var left = 1.0;
  for (var n = 0u; n < hi - lo && left > 0.0; n++) {
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

export const laneRows: RowsForm = { functions: () => '', pop, read, readBackward };
