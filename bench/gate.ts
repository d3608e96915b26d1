/** The decision of the regression gate: compares ratios measured now with those of a baseline. */
import { InputError } from '../src/base/errors.ts';
import type { AdapterDescription } from '../src/engine/engine.ts';
import { figure, type Spread } from './measure.ts';

/** The factor by which a ratio may grow before it counts as slower. */
export const MAX_SLOWDOWN = 1.25;

/** The cost of a case relative to work without pushdown's kernels, so that the machine's speed cancels out. */
export interface Ratios {
  name: string;
  /** The form or plan it used: "lane form". */
  how: string;
  /** ms per pass; reported but not judged. */
  ms: number;
  /** Ratio to a pass of the float64 reference on a small instance of the same problem: changes with the processor. */
  reference: Spread;
  /** Ratio to a pass of a plain copy on the same adapter: changes with the adapter. */
  copy: Spread;
}

/** bench/results/check-<adapter>.json */
export interface Baseline {
  benchmark: 'check';
  date: string;
  adapter: AdapterDescription;
  machine: object;
  cases: Ratios[];
}

/** Parses a baseline. @param path where the text was read from @throws InputError if the text is not a baseline */
export function parseBaseline(text: string, path: string): Baseline {
  let found: Partial<Baseline> | undefined;
  try {
    found = JSON.parse(text);
  } catch {
    // Reported below, like any other text that is not a baseline.
  }
  const good = ({ name, reference, copy }: Partial<Ratios>): boolean =>
    name !== undefined &&
    [reference, copy].every(ratio => ratio !== undefined && ratio.median > 0 && ratio.high >= ratio.median);
  if (found?.benchmark === 'check' && Array.isArray(found.cases) && found.cases.every(good)) {
    return found as Baseline;
  }
  throw new InputError(
    `${path} is not a baseline of the regression gate: restore it, or write a new one with ` +
      'npm run bench:check -- --accept.',
  );
}

/**
 * failed: both ratios are worse. unclear: both are, but the quartiles of one overlap with those of the baseline: then a
 * busy machine is as good an explanation. moved: only one ratio is worse; probably the work that it is divided by has
 * changed, not the case. faster: both ratios are better; the baseline should be updated. new: the case is not in the
 * baseline.
 */
export type Verdict = 'ok' | 'failed' | 'unclear' | 'moved' | 'faster' | 'new';

/** Whether the gate fails with this verdict. An unclear case may be slower, so it fails too; only its message differs. */
export const isFailure = (verdict: Verdict): boolean => verdict === 'failed' || verdict === 'unclear';

export interface Judgement {
  now: Ratios;
  verdict: Verdict;
  /** Ratio now over the ratio in the baseline: above 1 is slower. Absent if the baseline does not have the case. */
  change?: { reference: number; copy: number };
}

export function judge(now: Ratios, baseline: Pick<Baseline, 'cases'>): Judgement {
  const then = baseline.cases.find(({ name }) => name === now.name);
  if (!then) return { now, verdict: 'new' };
  const change = {
    reference: now.reference.median / then.reference.median,
    copy: now.copy.median / then.copy.median,
  };
  const both = [change.reference, change.copy];
  // Not "> MAX_SLOWDOWN", so that NaN counts as slower.
  const lost = both.filter(factor => !(factor <= MAX_SLOWDOWN)).length;
  const gained = both.every(factor => factor < 1 / MAX_SLOWDOWN);
  const overlaps = now.reference.low <= then.reference.high || now.copy.low <= then.copy.high;
  const slower = overlaps ? 'unclear' : 'failed';
  return { now, change, verdict: lost === 2 ? slower : lost === 1 ? 'moved' : gained ? 'faster' : 'ok' };
}

/** `+12 %`, `-3 %` */
export const changeOf = (factor: number): string => {
  const percent = Math.round(100 * (factor - 1));
  return `${percent > 0 ? '+' : ''}${percent} %`;
};

/** Rows of the table, starting with the head. @param judged false: show the measurements only */
export function rowsOf(judgements: readonly Judgement[], judged = true): string[][] {
  const rows = [
    ['one pass of', 'ms', '× reference', '× copy', 'change', 'change', ''],
    ...judgements.map(({ now, verdict, change }) => [
      now.how ? `${now.name} (${now.how})` : now.name,
      figure(now.ms),
      figure(now.reference.median),
      figure(now.copy.median),
      change ? changeOf(change.reference) : '–',
      change ? changeOf(change.copy) : '–',
      isFailure(verdict) ? verdict.toUpperCase() : verdict,
    ]),
  ];
  return judged
    ? rows.map(([name, ms, r, c, dr, dc, is]) => [name, ms, r, dr, c, dc, is])
    : rows.map(row => row.slice(0, 4));
}

/** The lines below the table: for each case that is not ok, and for each case that only the baseline has. */
export function remarksOf(judgements: readonly Judgement[], missing: readonly string[]): string[] {
  const lines: Record<Verdict, (name: string, by: string) => string[]> = {
    ok: () => [],
    failed: (name, by) => [`FAILED: ${name} is slower than the baseline: ${by}.`],
    unclear: (name, by) => [
      `UNCLEAR: ${name}: ${by}, but the quartiles overlap with those of the baseline. Run again when the machine is quiet.`,
    ],
    moved: (name, by) => [
      `warning: ${name}: ${by}. Only one ratio changed, so probably the work it is divided by has changed.`,
    ],
    faster: (name, by) => [`faster: ${name}: ${by}. Record it with --accept.`],
    new: name => [`new: ${name} is not in the baseline. Add it with --accept.`],
  };
  return [
    ...judgements.flatMap(({ now, verdict, change }) =>
      lines[verdict](
        now.name,
        change
          ? `${changeOf(change.reference)} against the reference, ${changeOf(change.copy)} against a copy`
          : '',
      ),
    ),
    ...missing.map(name => `gone: ${name} is in the baseline only. Remove it with --accept.`),
  ];
}
