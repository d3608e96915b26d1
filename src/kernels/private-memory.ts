import { DeviceLost } from '../base/errors.ts';
import { bind, dispatch, type Gpu } from '../gpu/device.ts';

/**
 * WGSL guarantees 8,192 bytes of private variables per invocation. Software adapters keep them in ordinary memory and
 * allow more. A trial on the device shows whether it allows enough.
 */

/** Trial sizes are multiples of this number of bytes, so that models of similar size have the same trial kernel. */
const ROUND = 4096;
const INVOCATIONS = 8;

/**
 * Bytes of private variables that an invocation may use on this device: at least `bytes` if a trial of that size
 * succeeds, otherwise the limit of the profile. The trial kernel compiles much faster than a model's kernel.
 * @throws DeviceLost if the device is lost during the trial
 */
export async function privateBytes(gpu: Gpu, bytes: number): Promise<number> {
  const guaranteed = gpu.profile.limits.private;
  if (bytes <= guaranteed) return guaranteed;
  const tried = Math.ceil(bytes / ROUND) * ROUND;
  try {
    return (await passesTrial(gpu, tried)) ? tried : guaranteed;
  } catch (error) {
    if (error instanceof DeviceLost) throw error;
    // The trial kernel does not compile.
    return guaranteed;
  }
}

/**
 * Fills an array, then checks every element. A 0 loaded from the buffer is added to the index, so that the compiler
 * cannot fold the check away.
 */
const code = (count: number): string => `
@group(0) @binding(0) var<storage, read_write> right: array<u32>;
var<private> kept: array<vec4f, ${count}>;
fn number(i: u32, lid: u32) -> vec4f { return f32(${INVOCATIONS}u * i + lid) + vec4f(0.0, 0.25, 0.5, 0.75); }
@compute @workgroup_size(${INVOCATIONS})
fn main(@builtin(local_invocation_index) lid: u32) {
  let zero = right[lid];
  for (var i = 0u; i < ${count}u; i++) { kept[i] = number(i + zero, lid); }
  var count = 0u;
  for (var i = 0u; i < ${count}u; i++) { count += u32(all(kept[i] == number(i, lid))); }
  right[lid] = count;
}
`;

/** Runs the trial with this number of bytes. Returns whether every invocation read back what it wrote. */
async function passesTrial(gpu: Gpu, bytes: number): Promise<boolean> {
  const label = `trial of ${bytes} bytes of private memory`;
  const count = bytes / 16;
  const kernel = await gpu.kernel(label, code(count), ['storage']);
  const buffer = gpu.buffer(label, INVOCATIONS * 4);
  const bound = bind(gpu, kernel, [buffer]);
  gpu.submit(label, encoder => {
    const pass = encoder.beginComputePass({ label });
    dispatch(pass, bound, [1, 1]);
    pass.end();
  });
  const [found] = await gpu.read([{ buffer, bytes: buffer.size }]);
  buffer.destroy();
  return new Uint32Array(found).every(right => right === count);
}
