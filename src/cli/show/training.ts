/** The output of `train`: for people, and for its log. */
import type { Config } from '../../base/config.ts';
import { countParameters } from '../../base/parameters.ts';
import type { Checkpoint } from '../../train/checkpoint.ts';
import type { Evaluation } from '../../train/evaluate.ts';
import { recoveredText } from '../../train/recovery.ts';
import type { Callbacks, Ending, Trainer } from '../../train/trainer.ts';
import { withProgramName } from '../io/program-name.ts';
import {
  count,
  duration,
  EVALUATION_HEAD,
  evaluationLine,
  evaluationRow,
  fixed,
  inARow,
  modelText,
  printable,
  profileLine,
  progressLine,
  quote,
} from './format.ts';
import type { StatusLine } from './status-line.ts';

/** The lines before training: what is trained, and from which state. */
export function headLines(trainer: Trainer, from: Checkpoint | undefined): string {
  const { config, task, model, engine } = trainer;
  const longest = from?.run.curriculum.length ?? config.task.maxLength;
  const lines = [
    `task ${task.name} · ${task.symbolNames.length} symbols, lengths ${config.task.minLength} to ${longest} · seed ${config.train.seed}`,
    `model ${modelText(model.spec)} · ${count(countParameters(model.spec))} parameters · plan ${model.plan}`,
  ];
  if (from) {
    const at = `resumed at step ${from.state.step} of ${config.train.steps}`;
    const advice = {
      done: 'all steps are done: continue with --steps <n>',
      solved: 'the task is solved: continue with --set stopAt=0',
      stalled: 'the loss has stopped improving: continue with --set patience=0',
    };
    const { ending } = trainer;
    lines.push(ending && ending !== 'stopped' ? `${at} · ${advice[ending]}` : at);
    if (from.engine !== engine.name)
      lines.push(
        `the checkpoint is from engine ${printable(from.engine, 40)}: rounding differs from here on`,
      );
  }
  return `${lines.join('\n')}\n`;
}

/** Callbacks that report progress to the log and to people. */
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
          `step ${step}: stuck at a loss of ${loss.toFixed(4)}, restarting with new weights (restart ${restarts})`,
        );
    },
    onRecovered(recovered) {
      record({ kind: 'recovered', ...recovered });
      if (!json) line.print(recoveredText(recovered));
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
  // Your own data has no sources beyond its own lengths.
  const lengths = trainer.task.pairs ? '' : ` --lengths 1-${4 * atTrained.length}`;
  const how = endingText(ending, trainer.config);
  const { accuracy } = trainer.progress;
  // The thresholds are far apart, so that this is not printed for a run that is still learning.
  const memorised =
    trainer.task.pairs && accuracy >= 0.9 && atTrained.coarse < 0.5
      ? `\naccurate on the training pairs (${fixed(accuracy, 3)} of their symbols), but not on the test pairs: add pairs, or try other seeds (--seeds 5)\n`
      : '';
  const samples = atTrained.samples.map(({ source, expected, predicted }) =>
    expected === predicted ? `  ${source} → ${predicted} ✓` : `  ${source} → ${predicted} ✗ ${expected}`,
  );
  return `
${how} at step ${trainer.step}, ${duration(seconds)} of training

${EVALUATION_HEAD}
${evaluations.map(evaluationRow).join('\n')}
${memorised}
${atTrained.profile.reading.ends.length > 0 ? `${profileLine(atTrained.profile)}\n\n` : ''}${samples.join('\n')}

saved in ${file}
next:  ${withProgramName('pushdown trace ')}${quote(out)} ${quote(trainer.task.example)}
       ${withProgramName('pushdown eval ')}${quote(out)}${lengths}
`;
}

/** Describes how a run ended. */
export function endingText(ending: Ending, { train: { stopAt, stopPasses, patience } }: Config): string {
  switch (ending) {
    case 'solved':
      return `solved (coarse ${stopAt}${stopAt < 1 ? ' or better' : ''}${inARow(stopPasses)})`;
    case 'stalled':
      return `stalled (no lower loss in ${patience} evaluations)`;
    case 'done':
      return 'all steps done';
    default:
      return 'stopped';
  }
}
