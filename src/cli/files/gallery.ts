import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Card, cardNamed, GALLERY } from '../../train/gallery.ts';
import { read } from './read.ts';

/** The trained models that come with the package. */

const CARDS = 'cards.json';
const MOST = 2 ** 24;

/** Beside the sources, or beside what is built from them. */
function folder(): string {
  let at = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(at, GALLERY, CARDS)) && dirname(at) !== at) at = dirname(at);
  return join(at, GALLERY);
}

/** @throws InputError where the package was installed without them */
export async function cards(): Promise<Card[]> {
  const bytes = await read(join(folder(), CARDS), 'gallery', MOST);
  return JSON.parse(new TextDecoder().decode(bytes)) as Card[];
}

/** The file of `gallery/reverse-stack`. @throws InputError where there is no such model */
export async function galleryFile(path: string): Promise<string> {
  const { name } = cardNamed(await cards(), path.slice(GALLERY.length).replace(/\.safetensors$/, ''));
  return join(folder(), `${name}.safetensors`);
}
