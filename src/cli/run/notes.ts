import type { Config } from '../../base/config.ts';
import { changeWords, type DataFacts, partsWords } from '../../tasks/data-facts.ts';
import type { Data } from '../../tasks/data-file.ts';

const dataWords = (facts: DataFacts): string =>
  facts.validation + facts.test > 0
    ? `${partsWords(facts)} pairs`
    : `${partsWords(facts)} pairs, none held out: measured on what it is trained on`;

/** What is to be said of the data of a run. @param before what it was last trained on */
export function dataNotes(
  { task }: Config,
  { file, splitBy, facts, train }: Data,
  before?: DataFacts,
): string[] {
  const change = before && changeWords(before, facts);
  const notes = [`data ${file} · ${dataWords(facts)}${change ? ` · ${change}` : ''}`];
  if (splitBy === 'rank') {
    notes.push(
      'the data is divided as when the run began, by rank (task.splitBy): if the file has changed since, pairs have moved from one part to another',
    );
  }
  const { minLength, maxLength } = task;
  const left = train.filter(({ source: { length } }) => length < minLength || length > maxLength).length;
  if (left > 0) {
    notes.push(
      `${left} of ${train.length} pairs are not trained on, for their sources are shorter than ${minLength} or longer than ${maxLength} symbols: --set minLength=${facts.shortest} --set maxLength=${facts.longest} takes all`,
    );
  }
  return notes;
}
