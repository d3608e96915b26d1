// What browser.ts imports where bench/peers is installed. Their types are not needed: tfjs.ts and jax.ts say what is used.
declare module '@tensorflow/tfjs-core';
declare module '@tensorflow/tfjs-core/dist/register_all_gradients.js';
declare module '@tensorflow/tfjs-backend-webgpu';
declare module '@jax-js/jax';
