import { describe, expect, test } from 'vitest';
import { checksOf } from '../../src/doctor/checks.ts';
import { examineEngine, isHealthy } from '../../src/doctor/examine.ts';
import { reportText } from '../../src/doctor/report.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { openEngine } from '../../src/platform/node/engine.ts';
import { pushdown } from '../support/terminal.ts';

/** The engine `cpu` with a stack whose first read is wrong, and with models that cannot be created. */
async function faultyEngine(): Promise<Engine> {
  const engine = await openEngine('cpu', { threads: 1 });
  return {
    ...engine,
    adapter: engine.adapter,
    destroy: () => engine.destroy(),
    async model() {
      throw new Error('no model today');
    },
    async memory(shape) {
      const memory = await engine.memory(shape);
      if (shape.kind !== 'stack') return memory;
      const forward = memory.forward.bind(memory);
      memory.forward = async (...inputs) => {
        const read = await forward(...inputs);
        read[0] += 0.01;
        return read;
      };
      return memory;
    },
  };
}

describe('doctor', () => {
  test('finds that a correct engine agrees with the reference', async () => {
    const report = await examineEngine(await openEngine('cpu', { threads: 1 }), { seconds: 2 });
    expect(isHealthy(report)).toBe(true);
    expect(report.profiles[0].checks.length).toBeGreaterThan(5);
    for (const { difference } of report.profiles[0].checks) expect(difference).toBeLessThan(1e-5);
    expect(report.speeds[0].ms!.median).toBeGreaterThan(0);
    const text = reportText(['a test'], [report]);
    expect(text).toMatch(/^# pushdown doctor\n\n- a test\n\n## WebAssembly SIMD\n/);
    expect(text).toMatch(/\| cpu \| \d+ \| \d+ \| \d\.\de-\d+ \(.+\) \| \d+ \|/);
    expect(text).toMatch(/\*\*Everything that ran agrees with the float64 reference\*\*/);

    const interrupted = { ...report, profiles: [{ ...report.profiles[0], checks: [] }], speeds: [] };
    expect(reportText([], [interrupted])).toMatch(/\*\*Nothing was checked\.\*\*\n$/);
  });

  test('reports wrong numbers and failures, by name', async () => {
    const report = await examineEngine(await faultyEngine(), { seconds: 2 });
    expect(isHealthy(report)).toBe(false);
    const text = reportText([], [report]);
    expect(text).toMatch(/\*\*Not everything agrees with the float64 reference:\*\*/);
    expect(text).toMatch(/^- WebAssembly SIMD, cpu, memory stack: read differs by \d\.\de-\d+$/m);
    expect(text).toMatch(/^- WebAssembly SIMD, cpu, RNN, stack: no model today$/m);
    expect(text).not.toMatch(/memory queue:/);
    expect(report.speeds[0].problem).toBe('no model today');
  });

  test('a reference that is NaN fails the check', async () => {
    const [engine, reference] = await Promise.all([
      openEngine('cpu', { threads: 1 }),
      openEngine('reference'),
    ]);
    const open = reference.memory.bind(reference);
    reference.memory = async shape => {
      const memory = await open(shape);
      const forward = memory.forward.bind(memory);
      memory.forward = async (...inputs) => (await forward(...inputs)).fill(Number.NaN, 0, 1);
      return memory;
    };
    const [stack] = checksOf([{ plan: '', engine }], reference);
    expect(await stack.run()).toMatchObject({ name: 'memory stack', tensor: 'read', agrees: false });
  });

  test('refuses a time that is not positive', async () => {
    const { code, err } = await pushdown(['doctor', '--seconds', '0']);
    expect([code, err]).toEqual([
      2,
      'pushdown: --seconds must be a number greater than 0 and at most 3600, got "0".\n',
    ]);
  });
});
