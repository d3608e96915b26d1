// Compiles src/simd/assembly to src/simd/wasm.ts: node src/simd/build.mjs [file]. A test compares the two.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const here = fileURLToPath(new URL('.', import.meta.url));

/** The text of wasm.ts. */
export async function compileAssembly() {
  let bytes;
  const { error, stderr } = await asc.main(
    [
      'assembly/index.ts',
      '--baseDir',
      here,
      '--outFile',
      'out.wasm',
      '--enable',
      'simd',
      '--runtime',
      'stub',
    ].concat([
      '--use',
      'abort=',
      '-O3',
      '--converge',
      '--noAssert',
      '--importMemory',
      '--initialMemory',
      '1',
    ]),
    {
      readFile: (name, base) => {
        try {
          return readFileSync(join(base, name), 'utf8');
        } catch {
          return null;
        }
      },
      writeFile: (_name, contents) => {
        bytes = contents;
      },
    },
  );
  if (error) throw new Error(`${error.message}\n${stderr}`);
  const text = Buffer.from(bytes).toString('base64');
  return `/** src/simd/assembly as WebAssembly, ${bytes.length} bytes in base64: made by src/simd/build.mjs. */
export const WASM =
  '${text}';
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(process.argv[2] ?? join(here, 'wasm.ts'), await compileAssembly());
}
