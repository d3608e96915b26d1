/** The files of a run's folder. */
export const CHECKPOINT = 'checkpoint.safetensors';
export const CONFIG = 'config.json';
export const LOG = 'log.jsonl';
/** Of a run of many: its result. */
export const RESULT = 'result.json';
/** Checkpoints before the latest, by step. */
export const EARLIER = 'earlier';
