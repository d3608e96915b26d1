import { type CompileTimeout, InputError, show } from '../base/errors.ts';
import type { AdapterKind } from '../gpu/profile.ts';

/**
 * Default limit, in seconds, for compiling the kernels of a model and running them once. Software adapters compile
 * larger kernels, on cores that may be busy: for the preset `reverse`, SwiftShader took 97 s on two cores at a load
 * average of 30, and about 5 s on idle cores.
 */
export const compileSecondsOn = (kind: AdapterKind): number => (kind === 'gpu' ? 60 : 180);

/** One day: the largest limit a user may set. */
export const MAX_SECONDS = 86_400;

/** Checks a time limit. @throws InputError unless `seconds` is a number above 0 and up to MAX_SECONDS, or undefined */
export function checkCompileSeconds(seconds: unknown): void {
  if (seconds === undefined || (typeof seconds === 'number' && seconds > 0 && seconds <= MAX_SECONDS)) return;
  throw new InputError(
    `compileSeconds must be a number above 0 and up to ${MAX_SECONDS}, got ${show(seconds)}.`,
  );
}

/**
 * Waits for `opening`, but no longer than `seconds`.
 * @param timeout returns the error to throw after the limit
 * @param onLate receives the result of `opening` if it arrives after the limit, for example to free it
 * @throws the error of `timeout` after the limit, or the error of `opening`
 */
export async function withTimeout<T>(
  seconds: number,
  opening: Promise<T>,
  timeout: () => CompileTimeout,
  onLate: (late: T) => void = () => undefined,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      opening.then(onLate, () => undefined);
      reject(timeout());
    }, seconds * 1000);
  });
  try {
    return await Promise.race([opening, late]);
  } finally {
    clearTimeout(timer);
  }
}
