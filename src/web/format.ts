/** Number formats of the page; `–` if there is no number. */

export function significant(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return '–';
  return value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential(1) : value.toPrecision(digits);
}

export const percent = (share: number): string =>
  Number.isFinite(share) ? `${(100 * share).toFixed(share < 1 && share > 0.999 ? 2 : 1)} %` : '–';

export const count = (value: number): string =>
  Number.isFinite(value) ? Math.round(value).toLocaleString('en') : '–';

/** seconds → `8 s`, `2 min 5 s`, `1 h 3 min` */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  const minutes = Math.floor(s / 60);
  if (minutes < 60) return `${minutes} min ${s % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `172 B`, `1.2 MiB` */
export function bytes(value: number): string {
  const power = Math.max(0, Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, value)) / 10)));
  const scaled = value / 2 ** (10 * power);
  return `${power === 0 || scaled >= 100 ? Math.round(scaled) : scaled.toPrecision(2)} ${UNITS[power]}`;
}
