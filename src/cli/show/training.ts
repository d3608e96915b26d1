/** What `train` says: to people, and to its log. */
import type { Config } from '../../base/config.ts';
import { countParameters } from '../../base/parameters.ts';
import type { Checkpoint } from '../../train/checkpoint.ts';
import type { Evaluation } from '../../train/evaluate.ts';
import { recoveredWords } from '../../train/recovery.ts';
import type { Callbacks, Ending, Trainer } from '../../train/trainer.ts';
import { asStarted } from '../io/program-name.ts';
import {
  count,
  duration,
  EVALUATION_HEAD,
  evaluationLine,
  evaluationRow,
  inARow,
  modelWords,
  printable,
  profileLine,
  progressLine,
  quote,
} from './format.ts';
import type { StatusLine } from './status-line.ts';

/** What is trained, and from where. */
export function headLines(trainer: Trainer, from: Checkpoint | undefined): string {
  const { config, task, model, engine } = trainer;
  const longest = from?.run.curriculum.length ?? config.task.maxLength;
  const lines = [
    `task ${task.name} · ${task.symbolNames.length} symbols, lengths ${config.task.minLength} to ${longest} · seed ${config.train.seed}`,
    `model ${modelWords(model.spec)} · ${count(countParameters(model.spec))} parameters · plan ${model.plan}`,
  ];
  if (from) {
    const at = `resumed at step ${from.state.step} of ${config.train.steps}`;
    const over = {
      done: 'nothing left to do, --steps <n>',
      solved: 'solved already, --set stopAt=0',
      stalled: 'the loss improves no more, --set patience=0',
    };
    const { ending } = trainer;
    lines.push(ending && ending !== 'stopped' ? `${at}: ${over[ending]} makes it go on` : at);
    if (from.engine !== engine.name)
      lines.push(`it comes from engine ${printable(from.engine, 40)}: rounding will differ from here on`);
  }
  return `${lines.join('\n')}\n`;
}

/** Says how training goes: to the log, and to people. */
export function reporting(line: StatusLine, record: (entry: object) => void, json: boolean): Callbacks {
  return {
    onProgress(progress) {
      record({ kind: 'progress', ...progress });
      if (!json) line.status(progressLine(progress));
    },
    onEvaluation(evaluation, step) {
      record({ kind: 'evaluation', step, ...evaluation });
      if (!json) line.remark(evaluationLine(evaluation, step));
    },
    onRestart({ step, restarts, loss }) {
      record({ kind: 'restart', step, restarts, loss });
      if (!json)
        line.print(
          `step ${step}: stuck at a loss of ${loss.toFixed(4)}, restarts with other weights (restart ${restarts})`,
        );
    },
    onRecovered(recovered) {
      record({ kind: 'recovered', ...recovered });
      if (!json) line.print(recoveredWords(recovered));
    },
  };
}

export function summary(
  trainer: Trainer,
  ending: Ending,
  seconds: number,
  evaluations: readonly Evaluation[],
  file: string,
  out: string,
): string {
  const [atTrained] = evaluations;
  // Your own data has the lengths that it has.
  const lengths = trainer.task.pairs ? '' : ` --lengths 1-${4 * atTrained.length}`;
  const how = endingWords(ending, trainer.config);
  const samples = atTrained.samples.map(({ source, expected, predicted }) =>
    expected === predicted ? `  ${source} → ${predicted} ✓` : `  ${source} → ${predicted} ✗ ${expected}`,
  );
  return `
${how} at step ${trainer.step}, ${duration(seconds)} of training

${EVALUATION_HEAD}
${evaluations.map(evaluationRow).join('\n')}

${atTrained.profile.reading.ends.length > 0 ? `${profileLine(atTrained.profile)}\n\n` : ''}${samples.join('\n')}

saved in ${file}
next:  ${asStarted('pushdown trace ')}${quote(out)} ${quote(trainer.task.example)}
       ${asStarted('pushdown eval ')}${quote(out)}${lengths}
`;
}

/** How a run came to its end. */
export function endingWords(ending: Ending, { train: { stopAt, stopPasses, patience } }: Config): string {
  switch (ending) {
    case 'solved':
      return `solved (coarse ${stopAt} or better${inARow(stopPasses)})`;
    case 'stalled':
      return `stalled (no better loss in ${patience} evaluations)`;
    case 'done':
      return 'all steps done';
    default:
      return 'stopped';
  }
}
