/** The files in a run's folder. */
export const CHECKPOINT = 'checkpoint.safetensors';
export const CONFIG = 'config.json';
export const LOG = 'log.jsonl';
/** The result, for runs that are one of many. */
export const RESULT = 'result.json';
/** The subfolder of previous checkpoints, named by step. */
export const EARLIER = 'earlier';
