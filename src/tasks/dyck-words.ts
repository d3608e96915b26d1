import type { TaskConfig } from '../base/config.ts';
import { bracketTask } from './dyck.ts';
import { Grammar, LONGEST } from './grammar.ts';
import type { Task } from './task.ts';

/**
 * Whole words of the Dyck languages, as Suzgun et al. 2019 draw and measure them ("Memory-Augmented Recurrent Neural
 * Networks Can Learn Generalized Dyck Languages"); else as in dyck.ts. `symbols` is the number of kinds of brackets. They
 * are drawn by the grammar
 *
 *   S → ( S ) (1/2) | S S (1/4) | ε (1/4),   all kinds of brackets alike
 *
 * cut to the lengths asked for, which are even. There of 2 to 50 symbols, tested at 52 to 100. With 2 symbols:
 *
 *   task    dyck-words
 *   source  ( [ ] ) [ ]
 *   input   (  [  ]  )     [  ]
 *   target  )  ]  )  none  ]  none
 *   phase   r  r  w  w     r  w
 *
 * They ask for the set of all brackets that may come next. Every opening one may at any time, so the set says no more than
 * the closing bracket in it. Measured: a word is right where all L steps are (coarse accuracy).
 */
export function dyckWords({ name, symbols }: TaskConfig): Task {
  const grammar = new Grammar(RULES, []);
  return bracketTask(name, symbols, {
    pair: (rng, low, high) => {
      const { source } = grammar.derive(name, rng, low, high, one => ({ source: one, target: one }));
      const open: number[] = [];
      return source.map(bracket => {
        if (bracket === ')') return symbols + open.pop()!;
        open.push(rng.int(0, symbols - 1));
        return open[open.length - 1];
      });
    },
    example: names =>
      [0, 1 % symbols, symbols + (1 % symbols), symbols, 0, symbols].map(i => names[i]).join(' '),
    has: length => length > 0 && length % 2 === 0 && length <= LONGEST,
  });
}

/** S derives nothing with probability e = 1/4 + e²/4. */
const EMPTY = 2 - Math.sqrt(3);
const SOME = 1 - EMPTY;
/** S S of which one derives nothing is S again. */
const NEW = 1 - EMPTY / 2;
/** The grammar of what S derives where that is something. */
const RULES = {
  A: [
    [1 / 2 / NEW, '( A )', '( A )'],
    [EMPTY / SOME / 2 / NEW, '( )', '( )'],
    [SOME / 4 / NEW, 'A A', 'A A'],
  ],
} as const;
