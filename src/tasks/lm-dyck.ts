import type { TaskConfig } from '../base/config.ts';
import { PHASE } from '../base/dims.ts';
import { bracketNames, drawKinds, nestedExample } from './dyck.ts';
import { Grammar, MAX_LENGTH } from './grammar.ts';
import { language } from './language.ts';
import type { Task } from './task.ts';

/**
 * Probabilities of the grammar below: beside a pair of brackets there is on average 1 further pair (SPLIT), and inside
 * it 39 further levels (NEST).
 */
const SPLIT = 1 / 2;
const NEST = 39 / 40;

/**
 * Language modelling of the Dyck language (DuSell and Chiang 2020; see language.ts for the format and the metric).
 * `symbols` is the number of kinds of brackets. Strings have even lengths and are drawn from the grammar
 *
 *   S → S T (1/2) | T (1/2),   T → ( S ) (39/40) | ( ) (1/40),   with all kinds of brackets equally likely
 *
 * The language is deterministic context-free. The authors use 2 symbols:
 *
 *   task    lm-dyck
 *   source  ( [ ] ) [ ]
 *   input   <s>  (  [  ]  )  [  ]
 *   target  (    [  ]  )  [  ]  </s>
 *   phase   .    r  r  w  w  r  w
 *
 * A stack should push at an opening bracket (r) and pop at a closing one (w).
 */
export function lmDyck({ name, symbols }: TaskConfig): Task {
  const names = bracketNames(symbols);
  // The grammar has one kind of bracket; kinds are drawn separately.
  const grammar = new Grammar(
    {
      A: [
        [SPLIT, 'A T', 'A T'],
        [1 - SPLIT, 'T', 'T'],
      ],
      T: [
        [NEST, '( A )', '( A )'],
        [1 - NEST, '( )', '( )'],
      ],
    },
    [],
  );
  return language({
    name,
    symbolNames: names,
    example: nestedExample(names, symbols),
    has: length => length > 0 && length % 2 === 0 && length <= MAX_LENGTH,
    because: `its strings have even lengths up to ${MAX_LENGTH}`,
    string: (rng, length) => {
      const { source } = grammar.derive(name, rng, length, length, word => ({ source: word, target: word }));
      return drawKinds(rng, source, symbols);
    },
    logProbability: string => {
      const nats = logOf(string, symbols);
      return nats === -Infinity ? nats : nats - Math.log(grammar.probability(string.length));
    },
    phase: string => string.map(bracket => (bracket < symbols ? PHASE.reading : PHASE.writing)),
  });
}

/**
 * ln of the probability that the grammar derives this string. The grammar is unambiguous, so there is one derivation.
 */
function logOf(string: readonly number[], symbols: number): number {
  const [split, last, nest, close] = [SPLIT, 1 - SPLIT, NEST, 1 - NEST].map(Math.log);
  let nats = 0;
  /** The open brackets, each with the number of brackets opened directly inside it. The first is the whole string. */
  const open = [{ kind: -1, inside: 0 }];
  for (const bracket of string) {
    const around = open[open.length - 1];
    if (bracket < symbols) {
      nats += (around.inside++ > 0 ? split : last) - Math.log(symbols);
      open.push({ kind: bracket, inside: 0 });
    } else {
      if (around.kind !== bracket - symbols) return -Infinity;
      nats += around.inside > 0 ? nest : close;
      open.pop();
    }
  }
  return open.length === 1 && open[0].inside > 0 ? nats : -Infinity;
}
