import type { TaskConfig } from '../base/config.ts';
import { bracketTask, drawKinds } from './dyck.ts';
import { Grammar, MAX_LENGTH } from './grammar.ts';
import type { Task } from './task.ts';

/**
 * Complete words of the Dyck languages, sampled and measured as in Suzgun et al. 2019 ("Memory-Augmented Recurrent
 * Neural Networks Can Learn Generalized Dyck Languages"). For the format, see dyck.ts. `symbols` is the number of kinds
 * of brackets. Words are drawn from the grammar
 *
 *   S → ( S ) (1/2) | S S (1/4) | ε (1/4),   with all kinds of brackets equally likely
 *
 * restricted to the requested lengths. All words have even lengths. The authors train on lengths 2 to 50 and test on 52
 * to 100. With 2 symbols:
 *
 *   task    dyck-words
 *   source  ( [ ] ) [ ]
 *   input   (  [  ]  )     [  ]
 *   target  )  ]  )  none  ]  none
 *   phase   r  r  w  w     r  w
 *
 * The authors predict the set of all brackets that may come next. Every opening bracket may come next at any time, so
 * the set contains no more information than its closing bracket. A word counts as correct if all L steps are correct
 * (coarse accuracy).
 */
export function dyckWords({ name, symbols }: TaskConfig): Task {
  const grammar = new Grammar(RULES, []);
  return bracketTask(name, symbols, {
    source: (rng, low, high) => {
      const { source } = grammar.derive(name, rng, low, high, word => ({ source: word, target: word }));
      return drawKinds(rng, source, symbols);
    },
    example: names =>
      [0, 1 % symbols, symbols + (1 % symbols), symbols, 0, symbols].map(i => names[i]).join(' '),
    has: length => length > 0 && length % 2 === 0 && length <= MAX_LENGTH,
  });
}

/** The probability that S derives the empty word. It solves e = 1/4 + e²/4. */
const EMPTY = 2 - Math.sqrt(3);
const NONEMPTY = 1 - EMPTY;
/**
 * S S with one empty S is the rule A → A, of probability EMPTY / 2. It is left out, and the others are divided by REST.
 */
const REST = 1 - EMPTY / 2;
/** The grammar of the non-empty words that S derives. */
const RULES = {
  A: [
    [1 / 2 / REST, '( A )', '( A )'],
    [EMPTY / NONEMPTY / 2 / REST, '( )', '( )'],
    [NONEMPTY / 4 / REST, 'A A', 'A A'],
  ],
} as const;
