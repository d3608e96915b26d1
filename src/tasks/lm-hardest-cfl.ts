import type { TaskConfig } from '../base/config.ts';
import { Grammar, MAX_LENGTH, type Rule, type Rules } from './grammar.ts';
import { continueProbability, language } from './language.ts';
import type { Task } from './task.ts';

const NAMES = ['(', ')', '[', ']', ',', ';', '$'];
/** The symbols that decoys consist of. */
const FILLERS = ['(', ')', '[', ']', '$'];

// Probabilities: of one more decoy V on a side, of one more filler in U and in V, of a cut, of one more pair in a
// sequence, of one more level of nesting.
const COMMA = continueProbability(0.5);
const SHORT = continueProbability(0.5);
const LONG = continueProbability(1);
const CUT = 0.25;
const SPLIT = continueProbability(1.5);
const NEST = continueProbability(3);

/**
 * Language modelling of the hardest context-free language of Greibach (1973), as in DuSell and Chiang 2020 (see
 * language.ts for the format and the metric). A string of the Dyck language with two kinds of brackets, preceded by
 * `$`, is cut into pieces. Each piece is hidden among decoys in a block. Commas separate the parts of a block, and
 * every block ends with `;`. With decoys U (any number of fillers) and V (at least one filler):
 *
 *   every block:  U ,  (V ,)*  piece  (, V)*  , U  ;
 *
 *   task    lm-hardest-cfl
 *   source  , $ ( , [ , ) ; ] , ) , ;
 *   input   <s>  ,  $  (  ,  [  ,  )  ;  ]  ,  )  ,  ;
 *   target  ,    $  (  ,  [  ,  )  ;  ]  ,  )  ,  ;  </s>
 *   phase   .    .  .  .  .  .  .  .  .  .  .  .  .  .
 *
 * Here the pieces are `$ (` and `)`; `[`, `)` and `]` are decoys. Every symbol of `$` and the Dyck string, except the
 * last, is followed by a cut with probability 1/4. The geometric choices have means of 1/2 (further decoys on each
 * side), 1/2 (fillers in U), 2 (fillers in V), 1.5 (further pairs after the first in a sequence) and 3 (further levels
 * of nesting along one path).
 * The shortest strings have 6 symbols. `symbols` is ignored.
 */
export function lmHardestCfl({ name }: TaskConfig): Task {
  const grammar = new Grammar(RULES, ['W']);
  const index = new Map(NAMES.map((symbol, i) => [symbol, i]));
  return language({
    name,
    symbolNames: NAMES,
    example: ', $ ( , [ , ) ; ] , ) , ;',
    has: length => length <= MAX_LENGTH && grammar.probability(length) > 0,
    because: 'its shortest string has 6 symbols',
    string: (rng, length) => {
      const { source } = grammar.derive(name, rng, length, length, () => {
        const filler = FILLERS[rng.int(0, FILLERS.length - 1)];
        return { source: filler, target: filler };
      });
      return source.map(symbol => index.get(symbol)!);
    },
    logProbability: string => {
      const p = probabilityOf(string.map(symbol => NAMES[symbol]));
      return p > 0 ? Math.log(p) - Math.log(grammar.probability(string.length)) : -Infinity;
    },
  });
}

/** A rule whose source and target are the same words. */
const rule = (probability: number, words: string): Rule => [probability, words, words];

/**
 * Expands optional parts: a rule with `Q?` becomes one rule with Q and one without. `present` is the probability that
 * the part is present.
 */
function withOrWithout(probability: number, words: string, part: string, present: number): Rule[] {
  const place = `${part}?`;
  if (!words.includes(place)) return [rule(probability, words)];
  return [
    ...withOrWithout(probability * present, words.replace(place, part), part, present),
    ...withOrWithout(probability * (1 - present), words.replace(place, ''), part, present),
  ];
}

/**
 * The authors' grammar is the following. RULES is the same grammar without empty right-hand
 * sides, with A for S', D for L' and E for R'.
 *
 *   S' → R $ Q S L ;    L → L' , U     R → U , R'     Q → L ; R (1/4) | ε
 *   L' → , V L' | ε     R' → R' V , | ε     U → W U | ε     V → W V | W     W → a filler
 *   S → S Q T | T       T → ( Q S Q ) | ( Q ) | [ Q S Q ] | [ Q ]
 */
const RULES: Rules = {
  A: withOrWithout(1, 'R $ Q? S L ;', 'Q', CUT),
  Q: [rule(1, 'L ; R')],
  L: withOrWithout(1, 'D? , U?', 'D', COMMA).flatMap(([p, words]) => withOrWithout(p, words, 'U', SHORT)),
  D: [rule(1 - COMMA, ', V'), rule(COMMA, ', V D')],
  R: withOrWithout(1, 'U? , E?', 'E', COMMA).flatMap(([p, words]) => withOrWithout(p, words, 'U', SHORT)),
  E: [rule(1 - COMMA, 'V ,'), rule(COMMA, 'E V ,')],
  U: [rule(1 - SHORT, 'W'), rule(SHORT, 'W U')],
  V: [rule(1 - LONG, 'W'), rule(LONG, 'W V')],
  S: [rule(1 - SPLIT, 'T'), ...withOrWithout(SPLIT, 'S Q? T', 'Q', CUT)],
  T: ['( )', '[ ]'].flatMap(pair => {
    const [opening, closing] = pair.split(' ');
    return [
      ...withOrWithout(NEST / 2, `${opening} Q? S Q? ${closing}`, 'Q', CUT),
      ...withOrWithout((1 - NEST) / 2, `${opening} Q? ${closing}`, 'Q', CUT),
    ];
  }),
};

/**
 * The probability that the grammar derives this string, summed over all choices of the piece in each block. Processes
 * the blocks in order and keeps the probability of every state (see ROOT) to which the pieces so far can lead. A cut is
 * possible between any two neighbouring symbols of the Dyck string, so cuts do not depend on the brackets.
 */
function probabilityOf(string: readonly string[]): number {
  if (string.at(-1) !== ';') return 0;
  const blocks = string.slice(0, -1).join('').split(';');
  let states = new Map([[ROOT, 1]]);
  blocks.forEach((block, i) => {
    const parts = block.split(',');
    const next = new Map<string, number>();
    for (let at = 1; at < parts.length - 1; at++) {
      const piece = parts[at];
      const isFirst = piece.startsWith('$');
      if (piece === '' || isFirst !== (i === 0)) continue;
      const decoys = decoyProbability(parts, at);
      if (decoys === 0) continue;
      const cuts = (i > 0 ? CUT : 1) * (1 - CUT) ** (piece.length - 1);
      for (const [state, p] of states) {
        const after = bracketsAfter(state, isFirst ? piece.slice(1) : piece);
        if (after) next.set(after.state, (next.get(after.state) ?? 0) + p * decoys * cuts * after.p);
      }
    }
    states = next;
  });
  return states.get(ROOT.toUpperCase()) ?? 0;
}

/** The probability of all parts of a block except the piece. */
function decoyProbability(parts: readonly string[], piece: number): number {
  const last = parts.length - 1;
  // (V ,)* before the piece, (, V)* after it.
  let p = COMMA ** (piece - 1) * (1 - COMMA) * COMMA ** (last - piece - 1) * (1 - COMMA);
  parts.forEach((part, i) => {
    if (i === piece) return;
    const filled = FILLERS.length ** -part.length;
    if (i === 0 || i === last) p *= SHORT ** part.length * (1 - SHORT) * filled;
    else p *= part.length > 0 ? LONG ** (part.length - 1) * (1 - LONG) * filled : 0;
  });
  return p;
}

/**
 * The first state. A state has a letter for every open bracket: `s` for the string itself, then `p` for ( or `b` for [.
 * A capital letter marks a bracket that has others inside.
 */
const ROOT = 's';
const LETTER: Readonly<Record<string, string>> = { '(': 'p', ')': 'p', '[': 'b', ']': 'b' };

/** The state after further brackets, and their probability. Undefined if these brackets are impossible. */
function bracketsAfter(before: string, brackets: string): { state: string; p: number } | undefined {
  let state = before;
  let p = 1;
  for (const bracket of brackets) {
    const top = state[state.length - 1];
    const inside = top !== top.toLowerCase();
    const letter = LETTER[bracket];
    if (letter === undefined) return undefined;
    if (bracket === '(' || bracket === '[') {
      p *= inside ? SPLIT : 1 - SPLIT;
      state = state.slice(0, -1) + top.toUpperCase() + letter;
    } else {
      if (top.toLowerCase() !== letter) return undefined;
      p *= inside ? NEST / 2 : (1 - NEST) / 2;
      state = state.slice(0, -1);
    }
  }
  return { state, p };
}
