import { InputError } from '../base/errors.ts';
import { endsOf } from '../base/parameters.ts';
import { allStrengths } from '../layout/strengths.ts';
import { Arena, KIND, MOST_BYTES } from '../simd/module.ts';
import { tooLarge } from '../simd/room.ts';
import { checkMemoryInputs, checkMemoryShape, checkReadGradient } from './checks.ts';
import type { MemoryGradients, MemoryLayer, MemoryShape } from './engine.ts';
import type { Life } from './life.ts';

/** The memory kernels in WebAssembly as a layer of their own: arrays lie in the kernels' memory as they are given. */
export class CpuMemory implements MemoryLayer {
  readonly shape: MemoryShape;
  readonly #life: Life;
  #arena: Arena | undefined;
  readonly #at: Record<(typeof ARRAYS)[number], number>;
  readonly #N: number;
  /** Backward passes rewind the slots: what needs them again runs the forward pass again. */
  #state: 'empty' | 'ready' | 'used' = 'empty';

  constructor(module: WebAssembly.Module, given: MemoryShape, life: Life) {
    checkMemoryShape(given);
    const { kind, B, T, M } = given;
    const E = endsOf(kind);
    const N = B * T * E;
    const bytes = N * (4 * 4 + 4 * 4 * M + 28) + 4 * T;
    if (bytes > MOST_BYTES) {
      const fits = Math.floor(MOST_BYTES / (bytes / B));
      throw tooLarge(
        `a memory of B=${B}, T=${T}, M=${M}`,
        bytes,
        fits,
        'not even one sequence of this length fits',
      );
    }
    this.shape = { ...given };
    this.#life = life;
    this.#N = N;
    const arena = new Arena(module);
    const sizes = { table: 4 * T, slots: 8 * N, undo: 16 * N, dStrength: 4 * N };
    const own = ARRAYS.map(name => {
      const size = name in sizes ? sizes[name as keyof typeof sizes] : 4 * N * (ROWS.includes(name) ? M : 1);
      return [name, arena.take(size)] as const;
    });
    this.#at = Object.fromEntries(own) as Record<(typeof ARRAYS)[number], number>;
    this.#arena = arena;
    const table = arena.words(this.#at.table, T);
    for (let t = 0; t < T; t++) table[t] = 4 * t * E * M;
    arena.kernels.memoryShape(KIND[kind], T * E, M, 4 * M, this.#at.table);
  }

  get bytes(): number {
    return this.#arena?.bytes ?? 0;
  }

  async forward(push: Float32Array, pop: Float32Array, value: Float32Array): Promise<Float32Array> {
    this.#life.check();
    checkMemoryInputs(this.shape, push, pop, value);
    this.#array('push').set(push);
    this.#array('pop').set(pop);
    this.#array('value').set(value);
    this.#runForward();
    return this.#array('read').slice();
  }

  async backward(dRead: Float32Array): Promise<MemoryGradients> {
    this.#life.check();
    checkReadGradient(this.shape, dRead);
    this.#needForward();
    const { B, T, M } = this.shape;
    const { value, slots, undo, dStrength, dPush, dPop, dValue, dRead: at } = this.#at;
    const { kernels } = this.#arena!;
    this.#array('dRead').set(dRead);
    kernels.clear(dStrength, 4 * this.#N);
    kernels.clear(dValue, 4 * this.#N * M);
    kernels.layerBackward(B, T, value, at, slots, undo, dStrength, dPush, dPop, dValue);
    this.#state = 'used';
    return {
      dPush: this.#array('dPush').slice(),
      dPop: this.#array('dPop').slice(),
      dValue: this.#array('dValue').slice(),
    };
  }

  async strengths(): Promise<Float32Array[][]> {
    this.#life.check();
    this.#needForward();
    const { kind, B, T } = this.shape;
    const arena = this.#arena!;
    const slots = arena.words(this.#at.slots, 2 * this.#N);
    const undo = arena.words(this.#at.undo, 4 * this.#N);
    return allStrengths({ kind, form: 'block', B, T }, slots, undo)[0];
  }

  destroy(): void {
    this.#life.end();
    this.#arena = undefined;
  }

  #runForward(): void {
    const { B, T } = this.shape;
    const { push, pop, value, read, slots, undo } = this.#at;
    this.#arena!.kernels.layerForward(B, T, push, pop, value, read, slots, undo);
    this.#state = 'ready';
  }

  #needForward(): void {
    if (this.#state === 'empty')
      throw new InputError('the memory has nothing to go back over: call forward first.');
    if (this.#state === 'used') this.#runForward();
  }

  #array(name: (typeof IO)[number]): Float32Array<ArrayBuffer> {
    return this.#arena!.floats(this.#at[name], this.#N * (ROWS.includes(name) ? this.shape.M : 1));
  }
}

const IO = ['push', 'pop', 'value', 'read', 'dRead', 'dPush', 'dPop', 'dValue'] as const;
const ARRAYS = [...IO, 'table', 'slots', 'undo', 'dStrength'] as const;
/** Those with M numbers for each step and end. */
const ROWS: readonly string[] = ['value', 'read', 'dRead', 'dValue'];
