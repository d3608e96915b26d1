import type { Config } from '../../base/config.ts';
import { byId, write } from '../dom.ts';
import type { ModelProbe } from '../memory/probe.ts';
import { type Known, soFar, whatOf } from './story.ts';

/** What means nothing for a model without a memory. */
const OF_MEMORY = ['profile-now', 'profile-figure', 'memory-legend', 'reading-help'];

/** The sentences at the top of the page, which follow the run, and the panels that go with it. */
export class Narrator {
  readonly #story = byId('story', HTMLElement);
  #config: Config | undefined;
  #known: Known = { step: 0, coarse: Number.NaN };

  /** Another run. */
  opened(config: Config, step: number): void {
    this.#config = config;
    this.#known = { step, coarse: Number.NaN };
    const without = config.model.memory === 'none';
    for (const id of OF_MEMORY) byId(id, HTMLElement).hidden = without;
    const title = without ? 'One sequence, step by step' : 'The memory over one sequence';
    write(byId('memory-title', HTMLElement), title);
    this.#tell();
  }

  /** @param coarse share of sequences that were fully right */
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
