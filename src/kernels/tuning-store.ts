/** Keeps what was measured on an adapter from one run to the next. Losing it costs a second. */
export interface TuningStore {
  get(key: string): string | undefined;
  set(key: string, value: string): void;
}
