// The package names no entry point, so it is imported by its file.
declare module 'wgsl-preprocessor/wgsl-preprocessor.js' {
  /** Tag for WGSL with #if ${x} / #elif ${x} / #else / #endif; other values are inserted as text. */
  export function wgsl(strings: TemplateStringsArray, ...values: unknown[]): string;
}
