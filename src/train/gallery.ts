import { InputError, show, suggest } from '../base/errors.ts';

/** The description of a trained model that comes with pushdown. */
export interface Card {
  /** The file is <name>.safetensors. */
  name: string;
  title: string;
  /** What the model shows, in a sentence or two. */
  text: string;
  /** The command that trained it. */
  command: string;
  parameters: number;
  steps: number;
  /** Source lengths in training, in symbols. */
  trained: [shortest: number, longest: number];
  /** Coarse accuracy at each length: the share of answers in which every symbol is correct. */
  accuracy: { length: number; coarse: number }[];
  /** The accuracy was measured on this many sequences per length, drawn with this seed. */
  sequences: number;
  seed: number;
  /** Size of the weights file. */
  bytes: number;
}

/** Prefix of a gallery model's name wherever a checkpoint can be given: `gallery/reverse-stack`. */
export const GALLERY = 'gallery/';

/** The card of a model. @throws InputError if there is no such model */
export function cardNamed<C extends Pick<Card, 'name'>>(cards: readonly C[], name: string): C {
  const found = cards.find(card => card.name === name);
  if (found) return found;
  const names = cards.map(card => card.name);
  throw new InputError(`the gallery has no model ${show(name)}.${suggest(name, names)}`);
}
