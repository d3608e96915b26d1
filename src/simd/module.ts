import { DeviceError } from '../base/errors.ts';
import {
  controlStride,
  MEMORY_NAMES,
  type MemoryName,
  type MemoryStorage,
  memoryKind,
  readsOf,
} from '../base/memories.ts';
import { type Kernels, WASM } from './wasm.ts';

const compiled: Record<string, Promise<WebAssembly.Module>> = {};

/**
 * The WebAssembly module. Each variant is compiled once.
 * @param shared whether its memory is shared between threads
 * @throws DeviceError if this machine or browser has no WebAssembly SIMD
 */
export function compile(shared = false): Promise<WebAssembly.Module> {
  compiled[String(shared)] ??= compileNow(shared);
  return compiled[String(shared)];
}

async function compileNow(shared: boolean): Promise<WebAssembly.Module> {
  if (typeof WebAssembly === 'undefined') throw new DeviceError('this machine or browser has no WebAssembly');
  const bytes = Uint8Array.from(atob(WASM), char => char.charCodeAt(0));
  if (!WebAssembly.validate(bytes)) {
    throw new DeviceError(
      'this machine or browser has no WebAssembly SIMD, which needs Chrome 91, Firefox 89, Safari 16.4 or Node 16.4, or newer',
    );
  }
  if (shared) share(bytes);
  return WebAssembly.compile(bytes);
}

/** The bytes of the module's memory import, up to the flags of its limits: "env", "memory", kind 2. */
const MEMORY_IMPORT = [3, ...encode('env'), 6, ...encode('memory'), 2];
const WITH_MAXIMUM = 1;
const SHARED_WITH_MAXIMUM = 3;

/** Makes the imported memory shared: one bit of the import's flags. The code stays the same. */
function share(bytes: Uint8Array): void {
  const at = bytes.findIndex((_, start) => MEMORY_IMPORT.every((byte, k) => bytes[start + k] === byte));
  const flags = at + MEMORY_IMPORT.length;
  if (at < 0 || bytes[flags] !== WITH_MAXIMUM)
    throw new Error('the WebAssembly module imports no memory with a maximum size.');
  bytes[flags] = SHARED_WITH_MAXIMUM;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

const PAGE = 65_536;
/** Size of the address range of 32-bit pointers, less one page. */
export const MAX_BYTES = 2 ** 32 - PAGE;

/**
 * An instance of the kernels and its memory, from which blocks are allocated one after another. The kernels take
 * pointers and leading dimensions in bytes.
 */
export class Arena {
  readonly kernels: Kernels;
  /** All threads share one memory, each through its own Arena. Only the thread that created the memory allocates. */
  readonly memory: WebAssembly.Memory;
  #used: number;
  #floats!: Float32Array<ArrayBuffer>;
  #words!: Uint32Array<ArrayBuffer>;

  constructor(module: WebAssembly.Module, memory = makeMemory(false)) {
    this.memory = memory;
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    this.kernels = exports as unknown as Kernels;
    this.#used = aligned(this.kernels.firstFree());
    this.#updateViews();
  }

  /** Size of the memory in bytes. */
  get bytes(): number {
    return this.memory.buffer.byteLength;
  }

  /** Bytes allocated so far. Pass this number to release() later to free everything allocated in between. */
  get used(): number {
    return this.#used;
  }

  /**
   * Allocates `bytes` bytes, aligned to 64 bytes. Returns the address. Memory that was never allocated before is zero.
   * @throws DeviceError if the machine has no more memory
   */
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
          `the machine cannot provide ${gib} GiB of memory: use a smaller batch or shorter sequences.`,
        );
      }
      this.#updateViews();
    }
    this.#used = end;
    return at;
  }

  /**
   * Updates the views when another thread may have grown the memory. V8 notifies other threads by an interrupt, which a
   * thread that has just received the memory can miss. Growing by 0 pages makes it read the current size.
   */
  refresh(): void {
    this.memory.grow(0);
    this.#updateViews();
  }

  /** Frees everything allocated since the property `used` had this value. */
  release(used: number): void {
    this.#used = used;
  }

  /** A view of `count` float32 numbers at an address. Valid until the memory grows. */
  floats(at: number, count: number): Float32Array<ArrayBuffer> {
    const from = at >>> 2;
    return this.#floats.subarray(from, from + count);
  }

  /** A view of `count` u32 at an address. Valid until the memory grows. */
  words(at: number, count: number): Uint32Array<ArrayBuffer> {
    const from = at >>> 2;
    return this.#words.subarray(from, from + count);
  }

  /**
   * Sets the kind and the sizes of the memories, which the memory kernels read from globals of the module. `slots`,
   * `undoLog` and `dStrength` are numbers of entries of one memory of one sequence.
   * @param M numbers per row
   * @param endBytes distance between the rows of consecutive ends, or between the reads of consecutive cells, in bytes
   * @param table address of a table [T]: the byte offset of each step's values
   */
  setMemoryShape(
    { memory, depth, reads }: { memory: MemoryName | 'none'; depth: number; reads?: number },
    { slots, undoLog, dStrength }: Record<keyof MemoryStorage, number>,
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
      undoLog,
      dStrength,
      M,
      endBytes,
      table,
    );
  }

  #updateViews(): void {
    this.#floats = new Float32Array(this.memory.buffer);
    this.#words = new Uint32Array(this.memory.buffer);
  }
}

/** Rounds up to the alignment of blocks, 64 bytes. */
export const aligned = (bytes: number): number => Math.ceil(bytes / 64) * 64;

/** Memory for the kernels, of up to 4 GiB. @param shared whether threads share it */
export function makeMemory(shared: boolean): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: 1, maximum: 65_536, shared });
}
