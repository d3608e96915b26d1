/** The files in a run's folder. */
export const CHECKPOINT = 'checkpoint.safetensors';
export const CONFIG = 'config.json';
export const LOG = 'log.jsonl';
/** The result of a run of `table` or `train --seeds`. */
export const RESULT = 'result.json';
/** The subfolder of previous checkpoints, named by step. */
export const EARLIER = 'earlier';
