import type { Config } from '../../base/config.ts';
import { memoryKind } from '../../base/memories.ts';
import { byId, make, write } from '../dom.ts';
import { HUES } from '../memory/layout.ts';
import type { ModelProbe } from '../memory/probe.ts';
import { describeProgress, describeRun, type RunProgress } from './story.ts';

/** Elements that are hidden for models without a memory. */
const OF_MEMORY = ['memory-legend', 'reading-help'];
/** Elements that apply only to memories that push and pop. */
const OF_PUSH_AND_POP = ['profile-now', 'profile-figure'];
/** Elements that apply only to memories of rows with strengths, as in the paper. */
const OF_ROWS = ['detail-letters'];

/** The sentences at the top of the page that describe the run, and which panels are shown for its kind of memory. */
export class RunDescription {
  readonly #story = byId('story', HTMLElement);
  #config: Config | undefined;
  #progress: RunProgress = { step: 0, coarse: Number.NaN };

  /** Called when a run has opened. */
  opened(config: Config, step: number): void {
    this.#config = config;
    this.#progress = { step, coarse: Number.NaN };
    const hasMemory = config.model.memory !== 'none';
    const { controls, rows } = memoryKind(config.model.memory);
    const show = (ids: readonly string[], shown: boolean): void => {
      for (const id of ids) byId(id, HTMLElement).hidden = !shown;
    };
    show(OF_MEMORY, hasMemory);
    show(
      OF_PUSH_AND_POP,
      controls.some(({ name }) => name === 'push'),
    );
    show(OF_ROWS, rows);
    // Values in cells have no strengths: their colour is the share of them that is left in all cells.
    for (const name of document.querySelectorAll<HTMLElement>('.scale-name'))
      write(name, rows ? 'strength' : 'share left');
    write(byId('row-name', HTMLElement), rows ? 'row' : 'value');
    byId('controls-legend', HTMLElement).replaceChildren(
      ...controls.map(({ name }, c) =>
        make('span', {}, make('i', { class: `swatch ${HUES[c]}` }), ` ${name}`),
      ),
    );
    const title = hasMemory ? 'The memory over one sequence' : 'One sequence, step by step';
    write(byId('memory-title', HTMLElement), title);
    this.#update();
  }

  /** @param coarse share of sequences that were fully correct */
  accuracy(coarse: number): void {
    this.#progress.coarse = coarse;
  }

  probe({ step, profile }: ModelProbe): void {
    this.#progress = { ...this.#progress, step, profile };
    this.#update();
  }

  #update(): void {
    if (this.#config)
      write(this.#story, `${describeRun(this.#config)} ${describeProgress(this.#config, this.#progress)}`);
  }
}
