import { InputError, messageOf } from '../../base/errors.ts';
import { createReferenceEngine } from '../../engine/reference.ts';
import { openEngineWith } from '../../platform/browser/engine.ts';
import { decodeCheckpoint } from '../../train/checkpoint.ts';
import { verifyStep } from '../../train/verify.ts';
import type { FromVerify, ToVerify } from '../protocol.ts';
import { ownDataFor } from './own-data.ts';
import type { Scope } from './scope.ts';

/** Compares a training step with the reference on a separate device, so that the run continues meanwhile. */

export function start(scope: Scope<ToVerify, FromVerify>): void {
  scope.onmessage = async ({ data }) => scope.postMessage(await verify(data));
}

async function verify({ checkpoint: bytes, engine: choice, data }: ToVerify): Promise<FromVerify> {
  try {
    const checkpoint = decodeCheckpoint(bytes);
    const parsed = ownDataFor(checkpoint.config.task, data);
    const reference = createReferenceEngine('the reference');
    const { result: verification } = await openEngineWith(choice, {}, engine =>
      verifyStep(engine, reference, checkpoint, parsed),
    );
    return { verification };
  } catch (error) {
    const prefix = error instanceof InputError ? '' : 'The verification failed: ';
    return { problem: `${prefix}${messageOf(error)}` };
  }
}
