import type { Checkpoint } from '../../src/train/checkpoint.ts';

/** What must be equal between two runs: all but the time taken. */
export const comparable = ({ run, ...rest }: Checkpoint) => ({ ...rest, run: { ...run, seconds: 0 } });
