import { type Config, makeConfig } from '../../base/config.ts';
import { InputError, messageOf, show } from '../../base/errors.ts';
import type { DataText } from '../protocol.ts';

/** The content of opened or dropped files, parsed as far as the page needs. */
export type OpenedFiles =
  /** `data`: the pairs that the checkpoint was trained on, if they were opened together with it. */
  | { kind: 'checkpoint'; name: string; bytes: Uint8Array; data?: DataText }
  | { kind: 'config'; config: Config }
  | { kind: 'data'; data: DataText };

type Kind = OpenedFiles['kind'];
const KINDS: readonly [RegExp, Kind][] = [
  [/\.safetensors$/i, 'checkpoint'],
  [/\.json$/i, 'config'],
  [/\.(tsv|txt|jsonl|ndjson)$/i, 'data'],
];

/** Maximum sizes in bytes. A larger file is not of this kind, or is too large for a tab. */
const MAX_BYTES: Record<Kind, number> = { checkpoint: 2 ** 30, config: 2 ** 22, data: 2 ** 26 };

/** Reads files. @throws InputError naming the file that cannot be used, with the reason */
export async function readFiles(files: readonly File[]): Promise<OpenedFiles> {
  const kinds = files.map(kindOf);
  const checkpoint = files[kinds.indexOf('checkpoint')];
  const data = files[kinds.indexOf('data')];
  const isPair = files.length === 2 && checkpoint && data;
  if (files.length === 0) throw new InputError('no file was given.');
  if (files.length > 1 && !isPair) {
    throw new InputError(
      `${files.length} files at once: open one file, or a checkpoint together with the pairs that it was trained on.`,
    );
  }
  for (const [i, { name, size }] of files.entries()) {
    if (size > MAX_BYTES[kinds[i]]) {
      throw new InputError(`${name} is too large: ${size} bytes, the limit is ${MAX_BYTES[kinds[i]]}.`);
    }
    if (size === 0) throw new InputError(`${name} is empty.`);
  }
  const [file] = files;
  if (checkpoint) {
    const bytes = new Uint8Array(await contentOf(checkpoint));
    return {
      kind: 'checkpoint',
      name: checkpoint.name,
      bytes,
      ...(data && { data: { file: data.name, text: await textOf(data) } }),
    };
  }
  if (kinds[0] === 'data') return { kind: 'data', data: { file: file.name, text: await textOf(file) } };
  return { kind: 'config', config: configIn(file.name, await textOf(file)) };
}

function kindOf({ name }: File): Kind {
  const found = KINDS.find(([pattern]) => pattern.test(name));
  if (found) return found[1];
  throw new InputError(
    `${show(name)} cannot be used here. Open a checkpoint (.safetensors), settings (.json), or pairs (.tsv, .txt, .jsonl, .ndjson).`,
  );
}

async function contentOf(file: File): Promise<ArrayBuffer> {
  try {
    return await file.arrayBuffer();
  } catch (error) {
    throw new InputError(`${file.name} cannot be read: ${messageOf(error)}.`);
  }
}

async function textOf(file: File): Promise<string> {
  const content = await contentOf(file);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    throw new InputError(`${file.name} must be UTF-8 text: convert it to UTF-8.`);
  }
}

function configIn(name: string, text: string): Config {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InputError(`${name} is not JSON: ${messageOf(error)}.`);
  }
  try {
    return makeConfig(value);
  } catch (error) {
    throw error instanceof InputError ? new InputError(`${name}: ${error.message}`) : error;
  }
}

/** Calls `take` with files that are dropped anywhere on the page or chosen in `input`. */
export function onFiles(input: HTMLInputElement, take: (files: File[]) => void): void {
  input.addEventListener('change', () => {
    if (input.files?.length) take([...input.files]);
    // Allows choosing the same file again.
    input.value = '';
  });
  const hasFiles = ({ dataTransfer }: DragEvent): boolean => dataTransfer?.types.includes('Files') ?? false;
  addEventListener('dragover', event => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    document.body.classList.add('dropping');
  });
  for (const end of ['dragleave', 'drop'] as const) {
    addEventListener(end, () => document.body.classList.remove('dropping'));
  }
  addEventListener('drop', event => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    take([...(event.dataTransfer?.files ?? [])]);
  });
}
