import { round } from './svg.ts';

/** Maps values to positions in the picture, and holds the ticks of the axis. */
export interface Scale {
  at(value: number): number;
  ticks: { at: number; text: string }[];
}

/** Makes the scale of an axis between two positions, in px. The range of values is fixed. */
export type MakeScale = (from: number, to: number) => Scale;

function scaleOf(
  at: (value: number) => number,
  ticks: readonly number[],
  format: (tick: number) => string,
): Scale {
  return { at, ticks: ticks.map(tick => ({ at: round(at(tick)), text: format(tick) })) };
}

/** Linear scale over [low, high] with the given ticks. */
export const linear =
  (
    low: number,
    high: number,
    ticks: readonly number[],
    format: (tick: number) => string = String,
  ): MakeScale =>
  (from, to) =>
    scaleOf(value => from + ((value - low) / (high - low)) * (to - from), ticks, format);

function logarithmic(low: number, high: number, ticks: readonly number[], format: (tick: number) => string) {
  const [logLow, logHigh] = [Math.log10(low), Math.log10(high)];
  return (from: number, to: number): Scale =>
    scaleOf(
      value => from + ((Math.log10(Math.max(value, low)) - logLow) / (logHigh - logLow)) * (to - from),
      ticks,
      format,
    );
}

/**
 * Log scale from the power of ten at or below the values to the one at or above. Zeros are drawn at the lowest power.
 */
export function decades(values: readonly number[]): MakeScale {
  const [logLow, logHigh] = extentOf(values).map(Math.log10);
  const low = Math.floor(logLow + 1e-9);
  const high = Math.max(Math.ceil(logHigh - 1e-9), low + 1);
  const powers = Array.from({ length: high - low + 1 }, (_, k) => 10 ** (low + k));
  return logarithmic(10 ** low, 10 ** high, powers, short);
}

/** Log scale with ticks at the values themselves. */
export function logAt(values: readonly number[]): MakeScale {
  const [low, high] = extentOf(values);
  return logarithmic(low, Math.max(high, low * 1.25), [...new Set(values)], String);
}

function extentOf(values: readonly number[]): [low: number, high: number] {
  const known = values.filter(value => value > 0);
  return known.length ? [Math.min(...known), Math.max(...known)] : [1, 10];
}

/** At most ten round whole numbers in [low, high], equally spaced by 1, 2 or 5 times a power of ten. */
export function roundTicks(low: number, high: number): number[] {
  const rough = Math.max(1, (high - low) / 9);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(n => n * power).find(n => n >= rough)!;
  const first = Math.ceil(low / step) * step;
  return Array.from({ length: Math.floor((high - first) / step) + 1 }, (_, i) => first + i * step);
}

/** Three significant digits at most; one digit and an exponent (`2e+6`, `5e-4`) from 1e6 on and below 1e-3. */
export const short = (value: number): string =>
  value >= 1e6 || value < 1e-3 ? value.toExponential(0) : String(Number(value.toPrecision(3)));
