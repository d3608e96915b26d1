/**
 * What a run keeps of the data that it was trained on, where the data itself is too large: enough to notice that a file has
 * changed, and whether another one has sources that the model was trained on.
 */
export interface DataFacts {
  /** Pairs in each part; where nothing is held out, all are of the first. */
  train: number;
  validation: number;
  test: number;
  /** Symbols of the shortest and the longest source. */
  shortest: number;
  longest: number;
  /** Of all pairs, in any order. */
  digest: number;
  /** Hashes of some sources trained on: the least, so that a file with all of these sources has them too. */
  sample: number[];
}

/** Hashes in a sample. */
export const SAMPLE = 256;

const PARTS = ['train', 'validation', 'test'] as const;

export const pairsIn = (facts: DataFacts): number => PARTS.reduce((sum, part) => sum + facts[part], 0);

/** `160 train, 20 validation, 20 test`; where nothing is held out, `200`. */
export const partsWords = (of: DataFacts): string =>
  of.validation + of.test > 0 ? PARTS.map(part => `${of[part]} ${part}`).join(', ') : String(of.train);

/**
 * The data of a run in a line: `data own.tsv · 160 train, 20 validation, 20 test pairs · 60 new pairs (…)`.
 * @param before what the run was last trained on
 */
export function dataLine(file: string, facts: DataFacts, before?: DataFacts): string {
  const heldOut = facts.validation + facts.test > 0;
  const change = before && changeWords(before, facts);
  return [
    `data ${file}`,
    `${partsWords(facts)} pairs${heldOut ? '' : ', nothing held out: evaluated on the training pairs'}`,
    ...(change ? [change] : []),
  ].join(' · ');
}

/** How the data of a run has changed since it was last trained on, in words; undefined where it has not. */
export function changeWords(before: DataFacts, after: DataFacts): string | undefined {
  if (before.digest === after.digest && PARTS.every(part => before[part] === after[part])) return undefined;
  const added = PARTS.map(part => ({ part, pairs: after[part] - before[part] }));
  if (added.some(({ pairs }) => pairs < 0)) {
    return `${partsWords(before)} before`;
  }
  const there = added.filter(({ pairs }) => pairs > 0);
  if (there.length === 0) return 'as many pairs as before, but others';
  const all = pairsIn(after) - pairsIn(before);
  const parts = there.map(({ part, pairs }) => `${pairs} ${part}`).join(', ');
  return `${all} new ${all === 1 ? 'pair' : 'pairs'} (${parts})`;
}
