// Compiles src/simd/assembly to src/simd/wasm.ts: node src/simd/build.mjs [file]. A test checks that they match.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const here = fileURLToPath(new URL('.', import.meta.url));

/** Returns the text of wasm.ts. */
export async function compileAssembly() {
  const outputs = {};
  const { error, stderr } = await asc.main(
    ['assembly/index.ts', '--baseDir', here, '--outFile', 'out.wasm', '--bindings', 'raw'].concat(
      ['--enable', 'simd', '--runtime', 'stub', '--use', 'abort=', '-O3', '--converge', '--noAssert'],
      ['--importMemory', '--initialMemory', '1', '--maximumMemory', '65536'],
    ),
    {
      readFile: (name, base) => {
        try {
          return readFileSync(join(base, name), 'utf8');
        } catch {
          return null;
        }
      },
      writeFile: (name, contents) => {
        outputs[name] = contents;
      },
    },
  );
  if (error) throw new Error(`${error.message}\n${stderr}`);
  const functions = [...outputs['out.d.ts'].matchAll(/export function (\w+\(.*\): \w+;)/g)];
  const bytes = outputs['out.wasm'];
  const text = Buffer.from(bytes).toString('base64');
  return `/** Made by src/simd/build.mjs from src/simd/assembly: its functions, and ${bytes.length} bytes of WebAssembly in base64. */
export interface Kernels {
${functions.map(([, line]) => `  ${line}\n`).join('')}}

export const WASM =
  '${text}';
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(process.argv[2] ?? join(here, 'wasm.ts'), await compileAssembly());
}
