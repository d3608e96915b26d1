/** Entry point of a worker thread of the cpu engine. */
import { parentPort } from 'node:worker_threads';
import { serve } from '../../engine/cpu-thread.ts';

const port = parentPort!;
port.on(
  'message',
  serve(message => port.postMessage(message)),
);
