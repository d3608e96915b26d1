import { DeviceError } from '../base/errors.ts';
import {
  controlStride,
  MEMORY_NAMES,
  type MemoryName,
  memoryKind,
  readsOf,
  type Storage,
} from '../base/memories.ts';
import { type Kernels, WASM } from './wasm.ts';

const compiled: Record<string, Promise<WebAssembly.Module>> = {};

/**
 * The module, compiled once. @param shared its memory is shared between threads
 * @throws DeviceError where this machine or browser has no WebAssembly SIMD
 */
export function compile(shared = false): Promise<WebAssembly.Module> {
  compiled[String(shared)] ??= compileNow(shared);
  return compiled[String(shared)];
}

async function compileNow(shared: boolean): Promise<WebAssembly.Module> {
  if (typeof WebAssembly === 'undefined') throw new DeviceError('there is no WebAssembly here');
  const bytes = Uint8Array.from(atob(WASM), char => char.charCodeAt(0));
  if (!WebAssembly.validate(bytes)) {
    throw new DeviceError(
      'there is no WebAssembly SIMD here: Chrome 91, Firefox 89, Safari 16.4 and Node 16 have it',
    );
  }
  if (shared) share(bytes);
  return WebAssembly.compile(bytes);
}

/** The import of the memory, up to the flags of its limits: "env", "memory", kind 2. */
const MEMORY_IMPORT = [3, ...encode('env'), 6, ...encode('memory'), 2];
const WITH_MAXIMUM = 1;
const SHARED_WITH_MAXIMUM = 3;

/** Whether a module's memory is shared is one bit of its import: the code is the same. */
function share(bytes: Uint8Array): void {
  const at = bytes.findIndex((_, start) => MEMORY_IMPORT.every((byte, k) => bytes[start + k] === byte));
  const flags = at + MEMORY_IMPORT.length;
  if (at < 0 || bytes[flags] !== WITH_MAXIMUM)
    throw new Error('the module imports no memory of limited size.');
  bytes[flags] = SHARED_WITH_MAXIMUM;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

const PAGE = 65_536;
/** What 32-bit pointers reach. */
export const MOST_BYTES = 2 ** 32 - PAGE;

/** An instance of the kernels, whose pointers and leading dimensions are in bytes, on a memory of which pieces are taken one after the other. */
export class Arena {
  readonly kernels: Kernels;
  /** Threads have an arena each, on one memory. Only that of the thread that made it takes pieces of it. */
  readonly memory: WebAssembly.Memory;
  #used: number;
  #floats!: Float32Array<ArrayBuffer>;
  #words!: Uint32Array<ArrayBuffer>;

  constructor(module: WebAssembly.Module, memory = makeMemory(false)) {
    this.memory = memory;
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    this.kernels = exports as unknown as Kernels;
    this.#used = aligned(this.kernels.firstFree());
    this.#look();
  }

  /** Bytes taken from the machine. */
  get bytes(): number {
    return this.memory.buffer.byteLength;
  }

  /** Bytes handed out: what release() goes back to. */
  get used(): number {
    return this.#used;
  }

  /** The address of `bytes` bytes, aligned, with zeros where they were never used. @throws DeviceError where there are no more */
  take(bytes: number): number {
    const at = this.#used;
    const end = at + aligned(bytes);
    const missing = Math.ceil((end - this.bytes) / PAGE);
    if (missing > 0) {
      try {
        this.memory.grow(missing);
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

  /**
   * Looks again how large the memory is, which another thread may have made larger. V8 tells other threads by an interrupt,
   * which one misses that is just being given the memory; to grow by nothing is what makes it look.
   */
  refresh(): void {
    this.memory.grow(0);
    this.#look();
  }

  /** Gives back what was taken since `used` had this value. */
  release(used: number): void {
    this.#used = used;
  }

  /** `count` numbers at an address: until more is taken. */
  floats(at: number, count: number): Float32Array<ArrayBuffer> {
    const from = at >>> 2;
    return this.#floats.subarray(from, from + count);
  }

  words(at: number, count: number): Uint32Array<ArrayBuffer> {
    const from = at >>> 2;
    return this.#words.subarray(from, from + count);
  }

  /** Tells the kernels of which kind and size the memories of a batch are. @param endBytes from one end's row to the next */
  memoryShape(
    { memory, depth, reads }: { memory: MemoryName | 'none'; depth: number; reads?: number },
    { slots, undo, dStrength }: Record<keyof Storage, number>,
    M: number,
    endBytes: number,
    table: number,
  ): void {
    if (memory === 'none') return;
    const { ends, controls } = memoryKind(memory);
    this.kernels.memoryShape(
      MEMORY_NAMES.indexOf(memory),
      ends,
      controls.length,
      controlStride(memory),
      depth,
      readsOf(memory, reads),
      slots,
      undo,
      dStrength,
      M,
      endBytes,
      table,
    );
  }

  #look(): void {
    this.#floats = new Float32Array(this.memory.buffer);
    this.#words = new Uint32Array(this.memory.buffer);
  }
}

/** As pieces are aligned. */
export const aligned = (bytes: number): number => Math.ceil(bytes / 64) * 64;

export function makeMemory(shared: boolean): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: 1, maximum: 65_536, shared });
}
