/**
 * pushdown: neural stacks on WebGPU.
 *
 *   import { preset, Trainer } from 'pushdown';
 *   import { openEngine } from 'pushdown/node'; // in a page or a worker: 'pushdown/browser'
 *
 *   const engine = await openEngine(); // a GPU, else WebAssembly SIMD: engine.adapter says which
 *   const stack = await engine.memory({ kind: 'stack', B: 32, T: 20, M: 8 }); // the memory as a layer
 *   const trainer = await Trainer.start(engine, preset('reverse')); // or a whole training run
 *   await trainer.singleStep();
 *
 * With a WebGPU device of your own:
 *
 *   import { createGpuEngine, describe, requestDevice } from 'pushdown';
 *
 *   const own = await createGpuEngine(await requestDevice(adapter), describe(adapter));
 */
export { assign, type Config, FIELDS, KEYS, makeConfig } from './base/config.ts';
export type { Batch } from './base/dims.ts';
export { DeviceError, InputError } from './base/errors.ts';
export { countParameters, type ModelSpec, parameters, type Tensors } from './base/parameters.ts';
export { Rng, STREAM } from './base/rng.ts';
export { createCpuEngine } from './engine/cpu.ts';
export type * from './engine/engine.ts';
export { createReferenceEngine } from './engine/reference.ts';
export { createGpuEngine, type GpuOptions, requestDevice } from './own-device.ts';
export { describe } from './platform/adapter.ts';
export type { DataFacts } from './tasks/data-facts.ts';
export { type Data, parseData } from './tasks/data-file.ts';
export { makeTask, taskNames } from './tasks/registry.ts';
export type { Pair, Sequence, Split, Task } from './tasks/task.ts';
export { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from './train/checkpoint.ts';
export { evaluate, evaluateLengths, predict, trace } from './train/evaluate.ts';
export { runAtLengths } from './train/lengths.ts';
export { PRESETS, preset } from './train/presets.ts';
export { defaultsFor } from './train/setup.ts';
export { type Callbacks, Trainer } from './train/trainer.ts';
