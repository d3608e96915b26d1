/**
 * Stores what was measured as fastest on one adapter (src/kernels/autotune.ts), across runs. If it is lost, the next
 * model takes about a second to measure again.
 */
export interface TuningStore {
  get(key: string): string | undefined;
  set(key: string, value: string): void;
}
