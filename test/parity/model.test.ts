import { MODEL_PROFILES } from '../support/engines.ts';
import { compareModels } from '../support/model-suite.ts';

/** Models of every engine, in all its forms, against the reference; the stepwise plan in a file of its own. */
compareModels(MODEL_PROFILES.filter(({ gpu }) => gpu?.plan !== 'stepwise'));
