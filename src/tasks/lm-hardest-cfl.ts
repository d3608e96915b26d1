import type { TaskConfig } from '../base/config.ts';
import { Grammar, LONGEST, type Rule, type Rules } from './grammar.ts';
import { language } from './language.ts';
import type { Task } from './task.ts';

const NAMES = ['(', ')', '[', ']', ',', ';', '$'];
/** What a decoy is made of. */
const FILLERS = ['(', ')', '[', ']', '$'];

/** A geometric number of this mean goes on with this probability. */
const goesOn = (mean: number): number => mean / (mean + 1);
const COMMA = goesOn(0.5);
const SHORT = goesOn(0.5);
const LONG = goesOn(1);
const CUT = 0.25;
const SPLIT = goesOn(1.5);
const NEST = goesOn(3);

/**
 * The hardest context-free language (Greibach 1973), to be modelled (DuSell and Chiang 2020; see language.ts for the
 * format and the metric). A string of the Dyck language with two kinds of brackets, `$` before it, is cut into pieces;
 * each piece is hidden among decoys, which are apart by `,`, and pieces with their decoys end with `;`. With decoys U (any
 * number of fillers) and V (one or more):
 *
 *   every block of w:  U ,  (V ,)*  piece  (, V)*  , U  ;
 *
 *   task    lm-hardest-cfl
 *   source  , $ ( , [ , ) ; ] , ) , ;
 *   input   <s>  ,  $  (  ,  [  ,  )  ;  ]  ,  )  ,  ;
 *   target  ,    $  (  ,  [  ,  )  ;  ]  ,  )  ,  ;  </s>
 *   phase   .    .  .  .  .  .  .  .  .  .  .  .  .  .
 *
 * whose pieces are `$ (` and `)`; `[`, `)` and `]` are decoys. Cuts are after every symbol with probability 1/4; means are 1/2
 * further decoy on either side, 1/2 filler in U, 2 in V; among brackets, 1.5 beside and 3 levels. Strings of 6 symbols and
 * more. `symbols` does not matter.
 */
export function lmHardestCfl({ name }: TaskConfig): Task {
  const grammar = new Grammar(RULES, ['W']);
  const index = new Map(NAMES.map((symbol, i) => [symbol, i]));
  return language({
    name,
    symbolNames: NAMES,
    example: ', $ ( , [ , ) ; ] , ) , ;',
    has: length => length <= LONGEST && grammar.probability(length) > 0,
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

/** Both sides of a rule are one. */
const rule = (probability: number, words: string): Rule => [probability, words, words];

/** All rules with or without each part that may be left out; `Q?` stands for it. */
function withOrWithout(probability: number, words: string, part: string, there: number): Rule[] {
  const place = `${part}?`;
  if (!words.includes(place)) return [rule(probability, words)];
  return [
    ...withOrWithout(probability * there, words.replace(place, part), part, there),
    ...withOrWithout(probability * (1 - there), words.replace(place, ''), part, there),
  ];
}

/**
 * The authors' grammar without its empty right sides:
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
 * The probability that the grammar derives this string, over all ways to say which part of each block is the piece. Blocks are
 * gone through in order, with the probability of every state that the brackets of the pieces so far may have left. A cut is
 * possible between any two symbols of the Dyck string, so it has no say in the brackets.
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
      const decoys = decoysOf(parts, at);
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

/** The probability of all parts of a block but the piece. */
function decoysOf(parts: readonly string[], piece: number): number {
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

/** Brackets that are open, as letters: that of the string itself, then `p` or `b`; capital where there are some inside. */
const ROOT = 's';
const LETTER: Readonly<Record<string, string>> = { '(': 'p', ')': 'p', '[': 'b', ']': 'b' };

/** The state after more brackets, and their probability; undefined where they cannot be. */
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
