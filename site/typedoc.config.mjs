import { readdirSync, readFileSync } from 'node:fs';

const docs = new URL('../docs/', import.meta.url);
const isDocument = name => name.endsWith('.md') && name !== 'README.md';

/** The files of docs/ in the order in which docs/README.md links to them. */
const linked = [...readFileSync(new URL('README.md', docs), 'utf8').matchAll(/\]\(([\w-]+\.md)\)/g)];
const order = linked.map(([, name]) => name);
const place = name => (order.includes(name) ? order.indexOf(name) : order.length);
const documents = readdirSync(docs)
  .filter(isDocument)
  .toSorted((a, b) => place(a) - place(b));

export default {
  name: 'pushdown',
  // The declarations of the built package: users see these, and the TypeScript version of TypeDoc can read them.
  entryPoints: ['index', 'node', 'browser'].map(name => `../dist/src/${name}.d.ts`),
  tsconfig: 'tsconfig.json',
  basePath: '..',
  readme: '../docs/README.md',
  projectDocuments: [
    ...documents.map(name => `../docs/${name}`),
    '../bench/README.md',
    '../CONTRIBUTING.md',
    '../CHANGELOG.md',
  ],
  out: '../dist-page/docs',
  plugin: ['./plugin.mjs'],
  router: 'pushdown',
  customCss: 'site.css',
  favicon: 'favicon.svg',
  navigationLinks: { 'Train one in this tab': 'site:/', Benchmarks: 'site:/bench/' },
  navigation: { excludeReferences: true },
  sort: ['documents-first', 'kind', 'source-order'],
  sortEntryPoints: false,
  groupOrder: ['Documents', 'Modules', 'Functions', 'Classes', 'Interfaces', '*'],
  searchInComments: true,
  searchInDocuments: true,
  highlightLanguages: [
    'typescript',
    'javascript',
    'html',
    'python',
    'shellscript',
    'shellsession',
    'json',
    'yaml',
    'wgsl',
    'text',
  ],
  visibilityFilters: {},
  hideGenerator: true,
  githubPages: false,
  disableSources: true,
  // Public types refer to these, but no program needs their names.
  intentionallyNotExported: [
    'Buffer',
    'ConcreteName',
    'CurriculumState',
    'DescribedAdapter',
    'FieldKind',
    'PatienceState',
    'PLANS',
    'Spawn',
    'Sums',
    'TASK_NAMES',
    'Value',
  ],
  treatWarningsAsErrors: true,
  // Links between files: test/unit/docs.test.ts checks them in the repository, build.mjs on the site.
  validation: { invalidPath: false },
};
