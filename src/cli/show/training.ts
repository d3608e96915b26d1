/** What `train` says: to people, and to its log. */
import type { Config } from '../../base/config.ts';
import { countParameters } from '../../base/parameters.ts';
import type { Checkpoint } from '../../train/checkpoint.ts';
import type { Evaluation } from '../../train/evaluate.ts';
import { recoveredWords } from '../../train/recovery.ts';
import type { Callbacks, Ending, Trainer } from '../../train/trainer.ts';
import type { Output } from '../arguments/command.ts';
import { appendLines } from '../files/files.ts';
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
} from './format.ts';

/** Not on a terminal: time without a line within which the state is printed, in ms. */
const LINE_MS = 10_000;
/** On a terminal: time between two states of the line, in ms. */
const REDRAW_MS = 100;
/** Time between two looks at how training goes, in ms. */
const FOLLOW_MS = 1000;

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
export function reporting(config: Config, line: StatusLine, log: Log, json: boolean): Callbacks {
  const { evaluateEvery } = config.train;
  return {
    onProgress(progress) {
      log.record({ kind: 'progress', ...progress });
      const evaluated = evaluateEvery > 0 && progress.step % evaluateEvery === 0;
      if (!json) line.status(progressLine(progress), evaluated);
    },
    onEvaluation(evaluation, step) {
      log.record({ kind: 'evaluation', step, ...evaluation });
      if (!json) line.print(evaluationLine(evaluation, step));
    },
    onRestart({ step, restarts, loss }) {
      log.record({ kind: 'restart', step, restarts, loss });
      if (!json)
        line.print(`step ${step}: stuck at a loss of ${loss.toFixed(4)}, begins anew (restart ${restarts})`);
    },
    onRecovered(recovered) {
      log.record({ kind: 'recovered', ...recovered });
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
  const how = endingWords(ending, trainer.config);
  const samples = atTrained.samples.map(({ source, expected, predicted }) =>
    expected === predicted ? `  ${source} → ${predicted} ✓` : `  ${source} → ${predicted} ✗ ${expected}`,
  );
  return `
${how} at step ${trainer.step}, ${duration(seconds)} of training

${EVALUATION_HEAD}
${evaluations.map(evaluationRow).join('\n')}

${profileLine(atTrained.profile)}

${samples.join('\n')}

saved in ${file}
next:  pushdown trace ${quote(out)} "${trainer.task.example}"
       pushdown eval ${quote(out)} --lengths 1-${4 * atTrained.length}
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

/** As a shell takes it. */
export const quote = (path: string): string =>
  /^[\w./@:+-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;

/** Before work by a timer is done for the first time, in ms. */
const FIRST_MS = 10_000;

/** Writes files one after the other while training goes on. The first that fails ends it, or is borne with. */
export class Log {
  readonly #path: string;
  readonly #out: Output | undefined;
  readonly #bear: (error: unknown) => boolean;
  readonly #mended: () => void;
  #failing = false;
  #last: Promise<unknown> = Promise.resolve();
  #failure: unknown;
  /** Lines that no write has taken yet. */
  #pending = '';
  #queued = false;

  /**
   * @param bear told of a write that failed: false where that is to be the end
   * @param mended told when writing works again
   */
  constructor(
    path: string,
    out: Output | undefined,
    bear: (error: unknown) => boolean,
    mended: () => void = () => undefined,
  ) {
    this.#path = path;
    this.#out = out;
    this.#bear = bear;
    this.#mended = mended;
  }

  /** One object, one line: of the file, and of stdout where it is JSON. */
  record = (entry: object): void => {
    const json = `${JSON.stringify(entry)}\n`;
    this.#out?.write(json);
    // What comes while the file is written to waits for the next time, all together: a small model reports
    // faster than files are opened and closed, and saving is in the same queue.
    if (!this.#queued) {
      this.#queued = true;
      this.later(() => {
        this.#queued = false;
        const text = this.#pending;
        this.#pending = '';
        return appendLines(this.#path, text).catch(error => {
          // For the next time.
          this.#pending = text + this.#pending;
          throw error;
        });
      });
    }
    this.#pending += json;
  };

  later(work: () => Promise<unknown>): void {
    this.#last = this.#last.then(work).then(
      () => {
        if (this.#failing) this.#mended();
        this.#failing = false;
      },
      error => {
        const first = !this.#failing;
        this.#failing = true;
        // Told once, until it works again.
        if (this.#failure === undefined && first && !this.#bear(error)) this.#failure = error;
      },
    );
  }

  /**
   * Does work by a timer, for reports may be far apart: `every` ms after it was done last, but the first time soon, for the
   * sake of a short run. No more is begun when the function that comes back is called.
   */
  regularly(work: () => Promise<unknown>, every: number): () => void {
    let over = false;
    let timer: NodeJS.Timeout;
    const after = (ms: number): void => {
      timer = setTimeout(() => {
        this.later(async () => {
          if (over) return;
          try {
            await work();
          } finally {
            if (!over) after(every);
          }
        });
      }, ms);
    };
    after(Math.min(every, FIRST_MS));
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }

  /** Waits for all of it. @throws what the first failure was */
  async written(): Promise<void> {
    await this.#last;
    if (this.#failure) throw this.#failure;
  }
}

/** A line that is written over on a terminal. Elsewhere it is printed where it is due, and before ten seconds go by without a line. */
export class StatusLine {
  readonly #out: Output;
  readonly #terminal: boolean;
  #drawn = false;
  /** When it was drawn last; when a line was printed last. */
  #drawnAt = 0;
  #printedAt = performance.now();

  constructor(out: Output, terminal: boolean) {
    this.#out = out;
    this.#terminal = terminal;
  }

  status(text: string, due: boolean): void {
    if (!this.#terminal) {
      if (due || performance.now() - this.#printedAt > LINE_MS - FOLLOW_MS) this.print(text);
      return;
    }
    if (performance.now() - this.#drawnAt < REDRAW_MS) return;
    this.#drawnAt = performance.now();
    const width = (this.#out.columns ?? 80) - 1;
    this.#out.write(`\r${text.slice(0, width)}\x1b[K`);
    this.#drawn = true;
  }

  print(text: string): void {
    this.#out.write(`${this.#drawn ? '\r\x1b[K' : ''}${text}\n`);
    this.#drawn = false;
    this.#drawnAt = 0;
    this.#printedAt = performance.now();
  }

  /** Shows the state by the clock, for reports may be far apart. Ends when the function that comes back is called. */
  follow(state: () => string): () => void {
    const timer = setInterval(() => this.status(state(), false), FOLLOW_MS);
    return () => clearInterval(timer);
  }

  end(): void {
    if (this.#drawn) this.#out.write('\n');
    this.#drawn = false;
  }
}
