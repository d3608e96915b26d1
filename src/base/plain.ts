/** A JSON object with any contents. */
export type Plain = Record<string, unknown>;

/** Whether a value is an object and not an array. */
export const isPlain = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
