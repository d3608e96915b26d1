/**
 * Repairs navigator.language. Call it before uPlot loads, because uPlot formats numbers with it at once. Under a POSIX
 * locale (LANG=C, usual in containers) Chromium reports "en-US@posix", which every formatter rejects.
 */
export function mendLocale(): void {
  try {
    new Intl.NumberFormat(navigator.language).format(0);
  } catch {
    Object.defineProperty(navigator, 'language', { value: 'en-US' });
  }
}
