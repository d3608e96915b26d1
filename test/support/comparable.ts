import type { Checkpoint } from '../../src/train/checkpoint.ts';

/** The part of a checkpoint that must be equal between two runs: everything except the time taken. */
export const comparable = ({ run, ...rest }: Checkpoint) => ({ ...rest, run: { ...run, seconds: 0 } });
