import { messageOf } from '../base/errors.ts';
import { type FromThread, type ToThread, takeItems, type Work } from '../simd/pool.ts';
import { buildWork, type WorkSpec } from './cpu-work.ts';

/**
 * Returns the message handler of a worker of the cpu engine.
 * @param answer sends a message to the pool
 */
export function serve(answer: (message: FromThread) => void): (message: ToThread) => void {
  const objects = new Map<number, Work<never, unknown>>();
  let thread = 0;
  answer({ kind: 'ready' });
  return message => {
    try {
      switch (message.kind) {
        case 'thread':
          thread = message.number;
          break;
        case 'object':
          objects.set(message.object, buildWork(message.spec as WorkSpec));
          break;
        case 'remove':
          objects.delete(message.object);
          break;
        case 'job': {
          const { object, job, given, next, count } = message;
          const work = objects.get(object);
          if (!work) break;
          const results = takeItems(work, given as never, thread, next, count);
          if (results.length > 0) answer({ kind: 'done', job, results });
        }
      }
    } catch (error) {
      answer({ kind: 'failed', reason: messageOf(error) });
    }
  };
}
