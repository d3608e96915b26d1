/**
 * Fixes navigator.language. Call this before uPlot loads, because uPlot uses it at once to format numbers. Under a
 * POSIX locale (LANG=C, usual in containers) Chromium reports "en-US@posix", which every formatter rejects.
 */
export function fixLocale(): void {
  try {
    new Intl.NumberFormat(navigator.language).format(0);
  } catch {
    Object.defineProperty(navigator, 'language', { value: 'en-US' });
  }
}
