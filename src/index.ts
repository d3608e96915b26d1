/**
 * Neural stacks, queues and deques on WebGPU and WebAssembly SIMD: engines, tasks, trainer, evaluation, checkpoints.
 *
 * ```ts
 * import { preset, Trainer } from 'pushdown';
 * import { openEngine } from 'pushdown/node'; // in a page or a worker: 'pushdown/browser'
 *
 * const engine = await openEngine(); // a GPU, else WebAssembly SIMD: engine.adapter names it
 * const stack = await engine.memory({ kind: 'stack', B: 32, T: 20, M: 8 }); // the memory as a layer
 * const trainer = await Trainer.start(engine, preset('reverse')); // or a whole training run
 * await trainer.singleStep();
 * ```
 *
 * On a WebGPU device that you opened yourself:
 *
 * ```ts
 * import { createGpuEngine, describe, requestDevice } from 'pushdown';
 *
 * const gpuEngine = await createGpuEngine(await requestDevice(adapter), describe(adapter));
 * ```
 *
 * @module pushdown
 */
export {
  assign,
  type Config,
  FIELDS,
  type Field,
  KEYS,
  type ModelConfig,
  makeConfig,
  type TaskConfig,
  type TrainConfig,
} from './base/config.ts';
export type { Batch } from './base/dims.ts';
export { DeviceError, InputError } from './base/errors.ts';
export { FIELD_HELP } from './base/field-help.ts';
export {
  countParameters,
  type ModelSpec,
  type Parameter,
  parameters,
  type Tensors,
} from './base/parameters.ts';
export { Rng, STREAM } from './base/rng.ts';
export { createCpuEngine, type Threads } from './engine/cpu.ts';
export type * from './engine/engine.ts';
export { createReferenceEngine } from './engine/reference.ts';
export type { TuningStore } from './kernels/tuning-store.ts';
export { createGpuEngine, type GpuOptions, requestDevice } from './own-device.ts';
export { describe } from './platform/adapter.ts';
export type { DataFacts } from './tasks/data-facts.ts';
export { type Data, type DataOptions, parseData, type SplitRule } from './tasks/data-file.ts';
export type { TaskName } from './tasks/names.ts';
export { makeTask, taskNames } from './tasks/registry.ts';
export type { Pair, Sequence, Split, Task } from './tasks/task.ts';
export { PRESETS, type Preset, preset } from './train/all-presets.ts';
export { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from './train/checkpoint.ts';
export {
  type EvaluateOptions,
  type Evaluation,
  evaluate,
  evaluateLengths,
  type Prediction,
  predict,
  type TraceStep,
  trace,
} from './train/evaluate.ts';
export { runAtLengths } from './train/lengths.ts';
export type { PhaseProfile, Profile } from './train/metrics.ts';
export type { Recovered } from './train/recovery.ts';
export type { RunState } from './train/run-state.ts';
export { defaultsFor } from './train/setup.ts';
export { type Callbacks, type Ending, type Progress, type Restart, Trainer } from './train/trainer.ts';
