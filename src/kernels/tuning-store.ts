/**
 * Stores an adapter's measurements across runs. If they are lost, the next model takes about a second to measure again.
 */
export interface TuningStore {
  get(key: string): string | undefined;
  set(key: string, value: string): void;
}
