/** A worker of the cpu engine. */
import { serveThread } from './serve.ts';

serveThread();
