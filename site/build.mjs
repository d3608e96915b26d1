// Builds the documentation site, dist-page/docs: docs/*.md, and the API from the declarations of the built package.
// The first build installs TypeDoc in this folder. It is not a dependency of the project because it needs TypeScript 6,
// while the project uses 7, and because `npm ci` of the project would become larger.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deadLinks } from './links.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const site = fileURLToPath(new URL('../dist-page/', import.meta.url));
const out = join(site, 'docs');

function fail(message) {
  console.error(message);
  process.exit(1);
}

function run(command, ...args) {
  const { status, error } = spawnSync(command, args, {
    cwd: here,
    stdio: 'inherit',
    shell: command === 'npm',
  });
  if (status !== 0)
    fail(`site/: ${[command, ...args].join(' ')} failed${error ? `: ${error.message}` : '.'}`);
}

/** The packages of a lock file and their versions, as text; '' if the file does not exist. */
function packagesOf(name) {
  const file = join(here, name);
  if (!existsSync(file)) return '';
  const { packages } = JSON.parse(readFileSync(file, 'utf8'));
  const entries = Object.entries(packages).filter(([path]) => path !== '');
  return JSON.stringify(entries.map(([path, { version }]) => [path, version]));
}

if (!existsSync(join(here, '../dist/src/index.d.ts')))
  run('npm', 'run', '-s', '--prefix', '..', 'build:package');
if (packagesOf('node_modules/.package-lock.json') !== packagesOf('package-lock.json'))
  run('npm', 'ci', '--no-audit', '--no-fund', '--ignore-scripts');

rmSync(out, { recursive: true, force: true });
run(
  process.execPath,
  'node_modules/typedoc/bin/typedoc',
  '--options',
  'typedoc.config.mjs',
  '--logLevel',
  'Warn',
);

/** Sources and tables that documents link to. Most hosts serve them as downloads. With `.txt`, browsers show them. */
const media = join(out, 'media');
const sources = existsSync(media)
  ? readdirSync(media).filter(name => ['.ts', '.js', '.md', '.json'].includes(extname(name)))
  : [];
for (const name of sources) renameSync(join(media, name), join(media, `${name}.txt`));

for (const page of readdirSync(out, { recursive: true })) {
  if (extname(page) !== '.html') continue;
  const text = readFileSync(join(out, page), 'utf8');
  const shown = sources.reduce((all, name) => all.replaceAll(`media/${name}"`, `media/${name}.txt"`), text);
  // Folders of the repository are not part of the site: links to them become plain text.
  const updated = shown.replace(/<a href="(?!\w+:)([^"#]+)[^"]*">(.*?)<\/a>/g, (link, path, label) =>
    existsSync(join(out, dirname(page), path)) ? link : label,
  );
  if (updated !== text) writeFileSync(join(out, page), updated);
}

// Links to the page and its benchmarks are not checked: `npm run build:page` makes their targets.
const dead = deadLinks(out).filter(link => !/ → (\.\.\/)+(bench\/)?$/.test(link));
if (dead.length > 0) fail(`site/: dead links in the documentation:\n${dead.join('\n')}`);
