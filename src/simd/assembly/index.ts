export * from './product';
export * from './cells';
export * from './rows';
export { memoryShape } from './memories/memory';
export { layerForward, layerBackward, stepForward, stepBackward } from './memories/batch';
export * from './output';
export * from './optim';

/** Where the tables of the compiler's own library end, and memory is free. */
export function firstFree(): usize {
  return __heap_base;
}
