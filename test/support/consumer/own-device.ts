/** Uses the program's own WebGPU device, without WebGPU's types. */
import { createGpuEngine, describe, type Engine, requestDevice, type SequenceRecorder } from 'pushdown';
import { findAdapter } from 'pushdown/node';

const { found } = await findAdapter();
if (!found) throw new Error('no adapter');
export const engine: Engine = await createGpuEngine(
  await requestDevice(found.adapter),
  describe(found.adapter),
);
const memory = await engine.memory({ kind: 'queue', B: 1, T: 2, M: 1 });
export const recorder: SequenceRecorder = await memory.recordSequences();
