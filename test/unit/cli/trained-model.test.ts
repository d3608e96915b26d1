import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { parseLengths } from '../../../src/cli/commands/eval.ts';
import { jsonLines, pushdown } from '../../support/terminal.ts';
import { temporaryFolder, trainTiny } from '../../support/tiny-run.ts';

const folder = temporaryFolder();
const trained = join(folder, 'trained');
const checkpoint = join(trained, 'checkpoint.safetensors');
beforeAll(() => trainTiny(trained));

describe('a trained model', () => {
  const engine = ['--engine', 'reference'];

  test('eval: one row per length; a folder stands for its checkpoint', async () => {
    const { code, out, err } = await pushdown(['eval', trained, '--lengths', '1-3,8', ...engine]);
    expect(code).toBe(0);
    expect(err).toMatch(/^engine reference/);
    const rows = out.trim().split('\n').slice(2);
    expect(rows.map(row => Number(row.trim().split(/\s+/)[0]))).toEqual([1, 2, 3, 8]);
  });

  test('eval: overlapping lengths are measured once, and none is reported as missing', async () => {
    const { out, err } = await pushdown(['eval', trained, '--lengths', '1-3,2', ...engine]);
    expect(err).not.toContain('left out');
    expect(out.trim().split('\n').slice(2)).toHaveLength(3);
  });

  test('eval --plot: an SVG of the results', async () => {
    const path = join(folder, 'accuracy.svg');
    const { code } = await pushdown(['eval', trained, '--lengths', '1-4', '--plot', path, ...engine]);
    const svg = readFileSync(path, 'utf8');
    expect(code).toBe(0);
    expect(svg).toContain('<title>reverse · rnn 4 + stack 2 · step 2</title>');
    expect(svg.match(/class="mark s0"/g)).toHaveLength(4 + 1);
    const nowhere = await pushdown(['eval', trained, '--plot', join(folder, 'no', 'where.svg'), ...engine]);
    expect(nowhere.err).toMatch(/\npushdown: cannot write .*where\.svg: there is no such file\.\n$/);
    expect(nowhere.code).toBe(2);
  });

  test('eval --json: the last line is the result', async () => {
    const { out } = await pushdown([
      'eval',
      trained,
      '--lengths',
      '2,4',
      '--sequences',
      '5',
      '--json',
      ...engine,
    ]);
    const lines = jsonLines(out);
    expect(lines.map(({ kind }) => kind)).toEqual(['evaluation', 'evaluation', 'result']);
    expect(lines[2]).toMatchObject({ lengths: [2, 4], sequences: 5, step: 2 });
  });

  test('predict: one output line per input line', async () => {
    const { code, out } = await pushdown(['predict', checkpoint, ...engine], 'a b c\nabc\r\nh');
    const lines = out.split('\n');
    expect([code, lines.length]).toEqual([0, 4]);
    expect(lines[1]).toBe(lines[0]);
  });

  test('trace: one row per step', async () => {
    const { code, out } = await pushdown(['trace', checkpoint, 'a b', '--json', ...engine]);
    expect(code).toBe(0);
    const steps = jsonLines(out);
    expect(steps.slice(0, 4).map(({ input }) => input)).toEqual(['<s>', 'a', 'b', '|||']);
    expect(steps[2].strengths.map((rows: number[]) => rows.length)).toEqual([3]);
    const table = await pushdown(['trace', checkpoint, 'a', 'b', ...engine]);
    expect(table.out).toMatch(/^step {2}input {2}push/);
  });

  test('a list of lengths is sorted and has no duplicates', () => {
    expect(parseLengths('4, 1-3,2')).toEqual([1, 2, 3, 4]);
  });
});
