import { describe, expect, test } from 'vitest';
import { show } from '../../../src/base/errors.ts';
import { readAll, readLines } from '../../../src/cli/io/input.ts';
import { Sink, type WriteTarget } from '../../../src/cli/io/output.ts';
import { run } from '../../../src/cli/program.ts';

describe('input and output', () => {
  const stream = async function* (...chunks: (string | Uint8Array)[]) {
    yield* chunks;
  };
  const linesOf = async (chunks: string[], longest?: number) => {
    const lines: string[] = [];
    try {
      for await (const some of readLines(stream(...chunks), longest)) lines.push(...some);
    } catch (error) {
      lines.push(`! ${(error as Error).message}`);
    }
    return lines;
  };

  test('lines are read correctly, wherever the input is cut into chunks', async () => {
    expect(await linesOf(['a\r', '\nb', 'c\n\n', 'd\r'])).toEqual(['a', 'bc', '', 'd']);
    expect(await linesOf(['a\nb\ncccc', 'c\nd'], 4)).toEqual([
      'a',
      'b',
      expect.stringMatching(/^! line 3 of stdin must have at most/),
    ]);
  });

  test('stdin has a maximum size', async () => {
    expect(await readAll(stream('ab', 'c'), 3)).toBe('abc');
    await expect(readAll(stream('ab', 'cd'), 3)).rejects.toThrow('stdin must have at most');
  });

  test('any value is shown on one line, with a maximum length', () => {
    const cycle: unknown[] = [1];
    cycle.push({ a: cycle });
    let deep: unknown = [];
    for (let i = 0; i < 1e5; i++) deep = { a: [deep] };
    const values = [
      [1, 'a\n\u2028"', null, { b: [] }],
      Number.NaN,
      -Infinity,
      undefined,
      3n,
      Symbol('s'),
      run,
    ];
    expect(values.map(value => show(value))).toEqual([
      '[1,"a\\n\\u2028\\"",null,{"b":[]}]',
      ...['NaN', '-Infinity', 'undefined', '3', 'Symbol(s)', 'a function'],
    ]);
    for (const large of [cycle, deep, 'x'.repeat(1e6), Array(1e6).fill(0), { ['k'.repeat(1e6)]: 1 }]) {
      expect(show(large)).toMatch(/^.{59}…$/);
    }
  });

  test('a failing stream is reported once, and pending output is waited for', async () => {
    const waiting: ((error?: Error) => void)[] = [];
    const pendingTarget: WriteTarget = { write: (_, done) => waiting.push(done), on: () => {} };
    const reported: string[] = [];
    const sink = new Sink(pendingTarget, ({ message }) => reported.push(message));
    sink.write('a');
    sink.write('b');
    let done = false;
    const written = sink.written().then(() => {
      done = true;
    });
    waiting[0]();
    await Promise.resolve();
    expect(done).toBe(false);
    waiting[1](new Error('ENOSPC'));
    await written;
    sink.write('c');
    expect([reported, sink.failure?.message, waiting.length]).toEqual([['ENOSPC'], 'ENOSPC', 2]);
    const throwing = new Sink({
      write: () => {
        throw new Error('EIO');
      },
      on: () => {},
    });
    throwing.write('a');
    await throwing.written();
    expect(throwing.failure?.message).toBe('EIO');
  });
});
