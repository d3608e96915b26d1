/** A worker of the cpu engine. */
import { serve } from '../../engine/cpu-thread.ts';

const heard = serve(message => globalThis.postMessage(message));
globalThis.addEventListener('message', ({ data }) => heard(data));
