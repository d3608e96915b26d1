/** How the kernels may lay out a model, as may be asked for; `auto` chooses. In a file of its own: it loads no kernel. */
export const PLANS = ['auto', 'fused', 'stepwise'] as const;
export type PlanName = (typeof PLANS)[number];
