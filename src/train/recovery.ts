import { DeviceLost, messageOf } from '../base/errors.ts';
import type { Engine, Model } from '../engine/engine.ts';
import type { Data } from '../tasks/data-file.ts';
import type { Checkpoint } from './checkpoint.ts';
import { modelFor } from './model.ts';

/** The wait before each try to reopen something, in ms: a driver that has just failed needs a moment. */
const WAITS = [0, 500, 1000, 2000, 4000];

/** Reported when a run resumes after its device was lost. */
export interface Recovered {
  /** Training steps done when it was lost, and at the snapshot that the run resumes from. */
  step: number;
  from: number;
  /** Why it was lost. */
  reason: string;
  /** How many times this has happened to the run. */
  losses: number;
  /** The name of the adapter, where it is another one than before: its rounding differs. */
  otherAdapter?: string;
}

/** `step 60: the device was lost …: … Another one goes on from step 50.` */
export const recoveredWords = ({ step, from, reason, otherAdapter }: Recovered): string =>
  `step ${step}: ${reason} Another one goes on from step ${from}${otherAdapter ? ` on ${otherAdapter}, whose rounding differs` : ''}.`;

/**
 * Reopens what was lost, with waits that grow.
 * @throws DeviceLost where it cannot be had
 */
export async function openAnew<T>(open: () => Promise<T>, lost: DeviceLost, waits = WAITS): Promise<T> {
  let last: unknown;
  for (const wait of waits) {
    if (wait > 0) await new Promise(resolve => setTimeout(resolve, wait));
    try {
      return await open();
    } catch (error) {
      last = error;
    }
  }
  throw new DeviceLost(`${lost.message} After ${waits.length} tries there is no other: ${messageOf(last)}.`);
}

/** A model, and the engine that it is on. */
export interface OpenedModel {
  engine: Engine;
  model: Model;
}

/**
 * Another engine in the place of one whose device was lost, with the model of a checkpoint.
 * @throws DeviceLost where it cannot be had
 */
export const modelAnew = (
  reopen: () => Promise<Engine>,
  checkpoint: Checkpoint,
  data: Data | undefined,
  lost: DeviceLost,
): Promise<OpenedModel> =>
  openAnew(async () => {
    const engine = await reopen();
    try {
      return { engine, model: await modelFor(engine, checkpoint, data) };
    } catch (error) {
      engine.destroy();
      throw error;
    }
  }, lost);

/**
 * The model of a checkpoint on this engine; on another one where the device is lost while kernels are compiled.
 * @throws DeviceLost where there is no `reopen`
 */
export async function openModel(
  engine: Engine,
  checkpoint: Checkpoint,
  data: Data | undefined,
  reopen: ((lost: Engine) => Promise<Engine>) | undefined,
): Promise<OpenedModel> {
  try {
    return { engine, model: await modelFor(engine, checkpoint, data) };
  } catch (error) {
    if (!(error instanceof DeviceLost) || !reopen) throw error;
    engine.destroy();
    return modelAnew(() => reopen(engine), checkpoint, data, error);
  }
}
