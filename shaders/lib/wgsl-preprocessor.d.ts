// The package declares no entry point, so its file is imported.
declare module 'wgsl-preprocessor/wgsl-preprocessor.js' {
  /** Tag for WGSL with #if ${x} / #elif ${x} / #else / #endif; other values are inserted as text. */
  export function wgsl(strings: TemplateStringsArray, ...values: unknown[]): string;
}
