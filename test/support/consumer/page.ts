/** Uses the package like a page or a worker. */
import { type BrowserOptions, type Engine, openEngine, preset, Trainer } from 'pushdown/browser';
import { openEngine as openStandalone } from 'pushdown/standalone';

const options: BrowserOptions = {
  onAdapter: adapter => void adapter.info,
  tunings: async () => new Map<string, string>(),
};
const engine: Engine = await openEngine('auto', options);
const trainer = await Trainer.start(engine, preset('tutorial-part5'));
await trainer.singleStep();
export const loss: number = trainer.progress.loss;
export const standalone: Promise<Engine> = openStandalone('cpu', { threads: 1 });
