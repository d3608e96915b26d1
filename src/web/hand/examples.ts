import type { Inputs, Kind } from './equations.ts';

/** An example for the memory operated by hand. */
export interface Example {
  id: string;
  label: string;
  kind: Kind;
  /** What the example shows. */
  text: string;
  inputs: Inputs;
}

export const EXAMPLES: readonly Example[] = [
  {
    id: 'figure',
    label: 'Figure 1 of the paper',
    kind: 'stack',
    text: 'Step 3 pops 0.9: all 0.5 of row 2 and 0.4 of row 1. Then it pushes the value 3 with strength 0.9, and reads 0.9 of row 3 and 0.1 of row 1.',
    inputs: { push: [0.8, 0.5, 0.9], pop: [0, 0.1, 0.9], value: [1, 2, 3] },
  },
  {
    id: 'reverse',
    label: 'An exact stack',
    kind: 'stack',
    text: 'Push 1 while reading, pop 1 while writing: the values are read in reverse order.',
    inputs: { push: [1, 1, 1, 0, 0], pop: [0, 0, 0, 1, 1], value: [1, 2, 3, 0, 0] },
  },
  {
    id: 'copy',
    label: 'An exact queue',
    kind: 'queue',
    text: 'The same strengths, but a queue is read at its oldest row: the values are read in the order in which they were pushed.',
    inputs: { push: [1, 1, 1, 0, 0], pop: [0, 0, 0, 1, 1], value: [1, 2, 3, 0, 0] },
  },
  {
    id: 'half',
    label: 'Half a pop',
    kind: 'stack',
    text: 'A pop of 0.5 leaves half of a row, so reads blend two values. Early in training, the reads of a network look like this.',
    inputs: { push: [1, 1, 1, 0, 0], pop: [0, 0, 0, 0.5, 0.5], value: [1, 2, 3, 0, 0] },
  },
];
