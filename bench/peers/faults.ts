import { DeviceError } from '../../src/base/errors.ts';

/** WebGPU reports what went wrong to callbacks, and a peer's numbers are then anything: its passes ask here. */
export class Faults {
  #first: string | undefined;
  /** @param device absent: a backend that throws what goes wrong */
  constructor(device: GPUDevice | undefined, what: string) {
    device?.addEventListener('uncapturederror', event => {
      this.#first ??= `${what}: the device reported: ${(event as GPUUncapturedErrorEvent).error.message}`;
    });
    device?.lost.then(({ reason, message }) => {
      if (reason !== 'destroyed') this.#first ??= `${what}: the device was lost (${reason}): ${message}`;
    });
  }

  /** Throws the first fault so far. */
  check(): void {
    if (this.#first) throw new DeviceError(this.#first);
  }
}
