import type { TaskConfig } from '../base/config.ts';
import { Grammar, type Rules } from './grammar.ts';
import { grammarTask, wordsPerClass } from './grammar-task.ts';
import type { Task } from './task.ts';

/** Table 1(b) of the paper. */
const RULES: Rules = {
  A: [[1, 'B', 'B']],
  B: [
    [1 / 4, 'B or B', 'B oder B'],
    [1 / 4, 'S and S', 'S und S'],
    [1 / 2, 'B V', 'B V'],
  ],
  V: [
    [3 / 4, 'W B', 'W B'],
    [1 / 4, 'W', 'W'],
  ],
  S: [
    [1 / 6, 'the M', 'der M'],
    [1 / 6, 'the F', 'die F'],
    [1 / 6, 'the N', 'das N'],
    [1 / 6, 'a M', 'ein M'],
    [1 / 6, 'a F', 'eine F'],
    [1 / 6, 'a N', 'ein N'],
  ],
};

/** Shared by all instances of the task: the grammar does not depend on any setting. */
const GRAMMAR = new Grammar(RULES, ['W', 'M', 'F', 'N']);

/** Words with a fixed translation. Articles are translated by the gender of the noun that follows. */
const PLAIN: Readonly<Record<string, string>> = { or: 'oder', and: 'und' };
const ARTICLES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  the: { m: 'der', f: 'die', n: 'das' },
  a: { m: 'ein', f: 'eine', n: 'ein' },
};

/**
 * Gender conjugation, in the paper's format (see transduction.ts). Nouns have a gender in the target language, with
 * which the preceding article must agree. So an article can be translated only after the next symbol has been read.
 * With 8 symbols:
 *
 *   task    gender
 *   source  the me1 and a fe1 we1
 *   input   <s>  the  me1  and  a  fe1  we1  |||  der  mg1  und  eine  fg1  wg1
 *   target  ·    ·    ·    ·    ·  ·    ·    der  mg1  und  eine fg1   wg1  </s>
 *   phase   .    r    r    r    r  r    r    w    w    w    w    w     w    .
 *
 * There are ⌊25/128 · `symbols`⌋ verbs (we), and as many nouns of each gender (me, fe, ne), but at least one of each:
 * 25 with the paper's 128 symbols.
 *
 * Sources of any length ≥ 5. Within a range, lengths have the probabilities of the grammar. T = 2L + 2. Loss and
 * metrics are over the L + 1 steps from the separator.
 */
export const gender = ({ name, symbols }: TaskConfig): Task =>
  grammarTask({
    name,
    grammar: GRAMMAR,
    sourceWords: ['or', 'and', 'the', 'a'],
    targetWords: ['oder', 'und', 'der', 'die', 'das', 'ein', 'eine'],
    classes: {
      W: { source: 'we', target: 'wg' },
      M: { source: 'me', target: 'mg' },
      F: { source: 'fe', target: 'fg' },
      N: { source: 'ne', target: 'ng' },
    },
    perClass: wordsPerClass(symbols, 25),
    example: 'the me1 and a fe1 we1',
    targetOf,
  });

/** Translates word by word. Undefined if an article is not followed by a noun. */
function targetOf(source: readonly string[]): string[] | undefined {
  const words = source.map((word, i) => {
    if (PLAIN[word]) return PLAIN[word];
    if (ARTICLES[word]) return ARTICLES[word][source[i + 1]?.[0]];
    return word.replace('e', 'g');
  });
  return words.includes(undefined as never) ? undefined : words;
}
