import type { Config } from '../../base/config.ts';
import { button, byId, write, writeOrHide } from '../dom.ts';
import { isOver, type RunState } from '../protocol.ts';
import type { Run } from '../run.ts';
import { EXPERIMENTS, type Experiment, type Found } from './experiments.ts';

/** Number of new sequences to evaluate at each length. */
const SEQUENCES = 128;

/** The buttons of the experiments, the hints shown during a run, and the results. */
export class Guide {
  readonly #title = byId('experiment-title', HTMLElement);
  readonly #look = byId('experiment-look', HTMLElement);
  readonly #result = byId('experiment-result', HTMLElement);
  readonly #buttons: HTMLButtonElement[];
  /** The experiment whose run has been requested, and the one whose run is open. */
  #coming: Experiment | undefined;
  #open: { of: Experiment; run: Run; measured?: boolean } | undefined;

  /** @param begin starts a run; resolves when it is open, or when the page has shown why it cannot open */
  constructor(begin: { config(config: Config): Promise<void>; gallery(name: string): Promise<void> }) {
    this.#buttons = EXPERIMENTS.map(experiment =>
      button(
        experiment.title,
        async () => {
          this.#coming = experiment;
          const { run } = experiment;
          await ('config' in run ? begin.config(structuredClone(run.config)) : begin.gallery(run.gallery));
          // The run could not be opened, so the next run does not belong to this experiment.
          if (this.#coming === experiment) this.#coming = undefined;
        },
        { id: `experiment-${experiment.id}` },
      ),
    );
    byId('experiment-own', HTMLElement).before(...this.#buttons);
  }

  /** Another run is open. It starts the requested experiment, or ends the current one. */
  opened(run: Run): void {
    const of = this.#coming;
    this.#coming = undefined;
    this.#open = of && { of, run };
    for (const [i, one] of EXPERIMENTS.entries())
      this.#buttons[i].setAttribute('aria-pressed', String(one === of));
    byId('experiment', HTMLElement).hidden = !of;
    write(this.#title, of?.title ?? '');
    write(this.#look, of?.look ?? '');
    writeOrHide(this.#result, undefined);
  }

  /** Called when the state of the run changes. When the run is over, measures the experiment. */
  async state(state: RunState): Promise<void> {
    const open = this.#open;
    // A model of the gallery is already over when it opens.
    if (!open || open.measured || !isOver(state)) return;
    open.measured = true;
    const { of, run } = open;
    writeOrHide(this.#result, 'Measuring …');
    const found = await measured(run, of.times).catch(() => undefined);
    if (open === this.#open) writeOrHide(this.#result, found && of.result(found));
  }
}

async function measured(run: Run, times: number): Promise<Found> {
  const { shortest, longest } = await run.ask('lengths', {});
  const at = async (length: number) => {
    const { coarse } = await run.ask('evaluate', { length, sequences: SEQUENCES });
    return { length, coarse };
  };
  return { shortest: await at(shortest), longest: await at(longest), beyond: await at(times * longest) };
}
