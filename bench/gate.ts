/** The regression gate's judgement: ratios measured now against those of a baseline. */
import { InputError } from '../src/base/errors.ts';
import type { AdapterDescription } from '../src/engine/engine.ts';
import { figure, type Spread } from './measure.ts';

/** A ratio may grow by this factor before it counts as lost. */
export const MOST_LOST = 1.25;

/** What a case costs, free of the machine's speed: it is divided by work that no change to a kernel touches. */
export interface Ratios {
  name: string;
  /** How it was computed: "lane form". */
  how: string;
  /** ms a pass; told, not judged. */
  ms: number;
  /** Times a pass of the float64 reference on a small instance of the same: moves with the processor. */
  reference: Spread;
  /** Times a pass of a plain copy on the same adapter: moves with the adapter. */
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

/** @throws InputError where the text is no baseline @param path it was read from */
export function parseBaseline(text: string, path: string): Baseline {
  let found: Partial<Baseline> | undefined;
  try {
    found = JSON.parse(text);
  } catch {
    // Told below, like anything else that is no baseline.
  }
  const good = ({ name, reference, copy }: Partial<Ratios>): boolean =>
    name !== undefined && [reference, copy].every(ratio => ratio !== undefined && ratio.median > 0);
  if (found?.benchmark === 'check' && Array.isArray(found.cases) && found.cases.every(good)) {
    return found as Baseline;
  }
  throw new InputError(
    `${path} must be a baseline of the regression gate, and is not: restore it, or write it anew with ` +
      'npm run bench:check -- --accept.',
  );
}

/**
 * failed: both ratios lost. moved: one did, so that what it is divided by has moved rather than the case.
 * faster: both gained as much, which the baseline should hold on to. new: the baseline does not have it.
 */
export type Verdict = 'ok' | 'failed' | 'moved' | 'faster' | 'new';

export interface Judgement {
  now: Ratios;
  verdict: Verdict;
  /** Now over the baseline: above 1 is slower. Absent where there is nothing to compare with. */
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
  // Not "> MOST_LOST": what is no number has lost.
  const lost = both.filter(factor => !(factor <= MOST_LOST)).length;
  const gained = both.every(factor => factor < 1 / MOST_LOST);
  return { now, change, verdict: lost === 2 ? 'failed' : lost === 1 ? 'moved' : gained ? 'faster' : 'ok' };
}

/** `+12 %`, `-3 %` */
export const changeOf = (factor: number): string => {
  const percent = Math.round(100 * (factor - 1));
  return `${percent > 0 ? '+' : ''}${percent} %`;
};

/** Rows of the table, the first one its head. @param judged false: only what was measured */
export function rowsOf(judgements: readonly Judgement[], judged = true): string[][] {
  const rows = [
    ['a pass of', 'ms', '× reference', '× copy', 'change', 'change', ''],
    ...judgements.map(({ now, verdict, change }) => [
      now.how ? `${now.name} (${now.how})` : now.name,
      figure(now.ms),
      figure(now.reference.median),
      figure(now.copy.median),
      change ? changeOf(change.reference) : '–',
      change ? changeOf(change.copy) : '–',
      verdict === 'failed' ? 'FAILED' : verdict,
    ]),
  ];
  return judged
    ? rows.map(([name, ms, r, c, dr, dc, is]) => [name, ms, r, dr, c, dc, is])
    : rows.map(row => row.slice(0, 4));
}

/** Lines below the table: one for each case with something to say, and for each that only the baseline has. */
export function remarksOf(judgements: readonly Judgement[], missing: readonly string[]): string[] {
  const told: Record<Verdict, (name: string, by: string) => string[]> = {
    ok: () => [],
    failed: (name, by) => [`FAILED: ${name} is slower than the baseline: ${by}.`],
    moved: (name, by) => [`warning: ${name}: ${by}. One alone: what it is divided by has moved.`],
    faster: (name, by) => [`faster: ${name}: ${by}. Hold on to it with --accept.`],
    new: name => [`new: ${name} is not in the baseline. Add it with --accept.`],
  };
  return [
    ...judgements.flatMap(({ now, verdict, change }) =>
      told[verdict](
        now.name,
        change
          ? `${changeOf(change.reference)} against the reference, ${changeOf(change.copy)} against a copy`
          : '',
      ),
    ),
    ...missing.map(name => `gone: ${name} is in the baseline only. Drop it with --accept.`),
  ];
}
