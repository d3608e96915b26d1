/** A user's Node program, for the test of the package's types; it never runs. */
import {
  assign,
  type Checkpoint,
  decodeCheckpoint,
  type Engine,
  encodeCheckpoint,
  evaluate,
  InputError,
  type MemoryGradients,
  makeTask,
  predict,
  preset,
  type Tensors,
  Trainer,
} from 'pushdown';
import { type EngineOptions, findAdapter, openEngine, openEngineWith, reopening } from 'pushdown/node';

const options: EngineOptions = { threads: 2, plan: 'auto' };
const engine: Engine = await openEngine('cpu', options);

const stack = await engine.memory({ kind: 'stack', B: 1, T: 3, M: 1 });
const read: Float32Array = await stack.forward(new Float32Array(3), new Float32Array(3), new Float32Array(3));
const gradients: MemoryGradients = await stack.backward(read);
await stack.reset();
const stepRead: Float32Array = await stack.step(
  new Float32Array(1),
  new Float32Array(1),
  new Float32Array(1),
);
export const { dPop }: MemoryGradients = stack.stepBackwardSync(stepRead);
export const first: number = gradients.dPush[0] + gradients.dValue[0];

const config = assign(preset('reverse'), ['steps=10']);
const { result: trainer } = await openEngineWith('auto', {}, on =>
  Trainer.start(on, config, { reopen: reopening(), onProgress: ({ loss }) => void loss.toFixed(3) }),
);
await trainer.run();
const bytes: Uint8Array = encodeCheckpoint(await trainer.snapshot());
const checkpoint: Checkpoint = decodeCheckpoint(bytes);
export const parameters: Tensors = checkpoint.state.parameters;

const task = makeTask(config.task);
const { coarse } = await evaluate(trainer.model, task, { sequences: 10, length: 20, seed: 1 });
export const accuracy: number = coarse;
export const predictAnswers = predict;
export const expected = (error: unknown): boolean => error instanceof InputError;

const { found } = await findAdapter({ only: 'software' });
export const name: string | undefined = found?.description.name;
