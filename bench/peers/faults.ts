import { DeviceError } from '../../src/base/errors.ts';

/**
 * Collects errors that WebGPU reports to callbacks. After one, a
 * peer's numbers are meaningless, so every pass calls check().
 */
export class Faults {
  #first: string | undefined;
  /** @param device undefined for a backend that throws its errors @param what the name of the peer */
  constructor(device: GPUDevice | undefined, what: string) {
    device?.addEventListener('uncapturederror', event => {
      this.#first ??= `${what}: the device reported: ${(event as GPUUncapturedErrorEvent).error.message}`;
    });
    device?.lost.then(({ reason, message }) => {
      if (reason !== 'destroyed') this.#first ??= `${what}: the device was lost (${reason}): ${message}`;
    });
  }

  /** Throws the first error so far. */
  check(): void {
    if (this.#first) throw new DeviceError(this.#first);
  }
}
