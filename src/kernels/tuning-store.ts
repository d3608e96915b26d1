/** Keeps an adapter's measurements across runs. Losing them costs a second of measuring. */
export interface TuningStore {
  get(key: string): string | undefined;
  set(key: string, value: string): void;
}
