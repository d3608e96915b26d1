// The packages that browser.ts imports if bench/peers is installed. tfjs.ts and jax.ts declare the types that are used.
declare module '@tensorflow/tfjs-core';
declare module '@tensorflow/tfjs-core/dist/register_all_gradients.js';
declare module '@tensorflow/tfjs-backend-webgpu';
declare module '@jax-js/jax';
