import type { Config } from '../../base/config.ts';
import { button, byId, write, writeOrHide } from '../dom.ts';
import { isOver, type RunState } from '../protocol.ts';
import type { Run } from '../run.ts';
import { EXPERIMENTS, type Experiment, type ExperimentResult } from './experiments.ts';

/** Number of new sequences to evaluate at each length. */
const SEQUENCES = 128;

/** The experiments: their buttons, the hint during a run, and the result. */
export class Guide {
  readonly #title = byId('experiment-title', HTMLElement);
  readonly #hint = byId('experiment-hint', HTMLElement);
  readonly #result = byId('experiment-result', HTMLElement);
  readonly #buttons: HTMLButtonElement[];
  /** The experiment whose run has been requested. */
  #requested: Experiment | undefined;
  /** The experiment whose run is open. */
  #open: { experiment: Experiment; run: Run; measured?: boolean } | undefined;

  /** @param start starts a run; resolves when it is open, or when the page has shown why it cannot be opened */
  constructor(start: { config(config: Config): Promise<void>; gallery(name: string): Promise<void> }) {
    this.#buttons = EXPERIMENTS.map(experiment =>
      button(
        experiment.title,
        async () => {
          this.#requested = experiment;
          const { run } = experiment;
          await ('config' in run ? start.config(structuredClone(run.config)) : start.gallery(run.gallery));
          // If the run could not be opened, the next run does not belong to this experiment.
          if (this.#requested === experiment) this.#requested = undefined;
        },
        { id: `experiment-${experiment.id}` },
      ),
    );
    byId('experiment-own', HTMLElement).before(...this.#buttons);
  }

  /** Called when a run has opened. It belongs to the requested experiment, or ends the current one. */
  opened(run: Run): void {
    const experiment = this.#requested;
    this.#requested = undefined;
    this.#open = experiment && { experiment, run };
    for (const [i, button] of this.#buttons.entries())
      button.setAttribute('aria-pressed', String(EXPERIMENTS[i] === experiment));
    byId('experiment', HTMLElement).hidden = !experiment;
    write(this.#title, experiment?.title ?? '');
    write(this.#hint, experiment?.hint ?? '');
    writeOrHide(this.#result, undefined);
  }

  /** Called when the state of the run changes. When the run is over, measures the result. */
  async state(state: RunState): Promise<void> {
    const open = this.#open;
    // The run of a gallery model is over when it opens.
    if (!open || open.measured || !isOver(state)) return;
    open.measured = true;
    const { experiment, run } = open;
    writeOrHide(this.#result, 'Measuring …');
    const result = await measure(run, experiment.times).catch(() => undefined);
    if (open === this.#open) writeOrHide(this.#result, result && experiment.summary(result));
  }
}

async function measure(run: Run, times: number): Promise<ExperimentResult> {
  const { shortest, longest } = await run.ask('lengths', {});
  const accuracyAt = async (length: number) => {
    const { coarse } = await run.ask('evaluate', { length, sequences: SEQUENCES });
    return { length, coarse };
  };
  return {
    shortest: await accuracyAt(shortest),
    longest: await accuracyAt(longest),
    beyond: await accuracyAt(times * longest),
  };
}
