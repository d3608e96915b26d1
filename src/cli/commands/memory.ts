import { InputError, show, unknown } from '../../base/errors.ts';
import type { MemoryLayer, MemoryShape } from '../../engine/engine.ts';
import { command, ENGINE_OPTION, engineName, type Io } from '../command.ts';
import { openEngine } from '../engine.ts';
import { parseJson, readAll } from '../input.ts';

const KINDS = ['stack'] as const;
const KEYS = ['kind', 'push', 'pop', 'value', 'dRead', 'strengths'];

export const memory = command({
  name: 'memory',
  operands: [],
  summary: 'Run a memory on its own: operations in, reads and gradients out (JSON on stdin and stdout)',
  notes: `In:  {"kind": "stack", "push": [B][T], "pop": [B][T], "value": [B][T][M],
      "dRead": [B][T][M], "strengths": true}        the last two may be left out
Out: {"engine", "adapter", "read": [B][T][M], "dPush", "dPop", "dValue", "strengths"}

Every step pops, then pushes, then reads. The gradients are those of Σ dRead·read.

  echo '{"kind":"stack","push":[[0.8,0.5,0.9]],"pop":[[0,0.1,0.9]],"value":[[[1],[2],[3]]]}' | pushdown memory`,
  options: { engine: ENGINE_OPTION },
  async run(_operands, options, io) {
    const name = engineName(options.engine);
    const operations = check(await readJson(io));
    const { shape, push, pop, value, dRead } = operations;
    const engine = await openEngine(name);
    const layer = await engine.memory(shape);
    const { B, T, M } = shape;
    const answer: Record<string, unknown> = { engine: engine.name, adapter: engine.adapter.name };
    answer['read'] = unflatten('read', await layer.forward(push, pop, value), [B, T, M]);
    if (dRead) {
      const { dPush, dPop, dValue } = await layer.backward(dRead);
      answer['dPush'] = unflatten('dPush', dPush, [B, T]);
      answer['dPop'] = unflatten('dPop', dPop, [B, T]);
      answer['dValue'] = unflatten('dValue', dValue, [B, T, M]);
    }
    if (operations.strengths) answer['strengths'] = await strengthsOf(layer);
    layer.destroy();
    engine.destroy();
    io.stdout.write(`${JSON.stringify(answer)}\n`);
    return 0;
  },
});

interface Operations {
  shape: MemoryShape;
  push: Float32Array;
  pop: Float32Array;
  value: Float32Array;
  dRead?: Float32Array;
  strengths: boolean;
}

async function readJson(io: Io): Promise<unknown> {
  const text = await readAll(io.stdin);
  if (text.trim() === '') throw new InputError('stdin is empty, expected JSON. See pushdown memory --help.');
  return parseJson(text, 'stdin', ' See pushdown memory --help.');
}

/** @throws InputError naming the exact place: `push[1][3] must be …` */
function check(input: unknown): Operations {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new InputError(`expected a JSON object with kind, push, pop and value, got ${show(input)}.`);
  }
  for (const key of Object.keys(input)) if (!KEYS.includes(key)) unknown('key', key, KEYS);
  const { kind, push, pop, value, dRead, strengths = false } = input as Record<string, unknown>;
  for (const [key, given] of Object.entries({ kind, push, pop, value })) {
    if (given === undefined) throw new InputError(`the key "${key}" is missing. See pushdown memory --help.`);
  }
  if (typeof kind !== 'string' || !KINDS.some(known => known === kind)) {
    unknown('kind of memory', typeof kind === 'string' ? kind : show(kind), KINDS);
  }
  if (typeof strengths !== 'boolean')
    throw new InputError(`strengths must be true or false, got ${show(strengths)}.`);
  // The first row of each fixes its size for the rest.
  const B = sizeOf('push', push);
  const T = sizeOf('push[0]', (push as unknown[])[0]);
  sizeOf('value', value);
  sizeOf('value[0]', (value as unknown[])[0]);
  const M = sizeOf('value[0][0]', ((value as unknown[])[0] as unknown[])[0]);
  return {
    shape: { kind: 'stack', B, T, M },
    push: flatten('push', push, [B, T], true),
    pop: flatten('pop', pop, [B, T], true),
    value: flatten('value', value, [B, T, M]),
    ...(dRead === undefined ? {} : { dRead: flatten('dRead', dRead, [B, T, M]) }),
    strengths,
  };
}

function sizeOf(place: string, given: unknown): number {
  if (!Array.isArray(given)) throw new InputError(`${place} must be an array, got ${show(given)}.`);
  if (given.length === 0) throw new InputError(`${place} is empty: B, T and M must each be at least 1.`);
  return given.length;
}

/** A nested array of this shape as float32 numbers, row-major. */
function flatten(place: string, given: unknown, shape: readonly number[], strength = false): Float32Array {
  // First the shape: only then is it sure that the numbers are no more than stdin has brought.
  checkShape(place, given, shape);
  const numbers = new Float32Array(shape.reduce((a, b) => a * b));
  fill(place, given, shape, strength, numbers, 0);
  return numbers;
}

function checkShape(place: string, given: unknown, [length, ...rest]: readonly number[]): void {
  if (!Array.isArray(given)) throw new InputError(`${place} must be an array, got ${show(given)}.`);
  if (given.length !== length) {
    throw new InputError(
      `${place} must have ${length} entries, as push and value begin with, got ${given.length}.`,
    );
  }
  if (rest.length === 0) return;
  given.forEach((entry, i) => {
    checkShape(`${place}[${i}]`, entry, rest);
  });
}

function fill(
  place: string,
  given: unknown,
  shape: readonly number[],
  strength: boolean,
  into: Float32Array,
  at: number,
): void {
  if (shape.length > 0) {
    const [length, ...rest] = shape;
    (given as unknown[]).forEach((entry, i) => {
      fill(`${place}[${i}]`, entry, rest, strength, into, at * length + i);
    });
    return;
  }
  if (typeof given !== 'number') throw new InputError(`${place} must be a number, got ${show(given)}.`);
  if (strength && !(given >= 0)) throw new InputError(`${place} is a strength, at least 0, got ${given}.`);
  if (!Number.isFinite(Math.fround(given)))
    throw new InputError(`${place} must be finite in float32 (below 3.4e38 in size), got ${given}.`);
  into[at] = given;
}

/** The inverse of flatten, every number in the fewest digits that name it in float32. */
function unflatten(place: string, from: ArrayLike<number>, shape: readonly number[], at = 0): unknown {
  const [length, ...rest] = shape;
  return Array.from({ length }, (_, i) => {
    const here = `${place}[${i}]`;
    return rest.length > 0
      ? unflatten(here, from, rest, at * length + i)
      : shortest(here, from[at * length + i]);
  });
}

async function strengthsOf(layer: MemoryLayer): Promise<number[][][]> {
  const all = await layer.strengths();
  return all.map((steps, b) =>
    steps.map((rows, t) => Array.from(rows, (s, i) => shortest(`strengths[${b}][${t}][${i}]`, s))),
  );
}

function shortest(place: string, value: number): number {
  // JSON has no infinity.
  if (!Number.isFinite(value))
    throw new InputError(`${place} overflows float32: make value and dRead smaller.`);
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}
