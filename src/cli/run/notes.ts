import type { Config } from '../../base/config.ts';
import { type DataFacts, dataLine } from '../../tasks/data-facts.ts';
import type { Data } from '../../tasks/data-file.ts';

/** Notes on the data of a run, one per line. @param before the data that the run was last trained on */
export function dataNotes(
  { task }: Config,
  { file, splitBy, facts, train }: Data,
  before?: DataFacts,
): string[] {
  const notes = [dataLine(file, facts, before)];
  if (splitBy === 'rank') {
    notes.push(
      'this run still splits its data by rank (task.splitBy), the rule it started with: when the file changes, pairs may move from one part to another',
    );
  }
  if (facts.longest === 1 && !task.characters) {
    notes.push('every source is a single symbol: if every character is meant to be one, add --characters');
  }
  const { minLength, maxLength } = task;
  const left = train.filter(({ source: { length } }) => length < minLength || length > maxLength).length;
  if (left > 0) {
    notes.push(
      `${left} of ${train.length} training pairs are left out: their sources are shorter than ${minLength} or longer than ${maxLength} symbols. To include them: --set minLength=${facts.shortest} --set maxLength=${facts.longest}`,
    );
  }
  return notes;
}
