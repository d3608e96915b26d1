import { InputError } from '../base/errors.ts';
import { controlCount, endsOf, gradientName, memoryKind } from '../base/memories.ts';
import { allStrengths, noRows } from '../layout/strengths.ts';
import { Arena, MOST_BYTES, makeMemory } from '../simd/module.ts';
import type { Pool } from '../simd/pool.ts';
import { tooLarge } from '../simd/room.ts';
import { checkMemoryInputs, checkMemoryShape, checkReadGradient } from './checks.ts';
import type { Kernels } from './cpu-model.ts';
import {
  itemsOfMemory,
  type Made,
  MEMORY_ARRAYS,
  type MemoryPlaces,
  MemoryWork,
  memoryEntries,
} from './cpu-work.ts';
import type { MemoryGradients, MemoryLayer, MemoryShape } from './engine.ts';
import type { Life } from './life.ts';
import { Turns } from './turns.ts';

/** Bytes of each array of a memory. */
function sizesOf(shape: MemoryShape): Record<keyof MemoryPlaces, number> {
  const { kind, B, T, M } = shape;
  const N = B * T * endsOf(kind);
  const { slots, undo, dStrength } = memoryEntries(shape);
  const [controls, rows] = [4 * N * controlCount(kind), 4 * N * M];
  return {
    ...{ controls, dControls: controls, value: rows, read: rows, dRead: rows, dValue: rows },
    ...{ table: 4 * T, slots: 8 * B * slots, undo: 16 * B * undo, dStrength: 4 * B * dStrength },
  };
}

/** The memory kernels in WebAssembly as a layer of their own: arrays lie in the kernels' memory as they are given. */
export class CpuMemory implements MemoryLayer {
  readonly shape: MemoryShape;
  readonly #life: Life;
  readonly #turns: Turns;
  readonly #pool: Pool;
  readonly #object: number;
  #arena: Arena | undefined;
  #work: MemoryWork | undefined;
  readonly #at: MemoryPlaces;
  readonly #sizes: Record<keyof MemoryPlaces, number>;
  /** Backward passes rewind the slots: what needs them again runs the forward pass again. */
  #state: 'empty' | 'ready' | 'used' = 'empty';

  constructor({ module, pool, shared }: Kernels, given: MemoryShape, life: Life) {
    checkMemoryShape(given);
    const { kind, B, T, M } = given;
    this.shape = { ...given };
    this.#life = life;
    this.#turns = new Turns(life);
    this.#pool = pool;
    this.#sizes = sizesOf(given);
    const bytes = Object.values(this.#sizes).reduce((sum, size) => sum + size, 0);
    if (bytes > MOST_BYTES) {
      const fits = Math.floor(MOST_BYTES / (bytes / B));
      const none = 'not even one sequence of this length fits';
      throw tooLarge(`a memory of B=${B}, T=${T}, M=${M}`, bytes, fits, none);
    }
    const arena = new Arena(module, makeMemory(shared));
    const places = MEMORY_ARRAYS.map(name => [name, arena.take(this.#sizes[name])] as const);
    const at = Object.fromEntries(places) as MemoryPlaces;
    const table = arena.words(at.table, T);
    for (let t = 0; t < T; t++) table[t] = 4 * t * endsOf(kind) * M;
    this.#at = at;
    this.#arena = arena;
    this.#work = new MemoryWork(arena, this.shape, at);
    const made: Made = { of: 'memory', module, memory: arena.memory, shape: this.shape, at };
    this.#object = pool.add(made);
  }

  get bytes(): number {
    return this.#arena?.bytes ?? 0;
  }

  async forward(...inputs: Float32Array[]): Promise<Float32Array> {
    this.#life.check();
    const given = this.#own(checkMemoryInputs(this.shape, inputs));
    return this.#turns.inTurn(async () => {
      for (const [name, numbers] of Object.entries(given)) this.#array(name).set(numbers);
      await this.#runForward();
      return this.#array('read').slice();
    });
  }

  async backward(given: Float32Array): Promise<MemoryGradients> {
    this.#life.check();
    checkReadGradient(this.shape, given);
    const { dRead } = this.#own({ dRead: given });
    return this.#turns.inTurn(async () => {
      this.#array('dRead').set(dRead);
      await this.#needForward();
      await this.#run('backward');
      this.#state = 'used';
      const made: MemoryGradients = { dValue: this.#array('dValue').slice() };
      for (const { name } of memoryKind(this.shape.kind).controls)
        made[gradientName(name)] = this.#array(gradientName(name)).slice();
      return made;
    });
  }

  async strengths(): Promise<Float32Array[][]> {
    this.#life.check();
    return this.#turns.inTurn(async () => {
      await this.#needForward();
      const { kind, B, T } = this.shape;
      if (!memoryKind(kind).rows) return noRows(B, T);
      const { slots, undo } = this.#at;
      const [words, log] = [this.#sizes.slots / 4, this.#sizes.undo / 4];
      const arena = this.#arena!;
      return allStrengths(
        { kind, form: 'block', B, T },
        arena.words(slots, words),
        arena.words(undo, log),
      )[0];
    });
  }

  destroy(): void {
    if (!this.#life.end()) return;
    this.#pool.remove(this.#object);
    this.#arena = undefined;
    this.#work = undefined;
  }

  /** What waits its turn must not see what the caller does to his arrays meanwhile. */
  #own<Arrays extends Record<string, Float32Array>>(arrays: Arrays): Arrays {
    if (!this.#turns.busy) return arrays;
    return Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, array.slice()])) as Arrays;
  }

  async #run(way: 'forward' | 'backward'): Promise<void> {
    await this.#pool.run(this.#object, this.#work!, way, itemsOfMemory(this.shape.B));
    this.#life.check();
  }

  async #runForward(): Promise<void> {
    await this.#run('forward');
    this.#state = 'ready';
  }

  async #needForward(): Promise<void> {
    if (this.#state === 'empty')
      throw new InputError('the memory has nothing to go back over: call forward first.');
    if (this.#state === 'used') await this.#runForward();
  }

  /** An array of the caller's, by its name: of the controls and their gradients, each its own part of one array. */
  #array(name: string): Float32Array<ArrayBuffer> {
    const { kind, B, T } = this.shape;
    const { controls, ends } = memoryKind(kind);
    const count = B * T * ends;
    for (const [c, control] of controls.entries()) {
      const own = { [control.name]: this.#at.controls, [gradientName(control.name)]: this.#at.dControls };
      if (name in own) return this.#arena!.floats(own[name] + 4 * c * count, count);
    }
    const place = name as keyof MemoryPlaces;
    return this.#arena!.floats(this.#at[place], this.#sizes[place] / 4);
  }
}
