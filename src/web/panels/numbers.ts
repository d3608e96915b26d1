import type { Evaluation } from '../../train/evaluate.ts';
import { meanOf, type PhaseProfile } from '../../train/metrics.ts';
import type { Progress } from '../../train/trainer.ts';
import type { ColumnName, History } from '../charts/history.ts';
import { byId, make, write } from '../dom.ts';
import { count, duration, percent, significant } from '../format.ts';
import type { ModelProbe, Sample } from '../memory/probe.ts';
import type { Opened } from '../protocol.ts';

/** The tiles with numbers, the samples, and the push/pop profile. */

const setText = (id: string, text: string): void => write(byId(id, HTMLElement), text);

export function showOpened({ config, lossUnit }: Opened): void {
  setText('steps-all', `of ${count(config.train.steps)}`);
  setText('loss-unit', lossUnit);
  byId('progress', HTMLProgressElement).max = Math.max(1, config.train.steps);
  for (const id of ['loss', 'coarse', 'fine', 'length', 'speed', 'eta']) setText(id, '–');
}

/** Clears the time left, because the run is over. */
export const showEnd = (): void => setText('eta', '–');

export function showStep(step: number): void {
  setText('steps-done', count(step));
  byId('progress', HTMLProgressElement).value = step;
}

export function showProgress(progress: Progress): void {
  showStep(progress.step);
  setText('loss', significant(progress.loss));
  setText('coarse', percent(progress.coarse));
  setText('fine', percent(progress.fine));
  setText('length', String(progress.length));
  setText('speed', count(progress.timeStepsPerSecond));
  setText('eta', duration(progress.eta));
}

/**
 * Shows an evaluation on new sequences of the longest trained length, for a model without a history: one from a file.
 */
export function showEvaluated({ loss, coarse, fine, length }: Evaluation): void {
  setText('loss', significant(loss));
  setText('coarse', percent(coarse));
  setText('fine', percent(fine));
  setText('length', count(length));
}

/** Shows the latest numbers of a resumed or finished run. */
export function showLatest(history: History, step: number): void {
  const last = (column: ColumnName): number =>
    history[column].findLast(value => value !== null) ?? Number.NaN;
  if (history.step.length === 0) return;
  showStep(step);
  setText('loss', significant(last('loss')));
  setText('coarse', percent(last('coarse')));
  setText('fine', percent(last('fine')));
  setText('length', count(last('length')));
  setText('speed', count(last('timeStepsPerSecond')));
}

export function showProbe({ samples, profile }: ModelProbe): void {
  byId('samples', HTMLTableSectionElement).replaceChildren(...samples.map(sampleRow));
  showPhase('reading', profile.reading);
  showPhase('writing', profile.writing);
}

function sampleRow({ source, expected, predicted }: Sample): HTMLTableRowElement {
  const row = make('tr');
  const sourceCell = make('td', { class: 'symbols' });
  sourceCell.append(...source.map(name => make('span', {}, name)));
  const outputCell = make('td', { class: 'symbols' });
  outputCell.append(
    ...predicted.map((name, i) => {
      if (name === expected[i]) return make('span', {}, name);
      const wrong = make('mark', {}, name);
      wrong.title = `correct: ${expected[i]}`;
      return wrong;
    }),
  );
  row.append(sourceCell, make('td', {}, String(source.length)), outputCell);
  return row;
}

function showPhase(phase: 'reading' | 'writing', profile: PhaseProfile): void {
  for (const head of ['push', 'pop'] as const) {
    const bar = byId(`${phase}-${head}`, HTMLElement);
    const mean = meanOf(profile, head);
    const known = Number.isFinite(mean);
    bar.style.setProperty('--share', String(known ? mean : 0));
    const label = bar.previousElementSibling;
    if (label instanceof HTMLElement) write(label, known ? mean.toFixed(2) : '–');
  }
}
