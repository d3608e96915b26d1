/**
 * To be called before uPlot loads, which at once formats numbers by navigator.language. Chromium under a POSIX
 * locale (LANG=C, usual in containers) says "en-US@posix" there, which no formatter accepts.
 */
export function mendLocale(): void {
  try {
    new Intl.NumberFormat(navigator.language).format(0);
  } catch {
    Object.defineProperty(navigator, 'language', { value: 'en-US' });
  }
}
