/**
 * The folder of a run, from claiming it to the last checkpoint. `train`, `train --seeds` and `table` use it for all
 * runs:
 *
 *   const folder = await RunFolder.claim(path);        // or { by }: another process holds it
 *   const log = folder.log(…);                         // log.jsonl, one line per report
 *   const ending = await folder.train(trainer, log, …) // checkpoints at intervals, and one at the end
 *   await folder.release();
 */
import { join } from 'node:path';
import type { Config } from '../../base/config.ts';
import { DeviceLost, InputError } from '../../base/errors.ts';
import { type Checkpoint, encodeCheckpoint } from '../../train/checkpoint.ts';
import type { Ending, Trainer } from '../../train/trainer.ts';
import { type Claim, claimFolder } from '../files/claim.ts';
import { clearTemporaries, makeWritable, PROBE, writeAtomic } from '../files/write.ts';
import { keepLast, renameEarlier, rewindTo } from './earlier.ts';
import { Log, type LogListeners } from './log.ts';
import { CHECKPOINT, CONFIG, EARLIER, LOG, RESULT } from './names.ts';

/** Another process has taken over the folder: this process must not write to it any more. */
export class FolderTaken extends InputError {}

export class RunFolder {
  readonly path: string;
  /** Path of the latest checkpoint. */
  readonly checkpoint: string;
  /** Number of checkpoints to keep, including the latest. */
  readonly #keep: number;
  readonly #claim: Claim;
  #savedStep = 0;

  /** @param keep number of checkpoints to keep, including the latest */
  constructor(path: string, claim: Claim, keep = 1) {
    this.path = path;
    this.checkpoint = join(path, CHECKPOINT);
    this.#claim = claim;
    this.#keep = keep;
  }

  /**
   * Creates the folder if needed, claims it, and removes temporary files that killed runs have left.
   * @returns the folder, or `by`: the process that holds it
   * @throws InputError if the folder cannot be written to
   */
  static async claim(path: string, keep?: number): Promise<RunFolder | { by: string }> {
    await makeWritable(path);
    const claim = await claimFolder(path);
    if ('by' in claim) return claim;
    await clearTemporaries(path, [CHECKPOINT, CONFIG, RESULT, PROBE]);
    return new RunFolder(path, claim, keep);
  }

  /** Step of the last checkpoint written; before the first, the step at which training started. */
  get savedStep(): number {
    return this.#savedStep;
  }

  /** Opens the log of this folder. For the parameters see Log. */
  log(...listeners: LogListeners): Log {
    return new Log(join(this.path, LOG), ...listeners);
  }

  /**
   * Renames the files that a previous run left here. Returns the new name of its checkpoint, or of the first file
   * found.
   * @param names the files that this run will write
   */
  renameEarlier(names: readonly string[]): Promise<string | undefined> {
    return renameEarlier(this.path, [...names, EARLIER]);
  }

  /**
   * Makes an earlier checkpoint the latest, and renames the checkpoints of later steps. Returns the new name of the
   * former latest; undefined if it is the same checkpoint, or there was none.
   */
  rewindTo(file: string, step: number): Promise<string | undefined> {
    return rewindTo(this.path, CHECKPOINT, file, step);
  }

  writeConfig(config: Config): Promise<void> {
    return this.#writeJson(CONFIG, config);
  }

  /** Writes the result of a finished run. @throws FolderTaken */
  async writeResult(result: object): Promise<void> {
    await this.#checkHeld();
    await this.#writeJson(RESULT, result);
  }

  /** Writes the latest checkpoint. @throws FolderTaken, or InputError if it cannot be written */
  async save(checkpoint: Checkpoint): Promise<void> {
    await this.#checkHeld();
    await writeAtomic(this.checkpoint, encodeCheckpoint(checkpoint));
    this.#savedStep = checkpoint.state.step;
    await keepLast(this.path, CHECKPOINT, this.#savedStep, this.#keep);
  }

  /**
   * Trains until the run ends or is stopped. Writes checkpoints at intervals and one at the end.
   * @throws FolderTaken if another process takes over the folder; InputError if a write fails and is not tolerated
   * @param saveEvery ms between checkpoints
   * @param follow starts to show progress, and returns the function that stops it
   */
  async train(
    trainer: Trainer,
    log: Log,
    { saveEvery, follow }: { saveEvery: number; follow: () => () => void },
  ): Promise<Ending> {
    this.#savedStep = trainer.step;
    this.#claim.onLost(() => trainer.stop());
    const save = async () => this.save(await trainer.snapshot());
    const stopSaving = log.repeat(save, saveEvery);
    const stopFollowing = follow();
    const ending = await trainer.run().finally(() => {
      stopFollowing();
      stopSaving();
    });
    await log.written();
    await save();
    return ending;
  }

  /**
   * After a failure, saves the state on the device, or the last snapshot on the host if the device no longer responds.
   * @throws FolderTaken, or InputError if it cannot be written
   */
  async salvage(trainer: Trainer, error: unknown): Promise<void> {
    // After a lost device, snapshot() would open another device.
    const isLost = error instanceof DeviceLost;
    const lastSnapshot = () => trainer.lastSnapshot;
    await this.save(isLost ? lastSnapshot() : await trainer.snapshot().catch(lastSnapshot));
  }

  release(): Promise<void> {
    return this.#claim.release();
  }

  async #checkHeld(): Promise<void> {
    if (await this.#claim.held()) return;
    throw new FolderTaken(
      `another run has taken over ${this.path}, because this run did not renew its claim for two minutes: this run stops and writes nothing more to the folder. Start it again with another --out.`,
    );
  }

  #writeJson(name: string, value: object): Promise<void> {
    return writeAtomic(join(this.path, name), `${JSON.stringify(value, null, 2)}\n`);
  }
}
