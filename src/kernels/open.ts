import { DeviceError, DeviceLost, firstLineOf } from '../base/errors.ts';
import { Gpu } from '../gpu/device.ts';
import type { AdapterKind, ProfileName } from '../gpu/profile.ts';
import { prefixSum } from './prefix-sum.ts';

/** An open device and what is wrong with it. */
export interface OpenedGpu {
  gpu: Gpu;
  /** Features that the device reports but that do not work correctly, as text for the user. */
  notes: string[];
}

/**
 * Opens a device with the profile of its kind of adapter. Subgroups are used only if a trial on the device computes the
 * right sums, because subgroup scans demand more of the shader compiler than any other kernel.
 * @param forced a profile other than the kind's, for tests
 * @throws DeviceError if the device lacks what `forced` needs, or fails the trial for it
 */
export async function openGpu(
  device: GPUDevice,
  kind: AdapterKind,
  forced?: ProfileName,
): Promise<OpenedGpu> {
  const notes: string[] = [];
  let gpu = Gpu.of(device, kind, forced);
  await gpu.measureWaits();
  if (gpu.profile.subgroups) {
    const fault = await subgroupFault(gpu).catch((error: unknown) => {
      if (error instanceof DeviceLost) throw error;
      return firstLineOf(error);
    });
    if (fault && forced) throw new DeviceError(`subgroups do not work on this device: ${fault}`);
    if (fault) {
      notes.push(`without subgroups: ${fault}`);
      gpu = Gpu.of(device, kind, 'gpu');
      await gpu.measureWaits();
    }
  }
  return { gpu, notes };
}

/**
 * Returns what is wrong with the subgroup scan; undefined if it is right. Sums of integers are exact in any order, so
 * the scan must equal a sequential loop exactly.
 */
async function subgroupFault(gpu: Gpu): Promise<string | undefined> {
  const { profile } = gpu;
  for (const form of [profile.memory, profile.prefixSum]) {
    const [R, L] = [2, 4 * form.size + 8];
    const sums = await prefixSum(gpu, R, L, 'forward', { form });
    const x = Float32Array.from({ length: R * L }, (_, i) => 1 + ((7 * i) % 13));
    gpu.device.queue.writeBuffer(sums.x, 0, x);
    gpu.submit('trial of subgroups', encoder => sums.record(encoder));
    const [bytes] = await gpu.read([{ buffer: sums.y, bytes: sums.y.size }]);
    sums.destroy();
    const y = new Float32Array(bytes);
    let sum = 0;
    for (let i = 0; i < R * L; i++) {
      sum = (i % L === 0 ? 0 : sum) + x[i];
      if (y[i] !== sum) return `a trial prefix sum is ${y[i]}, expected ${sum}`;
    }
  }
  return undefined;
}
