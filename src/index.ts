/**
 * pushdown: neural stacks on WebGPU.
 *
 *   const engine = createCpuEngine();                              // or, with a device of your own:
 *   const engine = await createGpuEngine(await requestDevice(adapter), describe(adapter));
 *   const stack = await engine.memory({ kind: 'stack', B, T, M }); // the memory as a layer
 *   const trainer = await Trainer.start(engine, preset('reverse')); // or a whole training run
 *
 * In Node, `openEngine` of `pushdown/node` finds the best engine of the machine.
 */
export { assign, type Config, FIELDS, KEYS, makeConfig } from './base/config.ts';
export type { Batch } from './base/dims.ts';
export { DeviceError, InputError } from './base/errors.ts';
export { countParameters, type ModelSpec, parameters, type Tensors } from './base/parameters.ts';
export { Rng, STREAM } from './base/rng.ts';
export { createCpuEngine } from './engine/cpu.ts';
export type * from './engine/engine.ts';
export { createGpuEngine } from './engine/gpu.ts';
export { requestDevice } from './gpu/device.ts';
export { type Data, parseData } from './tasks/data-file.ts';
export { makeTask, taskNames } from './tasks/registry.ts';
export type { Pair, Sequence, Split, Task } from './tasks/task.ts';
export { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from './train/checkpoint.ts';
export { evaluate, evaluateLengths, predict, trace } from './train/evaluate.ts';
export { PRESETS, preset } from './train/presets.ts';
export { defaultsFor } from './train/setup.ts';
export { type Callbacks, Trainer } from './train/trainer.ts';
