/** Entry point of a worker thread of the cpu engine. */
import { serveThread } from './serve.ts';

serveThread();
