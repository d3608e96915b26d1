import { type CompileTimeout, InputError, show } from '../base/errors.ts';
import type { AdapterKind } from '../gpu/profile.ts';

/**
 * Seconds that kernels may take to be compiled and run once, where nobody says another number. Software adapters compile
 * larger kernels, on cores that may be busy: the preset `reverse` took SwiftShader 97 s on two cores with a load of 30, some 5
 * on idle ones.
 */
export const compileSecondsOn = (kind: AdapterKind): number => (kind === 'gpu' ? 60 : 180);

/** A day. */
export const MOST_SECONDS = 86_400;

/** @throws InputError unless it is a time, or absent */
export function checkCompileSeconds(seconds: unknown): void {
  if (seconds === undefined || (typeof seconds === 'number' && seconds > 0 && seconds <= MOST_SECONDS))
    return;
  throw new InputError(
    `compileSeconds must be a number above 0 and up to ${MOST_SECONDS}, got ${show(seconds)}.`,
  );
}

/**
 * What opens something on a device, unless that takes too long.
 * @param timeout the error, made when the time is over
 * @param giveBack gets what comes later
 */
export async function inTime<T>(
  seconds: number,
  opening: Promise<T>,
  timeout: () => CompileTimeout,
  giveBack: (late: T) => void = () => undefined,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      opening.then(giveBack, () => undefined);
      reject(timeout());
    }, seconds * 1000);
  });
  try {
    return await Promise.race([opening, late]);
  } finally {
    clearTimeout(timer);
  }
}
