import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Card, cardNamed, GALLERY } from '../../train/gallery.ts';
import { read } from './read.ts';

/** The trained models that come with the package. */

const CARDS = 'cards.json';
/** Maximum size of cards.json. */
const MAX_BYTES = 2 ** 24;

/** The gallery's folder: in the source tree, or in the installed package. */
function folder(): string {
  let at = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(at, GALLERY, CARDS)) && dirname(at) !== at) at = dirname(at);
  return join(at, GALLERY);
}

/** The cards of all models in the gallery. @throws InputError if the package was installed without the gallery */
export async function cards(): Promise<Card[]> {
  const bytes = await read(join(folder(), CARDS), 'gallery', MAX_BYTES);
  return JSON.parse(new TextDecoder().decode(bytes)) as Card[];
}

/** The file of a model such as `gallery/reverse-stack`. @throws InputError if there is no such model */
export async function galleryFile(path: string): Promise<string> {
  const { name } = cardNamed(await cards(), path.slice(GALLERY.length).replace(/\.safetensors$/, ''));
  return join(folder(), `${name}.safetensors`);
}
