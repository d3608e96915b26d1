import type { TaskConfig } from '../base/config.ts';
import { Grammar, type Rules } from './grammar.ts';
import { grammarTask, wordsPerClass } from './grammar-task.ts';
import type { Task } from './task.ts';

/** Table 1(a) of the paper. */
const RULES: Rules = {
  A: [[1, 'S VT O', 'S O VT']],
  S: [
    [1 / 5, 'S S', 'S S'],
    [1 / 5, 'S rpi S VT', 'S rpo S VT'],
    [3 / 5, 'ST', 'ST'],
  ],
  O: [
    [1 / 5, 'O O', 'O O'],
    [1 / 5, 'S rpi S VT', 'S rpo S VT'],
    [3 / 5, 'OT', 'OT'],
  ],
};

/** Shared by all instances of the task: the grammar does not depend on any setting. */
const GRAMMAR = new Grammar(RULES, ['ST', 'VT', 'OT']);

/**
 * Subject-verb-object to subject-object-verb, in the paper's format (see transduction.ts). The main verb moves to the
 * end of the sentence, across an object that may be long. Relative clauses (`rpi` … verb) keep their order. The paper's
 * example:
 *
 *   task    svo-sov
 *   source  si1 vi28 oi5 oi7 si15 rpi si19 vi16 oi10 oi24
 *   input   <s>  si1  vi28  oi5  oi7  si15  rpi  si19  vi16  oi10  oi24  |||  so1  oo5  oo7  so15  rpo  so19  vo16  oo10  oo24  vo28
 *   target  ·    ·    ·     ·    ·    ·     ·    ·     ·     ·     ·     so1  oo5  oo7  so15  rpo  so19  vo16  oo10  oo24  vo28  </s>
 *   phase   .    r    r     r    r    r     r    r     r     r     r     w    w    w    w     w    w    w     w     w     w     .
 *
 * There are ⌊33/128 · `symbols`⌋ subjects, and as many verbs and objects, but at least one of each: 33 with the paper's
 * 128 symbols.
 *
 * Sources of any length ≥ 3. Within a range, lengths have the probabilities of the grammar. T = 2L + 2. Loss and
 * metrics are over the L + 1 steps from the separator.
 */
export const svoSov = ({ name, symbols }: TaskConfig): Task =>
  grammarTask({
    name,
    grammar: GRAMMAR,
    sourceWords: ['rpi'],
    targetWords: ['rpo'],
    classes: {
      ST: { source: 'si', target: 'so' },
      VT: { source: 'vi', target: 'vo' },
      OT: { source: 'oi', target: 'oo' },
    },
    perClass: wordsPerClass(symbols, 33),
    example: 'si1 vi1 si1 rpi si1 vi1 oi1',
    targetOf,
  });

/** Each `rpi` is matched by a later verb. The first unmatched verb is the main verb, which moves to the end. */
function targetOf(source: readonly string[]): string[] | undefined {
  let waiting = 0;
  const verb = source.findIndex(word => {
    if (word === 'rpi') waiting++;
    return word.startsWith('v') && waiting-- === 0;
  });
  // A sentence without a main verb, or without a subject or an object.
  if (verb <= 0 || verb === source.length - 1) return undefined;
  const moved = [...source.slice(0, verb), ...source.slice(verb + 1), source[verb]];
  return moved.map(word => (word === 'rpi' ? 'rpo' : `${word[0]}o${word.slice(2)}`));
}
