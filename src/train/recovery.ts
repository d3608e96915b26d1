import { DeviceLost, messageOf } from '../base/errors.ts';
import type { Engine, Model } from '../engine/engine.ts';
import type { Data } from '../tasks/data-file.ts';
import type { Checkpoint } from './checkpoint.ts';
import { modelFor } from './model.ts';

/** Waits before each attempt to reopen the device, in ms: a driver that has just failed needs time. */
const WAITS = [0, 500, 1000, 2000, 4000];

/** Reported when a run resumes after its device was lost. */
export interface Recovered {
  /** Training steps done when the device was lost, and at the snapshot that the run resumes from. */
  step: number;
  from: number;
  /** Why the device was lost. */
  reason: string;
  /** How many devices this run has lost. */
  losses: number;
  /** The name of the new adapter, if it differs from the old one: its rounding differs. */
  otherAdapter?: string;
}

/** `step 60: the device was lost …: … Training resumes from step 50 on another device.` */
export const recoveredText = ({ step, from, reason, otherAdapter }: Recovered): string =>
  `step ${step}: ${reason} Training resumes from step ${from} on ${otherAdapter ? `${otherAdapter}, whose rounding differs` : 'another device'}.`;

/**
 * Calls `open` repeatedly, with increasing waits, until it succeeds.
 * @throws DeviceLost if every attempt fails
 */
export async function openWithRetries<T>(
  open: () => Promise<T>,
  lost: DeviceLost,
  waits = WAITS,
): Promise<T> {
  let lastError: unknown;
  for (const wait of waits) {
    if (wait > 0) await new Promise(resolve => setTimeout(resolve, wait));
    try {
      return await open();
    } catch (error) {
      lastError = error;
    }
  }
  throw new DeviceLost(
    `${lost.message} It could not be reopened in ${waits.length} attempts: ${messageOf(lastError)}.`,
  );
}

/** A model and its engine. */
export interface OpenedModel {
  engine: Engine;
  model: Model;
}

/**
 * Opens another engine after a device is lost, with the model of a checkpoint.
 * @throws DeviceLost if no engine can be opened
 */
export const reopenModel = (
  reopen: () => Promise<Engine>,
  checkpoint: Checkpoint,
  data: Data | undefined,
  lost: DeviceLost,
): Promise<OpenedModel> =>
  openWithRetries(async () => {
    const engine = await reopen();
    try {
      return { engine, model: await modelFor(engine, checkpoint, data) };
    } catch (error) {
      engine.destroy();
      throw error;
    }
  }, lost);

/**
 * Creates the model of a checkpoint on this engine, or on a reopened one if the device is lost while kernels compile.
 * @throws DeviceLost if the device is lost and there is no `reopen`, or every attempt to reopen it fails
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
    return reopenModel(() => reopen(engine), checkpoint, data, error);
  }
}
