import { serve } from '../../engine/cpu-thread.ts';

/** Makes this worker a thread of the cpu engine. Call it at the top of the worker's script. */
export function serveThread(): void {
  const onMessage = serve(message => globalThis.postMessage(message));
  globalThis.addEventListener('message', ({ data }) => onMessage(data));
}
