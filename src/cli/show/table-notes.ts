import type { Config } from '../../base/config.ts';
import { InputError } from '../../base/errors.ts';
import { countParameters } from '../../base/parameters.ts';
import { evaluatedLengths } from '../../train/presets/grid.ts';
import { setup } from '../../train/setup.ts';
import type { TableRun } from '../../train/table.ts';
import type { TableSpec, TestLengths } from '../../train/tables.ts';
import { count, inARow, modelText } from './format.ts';

const range = (low: number, high: number): string => (low === high ? String(high) : `${low}–${high}`);

/** The names that share a text, by text. */
function byText(entries: readonly (readonly [name: string, text: string])[]): Map<string, string[]> {
  const names = new Map<string, Set<string>>();
  for (const [name, text] of entries) names.set(text, (names.get(text) ?? new Set()).add(name));
  return new Map([...names].map(([text, of]) => [text, [...of]]));
}

/**
 * Groups names by text, a line per group: `copy, bigram: 8 symbols …`. The largest group comes last, as `other tasks:
 * …`.
 * @param kind what the names are, in the plural
 * @param show abbreviates the names of a group
 */
function lines(
  kind: string,
  entries: readonly (readonly [name: string, text: string])[],
  show = (names: readonly string[]): readonly string[] => names,
): string[] {
  const groups = [...byText(entries)].sort(([, a], [, b]) => a.length - b.length);
  return groups.map(([text, names], k) => {
    const last = k === groups.length - 1;
    return `${last ? `${k ? 'other' : 'all'} ${kind}` : show(names).join(', ')}: ${text}`;
  });
}

/**
 * Abbreviates names of cells (`task/model`): if `names` has all cells of a task (or model), the name of the task (or
 * model) stands for them.
 */
function shortNames(names: readonly string[], runs: readonly TableRun[]): string[] {
  const named = new Set(names);
  const whole = (key: 'task' | 'model', name: string): boolean =>
    runs.every(run => run[key] !== name || named.has(`${run.task}/${run.model}`));
  return [
    ...new Set(
      names.map(name => {
        const [task, model] = name.split('/');
        return whole('task', task) ? task : whole('model', model) ? model : name;
      }),
    ),
  ];
}

/** `stack: rnn 32 + stack 8 (1,836–6,287 parameters); in even-pairs: rnn 64 …`. */
function modelLine(model: string, all: readonly TableRun[]): string {
  const runs = all.filter(run => run.model === model);
  const sizes = byText(runs.map(({ task, config }) => [task, modelText(config.model)]));
  const parts = [...sizes].sort(([, a], [, b]) => b.length - a.length);
  const words = parts.map(([text, tasks], k) => {
    const counts = runs
      .filter(({ task }) => tasks.includes(task))
      .flatMap(({ config }) => parametersOf(config));
    const ends = [...new Set([Math.min(...counts), Math.max(...counts)].map(count))];
    const parameters = counts.length ? ` (${ends.join('–')} parameters)` : '';
    return `${k ? `in ${tasks.join(', ')}: ` : ''}${text}${parameters}`;
  });
  return `${model}: ${words.join('; ')}`;
}

/**
 * The number of parameters of a cell's model. Empty if the cell's settings are invalid: this is not an error here,
 * because --only may leave the cell out.
 */
function parametersOf(config: Config): number[] {
  try {
    return [countParameters(setup(config).spec)];
  } catch (error) {
    if (error instanceof InputError) return [];
    throw error;
  }
}

/** The lengths of a table's own test: `41, 92 … 500`, or `81–100`. */
const testText = ({ low, high, every }: TestLengths): string =>
  every === 1
    ? range(low, high)
    : `${low}, ${low + every} … ${low + every * Math.floor((high - low) / every)}`;

/** The settings of a table's runs, and how to read the table: one line each. */
export function notesOf(spec: TableSpec, runs: readonly TableRun[], sets: readonly string[]): string[] {
  const tasks = runs.map(({ task, config }) => {
    const { symbols, minLength, maxLength } = config.task;
    const tested = spec.test ? testText(spec.test) : range(...evaluatedLengths(config));
    const far = spec.far ? `, and at ${spec.far * maxLength}` : '';
    return [
      task,
      `${symbols} symbols, lengths ${range(minLength, maxLength)}, tested at ${tested}${far}`,
    ] as const;
  });
  const models = [...new Set(runs.map(({ model }) => model))];
  const training = runs.map(({ task, model, config }) => {
    const { optimiser, rate, rateHalfLife, rateHold, batch, steps, noise, stopAt, stopPasses, patience } =
      config.train;
    const rules = [
      ...(stopAt
        ? [
            `at coarse accuracy ${stopAt} at lengths ${range(...evaluatedLengths(config))} (on sequences that are not in the test)${inARow(stopPasses)}`,
          ]
        : []),
      ...(patience ? [`when the training loss has no new minimum in ${patience} evaluations`] : []),
    ];
    const ends = rules.length ? `, stopped early ${rules.join(', or ')}` : '';
    const halved = rateHalfLife
      ? `, with a half-life of ${count(rateHalfLife)} steps${rateHold ? ` from step ${count(rateHold)}` : ''}`
      : '';
    const recipe = `${optimiser}, learning rate ${rate}${halved}, batches of ${batch}${noise ? `, noise ${noise}` : ''}`;
    return [`${task}/${model}`, `${recipe}, ${count(steps)} steps at most${ends}`] as const;
  });
  const score = { coarse: 'coarse accuracy', accuracy: 'symbol accuracy', excess: 'distance from the bound' }[
    spec.score
  ];
  // `table paper` shows one run. The other tables show the best score of the seeds: `chomsky` in the test, like the
  // published table, `cfl` at trained lengths.
  const best =
    spec.score === 'coarse'
      ? `the run shown is the best at trained lengths (${score}, then fine accuracy, then loss); the test is not used for this choice`
      : spec.successOn === 'test'
        ? `best: the highest ${score} of the seeds in the test, as in the published table; so this choice uses the test; the mean is over all seeds`
        : `best: the seed with the smallest ${score}`;
  const place = spec.successOn === 'train' ? 'at trained lengths' : 'in the test';
  const limit = spec.score === 'excess' ? `${spec.successAt} nats or less` : `${spec.successAt} or better`;
  return [
    ...lines('tasks', tasks),
    ...models.map(model => modelLine(model, runs)),
    ...lines('runs', training, names => shortNames(names, runs)),
    ...(sets.length ? [`changed by --set: ${sets.join(' ')}`] : []),
    best,
    `success: ${score} ${limit} ${place}`,
  ];
}
