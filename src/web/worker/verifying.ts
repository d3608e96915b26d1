import { InputError, messageOf } from '../../base/errors.ts';
import { createReferenceEngine } from '../../engine/reference.ts';
import { openEngineWith } from '../../platform/browser/engine.ts';
import { decodeCheckpoint } from '../../train/checkpoint.ts';
import { verifyStep } from '../../train/verify.ts';
import type { FromVerify, ToVerify } from '../protocol.ts';
import { ownDataFor } from './own-data.ts';
import type { Scope } from './scope.ts';

/** Compares a training step with the reference on a separate device, so that the run continues meanwhile. */

export function begin(scope: Scope<ToVerify, FromVerify>): void {
  scope.onmessage = async ({ data }) => scope.postMessage(await verify(data));
}

async function verify({ checkpoint: bytes, engine: choice, data }: ToVerify): Promise<FromVerify> {
  try {
    const checkpoint = decodeCheckpoint(bytes);
    const own = ownDataFor(checkpoint.config.task, data);
    const reference = createReferenceEngine('the reference');
    const { made: verification } = await openEngineWith(choice, {}, engine =>
      verifyStep(engine, reference, checkpoint, own),
    );
    return { verification };
  } catch (error) {
    const bug = error instanceof InputError ? '' : 'The verification failed: ';
    return { problem: `${bug}${messageOf(error)}` };
  }
}
