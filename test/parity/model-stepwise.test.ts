import { MODEL_PROFILES } from '../support/engines.ts';
import { compareModels } from '../support/model-suite.ts';

/** Models in the stepwise plan against the reference. */
compareModels(MODEL_PROFILES.filter(({ gpu }) => gpu?.plan === 'stepwise'));
