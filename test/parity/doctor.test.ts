import { expect, test } from 'vitest';
import { DeviceError } from '../../src/base/errors.ts';
import { examineAdapter, isHealthy } from '../../src/doctor/examine.ts';
import { reportText } from '../../src/doctor/report.ts';
import { findAdapter } from '../../src/platform/node/adapter.ts';

/** `pushdown doctor` on the adapter of these tests, for a few seconds: all profiles open, run and agree. */
test('an adapter is examined under each of its profiles', async () => {
  const report = await examineAdapter(
    async () => {
      const { found } = await findAdapter();
      if (!found) throw new DeviceError('no adapter');
      return found;
    },
    { seconds: 3 },
  );
  const names = report.profiles.map(({ profile }) => profile);
  const { details, description } = report;
  expect(names.sort()).toEqual([
    'gpu',
    ...(details!.features.includes('subgroups') ? ['gpu with subgroups'] : []),
    ...(description.kind === 'software' ? ['software'] : []),
  ]);
  for (const { checks, problem } of report.profiles) {
    expect(problem).toBe(undefined);
    expect(checks.length).toBeGreaterThan(0);
  }
  expect(isHealthy(report)).toBe(true);
  expect(report.speeds[0].ms!.median).toBeGreaterThan(0);
  expect(reportText([], [report])).toContain(report.details!.info['vendor']);
});
