import type { Spread } from '../base/spread.ts';
import { SHOWN_LIMITS } from '../platform/adapter.ts';
import { BOUND } from '../train/verify.ts';
import type { Check } from './checks.ts';
import { type DeviceReport, isHealthy, type ProfileReport } from './examine.ts';

/** The report of `pushdown doctor`, as Markdown for an issue. */

const FEATURES = ['subgroups', 'timestamp-query'];

const markdown = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '-'), ...rows].map(cells => `| ${cells.join(' | ')} |`).join('\n');

const worstOf = (checks: readonly Check[]): Check | undefined =>
  checks.reduce<Check | undefined>((a, b) => (a && !(b.difference > a.difference) ? a : b), undefined);

function profileRow({ profile, checks, notRun, seconds, problem }: ProfileReport): string[] {
  const worst = worstOf(checks.filter(check => !check.problem));
  return [
    profile,
    String(checks.length),
    String(checks.filter(({ agrees }) => agrees).length),
    worst ? `${worst.difference.toExponential(1)} (${worst.name}: ${worst.tensor})` : '–',
    seconds.toFixed(0),
    problem ?? (notRun.length ? `${notRun.length} not run: the time limit was reached` : ''),
  ];
}

function failures({ description, profiles }: DeviceReport): string[] {
  return profiles.flatMap(({ profile, checks, problem }) => [
    ...(problem ? [`- ${description.name}, ${profile}: ${problem}`] : []),
    ...checks
      .filter(({ agrees }) => !agrees)
      .map(({ name, difference, tensor, problem }) => {
        const what = problem ?? `${tensor} differs by ${difference.toExponential(1)}`;
        return `- ${description.name}, ${profile}, ${name}: ${what}`;
      }),
  ]);
}

const milliseconds = ({ median, low, high }: Spread): string => {
  const [m, l, h] = [median, low, high].map(x => Number(x.toPrecision(3)));
  return `${m} (${l}–${h})`;
};

/**
 * Formats the report.
 * @param environment lines about the machine and the program
 * @param reports one per adapter, then the CPU engine
 */
export function reportText(environment: readonly string[], reports: readonly DeviceReport[]): string {
  const parts = ['# pushdown doctor', environment.map(line => `- ${line}`).join('\n')];
  for (const { description, details, profiles } of reports) {
    const lines = [`## ${description.name}${details ? ` (${description.kind})` : ''}`];
    if (details) {
      const info = Object.entries(details.info).filter(([, text]) => text);
      const features = FEATURES.filter(name => details.features.includes(name));
      lines.push(
        [
          `- ${info.map(([name, text]) => `${name} ${text}`).join(', ')}`,
          `- ${description.reason}`,
          `- features: ${features.join(', ') || `none of ${FEATURES.join(', ')}`}`,
          `- limits: ${SHOWN_LIMITS.map(name => `${name} ${details.limits[name]}`).join(', ')}`,
        ].join('\n'),
      );
    }
    const head = ['profile', 'checks', 'agree', 'largest relative difference', 'seconds', ''];
    lines.push(markdown(head, profiles.map(profileRow)));
    parts.push(lines.join('\n\n'));
  }

  const names = [...new Set(reports.flatMap(({ speeds }) => speeds.map(({ name }) => name)))];
  const rows = names.map(name => [
    name,
    ...reports.map(({ speeds }) => {
      const speed = speeds.find(speed => speed.name === name);
      return speed?.ms ? milliseconds(speed.ms) : (speed?.problem ?? '–');
    }),
  ]);
  const heads = reports.map(({ description }) => description.name);
  if (names.length) parts.push(`## Milliseconds, median (quartiles)\n\n${markdown(['', ...heads], rows)}`);

  const found = reports.flatMap(failures);
  const checks = reports.flatMap(({ profiles }) => profiles.flatMap(({ checks }) => checks));
  if (!reports.every(isHealthy))
    parts.push(`**Not everything agrees with the float64 reference:**\n\n${found.join('\n')}`);
  else if (checks.length === 0) parts.push('**Nothing was checked.**');
  else
    parts.push(
      `**Everything that ran agrees with the float64 reference** (to ${BOUND}, relative to the largest number of each tensor).`,
    );
  return `${parts.join('\n\n')}\n`;
}
