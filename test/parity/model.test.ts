import { MODEL_VARIANTS } from '../support/engines.ts';
import { compareModels } from '../support/model-suite.ts';

/** Compares models of every engine, in all forms, with the reference. The stepwise plan has its own file. */
compareModels(MODEL_VARIANTS.filter(({ gpu }) => gpu?.plan !== 'stepwise'));
