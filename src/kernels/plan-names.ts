/**
 * The plans a user may ask for; `auto` picks one by device and model. They have a file of their own so that importing
 * the names loads no kernel.
 */
export const PLANS = ['auto', 'fused', 'stepwise'] as const;
export type PlanName = (typeof PLANS)[number];
