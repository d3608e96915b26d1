export * from './product';
export { rnnForward, rnnBackward } from './cells/rnn';
export { lstmForward, lstmBackward } from './cells/lstm';
export { coupledForward, coupledBackward } from './cells/coupled';
export { gruForward, gruBackward } from './cells/gru';
export * from './heads';
export * from './tanh';
export * from './rows';
export { memoryShape } from './memories/memory';
export { layerForward, layerBackward, stepForward, stepBackward } from './memories/batch';
export * from './output';
export * from './optim';

/** Start of free memory, after the static data of the compiler's library. */
export function firstFree(): usize {
  return __heap_base;
}
