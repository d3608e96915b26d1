import { InputError, show, suggest } from '../base/errors.ts';

/** A trained model that comes with pushdown: a file of its weights, and what is known of it. */
export interface Card {
  /** The file is <name>.safetensors. */
  name: string;
  title: string;
  /** What to see in it, a sentence or two. */
  text: string;
  /** What trained it. */
  command: string;
  parameters: number;
  steps: number;
  /** Lengths of sources that it was trained on. */
  trained: [shortest: number, longest: number];
  /** Share of wholly right answers at each length. */
  accuracy: { length: number; coarse: number }[];
  /** What that was measured on: sequences at each length, drawn by this seed. */
  sequences: number;
  seed: number;
  /** Of the file. */
  bytes: number;
}

/** How a model of the gallery is asked for where a checkpoint is: `gallery/reverse-stack`. */
export const GALLERY = 'gallery/';

/** @throws InputError where there is no such model */
export function cardNamed<C extends Pick<Card, 'name'>>(cards: readonly C[], name: string): C {
  const found = cards.find(card => card.name === name);
  if (found) return found;
  const names = cards.map(card => card.name);
  throw new InputError(`the gallery has no ${show(name)}.${suggest(name, names)}`);
}
