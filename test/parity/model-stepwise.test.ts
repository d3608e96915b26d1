import { MODEL_VARIANTS } from '../support/engines.ts';
import { compareModels } from '../support/model-suite.ts';

/** Compares models in the stepwise plan with the reference. */
compareModels(MODEL_VARIANTS.filter(({ gpu }) => gpu?.plan === 'stepwise'));
