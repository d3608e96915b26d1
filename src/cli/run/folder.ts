/**
 * The folder of a run, from its claim to its last checkpoint. `train`, `train --seeds` and `table` all keep their runs in one:
 *
 *   const folder = await RunFolder.claim(path);        // or { by }: another process has it
 *   const log = folder.log(…);                         // every report is a line
 *   const ending = await folder.train(trainer, log, …) // checkpoints by the clock, and one at the end
 *   await folder.release();
 */
import { join } from 'node:path';
import type { Config } from '../../base/config.ts';
import { DeviceLost, InputError } from '../../base/errors.ts';
import { type Checkpoint, encodeCheckpoint } from '../../train/checkpoint.ts';
import type { Ending, Trainer } from '../../train/trainer.ts';
import { type Claim, claimFolder } from '../files/claim.ts';
import { clearTemporaries, makeWritable, PROBE, writeAtomic } from '../files/write.ts';
import { keepEarlier, keepLast, rewindTo } from './earlier.ts';
import { Log, type LogListeners } from './log.ts';
import { CHECKPOINT, CONFIG, EARLIER, LOG, RESULT } from './names.ts';

/** Another process took the folder over: nothing more may be written to it. */
export class FolderTaken extends InputError {}

export class RunFolder {
  readonly path: string;
  /** The file of the latest checkpoint. */
  readonly checkpoint: string;
  /** Checkpoints that stay, the latest included. */
  readonly #keep: number;
  readonly #claim: Claim;
  #savedStep = 0;

  /** @param keep checkpoints that stay, the latest included */
  constructor(path: string, claim: Claim, keep = 1) {
    this.path = path;
    this.checkpoint = join(path, CHECKPOINT);
    this.#claim = claim;
    this.#keep = keep;
  }

  /**
   * Makes the folder where there is none, claims it, and removes what killed runs have left half-written.
   * @throws InputError where it cannot be written to
   */
  static async claim(path: string, keep?: number): Promise<RunFolder | { by: string }> {
    await makeWritable(path);
    const claim = await claimFolder(path);
    if ('by' in claim) return claim;
    await clearTemporaries(path, [CHECKPOINT, CONFIG, RESULT, PROBE]);
    return new RunFolder(path, claim, keep);
  }

  /** Step of the checkpoint that was last written or resumed from. */
  get savedStep(): number {
    return this.#savedStep;
  }

  /** See Log: the file is that of the folder. */
  log(...listeners: LogListeners): Log {
    return new Log(join(this.path, LOG), ...listeners);
  }

  /**
   * Gives what an earlier run left here a number; returns the new name of its checkpoint, or of the first file there was.
   * @param names of files that this run will write
   */
  keepEarlier(names: readonly string[]): Promise<string | undefined> {
    return keepEarlier(this.path, [...names, EARLIER]);
  }

  /**
   * Makes an earlier checkpoint the latest; those after its step get a number. Returns the new name of the latest, or
   * undefined where there was none after it.
   */
  rewindTo(file: string, step: number): Promise<string | undefined> {
    return rewindTo(this.path, CHECKPOINT, file, step);
  }

  writeConfig(config: Config): Promise<void> {
    return this.#writeJson(CONFIG, config);
  }

  /** @throws FolderTaken */
  async writeResult(result: object): Promise<void> {
    await this.#checkHeld();
    await this.#writeJson(RESULT, result);
  }

  /** Writes the latest checkpoint. @throws FolderTaken, or InputError where it cannot be written */
  async save(checkpoint: Checkpoint): Promise<void> {
    await this.#checkHeld();
    await writeAtomic(this.checkpoint, encodeCheckpoint(checkpoint));
    this.#savedStep = checkpoint.state.step;
    await keepLast(this.path, CHECKPOINT, this.#savedStep, this.#keep);
  }

  /**
   * Trains until the run ends or is stopped, and writes checkpoints: by the clock, and the last one. A run whose folder is
   * taken over stops.
   * @param saveEvery ms between checkpoints
   * @param follow shows how training goes, until the function that it returns is called
   */
  async train(
    trainer: Trainer,
    log: Log,
    { saveEvery, follow }: { saveEvery: number; follow: () => () => void },
  ): Promise<Ending> {
    this.#savedStep = trainer.step;
    this.#claim.onLost(() => trainer.stop());
    const save = async () => this.save(await trainer.snapshot());
    const stopSaving = log.regularly(save, saveEvery);
    const unfollow = follow();
    const ending = await trainer.run().finally(() => {
      unfollow();
      stopSaving();
    });
    await log.written();
    await save();
    return ending;
  }

  /** Saves what a run that failed can still give: its state, or, where the device gives nothing any more, the last on the host. */
  async salvage(trainer: Trainer, error: unknown): Promise<void> {
    // Asking a lost device would open another one.
    const lost = error instanceof DeviceLost;
    const last = () => trainer.lastSnapshot;
    await this.save(lost ? last() : await trainer.snapshot().catch(last));
  }

  release(): Promise<void> {
    return this.#claim.release();
  }

  async #checkHeld(): Promise<void> {
    if (await this.#claim.held()) return;
    throw new FolderTaken(
      `${this.path} is another run's by now, which took this one for dead: nothing more is written to it.`,
    );
  }

  #writeJson(name: string, value: object): Promise<void> {
    return writeAtomic(join(this.path, name), `${JSON.stringify(value, null, 2)}\n`);
  }
}
