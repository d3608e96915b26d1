/**
 * What a run stores about its data instead of the data itself, which is too large. It is enough to detect whether a
 * file has changed, and whether another file shares sources with the training data.
 */
export interface DataFacts {
  /** Pairs in each part. If nothing is held out, all are in `train`. */
  train: number;
  validation: number;
  test: number;
  /** Number of symbols in the shortest and in the longest source. */
  shortest: number;
  longest: number;
  /** Hash of all pairs, independent of their order. */
  digest: number;
  /** The smallest hashes of training sources. A file that contains all training sources contains all of these. */
  sample: number[];
}

/** Maximum number of hashes in a sample. */
export const SAMPLE = 256;

const PARTS = ['train', 'validation', 'test'] as const;

export const pairsIn = (facts: DataFacts): number => PARTS.reduce((sum, part) => sum + facts[part], 0);

/** `160 train, 20 validation, 20 test`; if nothing is held out, `200`. */
export const partsText = (facts: DataFacts): string =>
  facts.validation + facts.test > 0
    ? PARTS.map(part => `${facts[part]} ${part}`).join(', ')
    : String(facts.train);

/**
 * Describes the data of a run in one line: `data own.tsv · 160 train, 20 validation, 20 test pairs · 60 new pairs (…)`.
 * @param before the data that the run was last trained on
 */
export function dataLine(file: string, facts: DataFacts, before?: DataFacts): string {
  const heldOut = facts.validation + facts.test > 0;
  const change = before && changeText(before, facts);
  return [
    `data ${file}`,
    `${partsText(facts)} pairs${heldOut ? '' : ', nothing held out: evaluated on the training pairs'}`,
    ...(change ? [change] : []),
  ].join(' · ');
}

/** A phrase on how the data has changed since the run was last trained on it; undefined if it has not. */
export function changeText(before: DataFacts, after: DataFacts): string | undefined {
  if (before.digest === after.digest && PARTS.every(part => before[part] === after[part])) return undefined;
  const added = PARTS.map(part => ({ part, pairs: after[part] - before[part] }));
  if (added.some(({ pairs }) => pairs < 0)) {
    return `${partsText(before)} before`;
  }
  const grown = added.filter(({ pairs }) => pairs > 0);
  if (grown.length === 0) return 'the same number of pairs as before, but different ones';
  const all = pairsIn(after) - pairsIn(before);
  const parts = grown.map(({ part, pairs }) => `${pairs} ${part}`).join(', ');
  return `${all} new ${all === 1 ? 'pair' : 'pairs'} (${parts})`;
}
