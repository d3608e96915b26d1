import { messageOf } from '../base/errors.ts';
import { type FromThread, type ToThread, takeItems, type Work } from '../simd/pool.ts';
import { type Made, workOf } from './cpu-work.ts';

/**
 * The message handler of a worker of the cpu engine.
 * @param answer sends a message back to the pool
 */
export function serve(answer: (message: FromThread) => void): (message: ToThread) => void {
  const objects = new Map<number, Work<never, unknown>>();
  let number = 0;
  answer({ kind: 'ready' });
  return message => {
    try {
      switch (message.kind) {
        case 'thread':
          number = message.number;
          break;
        case 'object':
          objects.set(message.object, workOf(message.made as Made));
          break;
        case 'forget':
          objects.delete(message.object);
          break;
        case 'job': {
          const { object, job, given, next, count } = message;
          const work = objects.get(object);
          if (!work) break;
          const answers = takeItems(work, given as never, number, next, count);
          if (answers.length > 0) answer({ kind: 'done', job, answers });
        }
      }
    } catch (error) {
      answer({ kind: 'failed', reason: messageOf(error) });
    }
  };
}
