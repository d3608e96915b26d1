import type { Config } from '../../base/config.ts';
import { memoryKind } from '../../base/memories.ts';
import { byId, write } from '../dom.ts';
import type { ModelProbe } from '../memory/probe.ts';
import { type Known, soFar, whatOf } from './story.ts';

/** Elements that are hidden for models without a memory. */
const OF_MEMORY = ['memory-legend', 'reading-help'];
/** Elements that apply only to memories that push and pop. */
const OF_PUSH_AND_POP = ['profile-now', 'profile-figure', 'push-and-pop-legend'];
/** Elements that apply only to memories of rows with strengths, as in the paper. */
const OF_ROWS = ['moment-letters'];

/** The sentences at the top of the page, which describe the run, and the panels that depend on its memory. */
export class Narrator {
  readonly #story = byId('story', HTMLElement);
  #config: Config | undefined;
  #known: Known = { step: 0, coarse: Number.NaN };

  /** Another run is open. */
  opened(config: Config, step: number): void {
    this.#config = config;
    this.#known = { step, coarse: Number.NaN };
    const without = config.model.memory === 'none';
    const { controls, rows } = memoryKind(config.model.memory);
    const show = (ids: readonly string[], shown: boolean): void => {
      for (const id of ids) byId(id, HTMLElement).hidden = !shown;
    };
    show(OF_MEMORY, !without);
    show(
      OF_PUSH_AND_POP,
      controls.some(({ name }) => name === 'push'),
    );
    show(OF_ROWS, rows);
    const title = without ? 'One sequence, step by step' : 'The memory over one sequence';
    write(byId('memory-title', HTMLElement), title);
    this.#tell();
  }

  /** @param coarse share of sequences that were fully correct */
  accuracy(coarse: number): void {
    this.#known.coarse = coarse;
  }

  probe({ step, profile }: ModelProbe): void {
    this.#known = { ...this.#known, step, profile };
    this.#tell();
  }

  #tell(): void {
    if (this.#config) write(this.#story, `${whatOf(this.#config)} ${soFar(this.#config, this.#known)}`);
  }
}
