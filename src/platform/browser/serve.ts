import { serve } from '../../engine/cpu-thread.ts';

/** Makes this worker a thread of the cpu engine. */
export function serveThread(): void {
  const heard = serve(message => globalThis.postMessage(message));
  globalThis.addEventListener('message', ({ data }) => heard(data));
}
