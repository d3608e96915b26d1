/** A WebGPU device of the program's own, without types of WebGPU. */
import { createGpuEngine, describe, type Engine, requestDevice } from 'pushdown';
import { findAdapter } from 'pushdown/node';

const { found } = await findAdapter();
if (!found) throw new Error('no adapter');
export const engine: Engine = await createGpuEngine(
  await requestDevice(found.adapter),
  describe(found.adapter),
);
