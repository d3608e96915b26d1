/**
 * The plans that a user can choose; `auto` selects one by device and model. They are in a separate file, so that an
 * import of the names loads no kernels.
 */
export const PLANS = ['auto', 'fused', 'stepwise'] as const;
export type PlanName = (typeof PLANS)[number];
