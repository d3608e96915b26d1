import { DeviceError } from '../base/errors.ts';
import { type Kernels, WASM } from './wasm.ts';

let compiled: Promise<WebAssembly.Module> | undefined;

/** The module, compiled once. @throws DeviceError where this machine or browser has no WebAssembly SIMD */
export function compile(): Promise<WebAssembly.Module> {
  compiled ??= compileNow();
  return compiled;
}

async function compileNow(): Promise<WebAssembly.Module> {
  if (typeof WebAssembly === 'undefined') throw new DeviceError('there is no WebAssembly here');
  const bytes = Uint8Array.from(atob(WASM), char => char.charCodeAt(0));
  if (!WebAssembly.validate(bytes)) {
    throw new DeviceError(
      'there is no WebAssembly SIMD here: Chrome 91, Firefox 89, Safari 16.4 and Node 16 have it',
    );
  }
  return WebAssembly.compile(bytes);
}

/** The numbers by which the kernels know the kinds of memory. */
export const KIND = { stack: 0, queue: 1, deque: 2 } as const;

const PAGE = 65_536;
/** What 32-bit pointers reach. */
export const MOST_BYTES = 2 ** 32 - PAGE;

/** An instance of the kernels, whose pointers and leading dimensions are in bytes, with a memory of its own, of which pieces are taken one after the other. */
export class Arena {
  readonly kernels: Kernels;
  readonly #memory: WebAssembly.Memory;
  #used: number;
  #floats!: Float32Array<ArrayBuffer>;
  #words!: Uint32Array<ArrayBuffer>;

  constructor(module: WebAssembly.Module) {
    this.#memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536 });
    const { exports } = new WebAssembly.Instance(module, { env: { memory: this.#memory } });
    this.kernels = exports as unknown as Kernels;
    this.#used = Math.ceil(this.kernels.firstFree() / 64) * 64;
    this.#look();
  }

  /** Bytes taken from the machine. */
  get bytes(): number {
    return this.#memory.buffer.byteLength;
  }

  /** Bytes handed out: what release() goes back to. */
  get used(): number {
    return this.#used;
  }

  /** The address of `bytes` bytes, aligned, with zeros where they were never used. @throws DeviceError where there are no more */
  take(bytes: number): number {
    const at = this.#used;
    const end = at + Math.ceil(bytes / 64) * 64;
    const missing = Math.ceil((end - this.bytes) / PAGE);
    if (missing > 0) {
      try {
        this.#memory.grow(missing);
      } catch {
        const gib = (end / 2 ** 30).toFixed(1);
        throw new DeviceError(
          `the machine gives no ${gib} GiB of memory: use a smaller batch or shorter sequences.`,
        );
      }
      this.#look();
    }
    this.#used = end;
    return at;
  }

  /** Gives back what was taken since `used` had this value. */
  release(used: number): void {
    this.#used = used;
  }

  /** `count` numbers at an address: until more is taken. */
  floats(at: number, count: number): Float32Array<ArrayBuffer> {
    return this.#floats.subarray(at >>> 2, (at >>> 2) + count);
  }

  words(at: number, count: number): Uint32Array<ArrayBuffer> {
    return this.#words.subarray(at >>> 2, (at >>> 2) + count);
  }

  #look(): void {
    this.#floats = new Float32Array(this.#memory.buffer);
    this.#words = new Uint32Array(this.#memory.buffer);
  }
}
