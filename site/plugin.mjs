import { readFileSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { Converter, KindRouter, PageEvent, ReflectionKind } from 'typedoc';

/** Documents are called by their first heading, and lie at the root of the site, named as their files are. */
export function load(app) {
  const files = new Map();

  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context, document) => {
    const file = document.project.files.getReflectionPath(document);
    files.set(document, file);
    const heading = /^# (.+)$/m.exec(readFileSync(file, 'utf8'));
    if (!heading) throw new Error(`${file} must begin with a heading: it names the page.`);
    document.name = heading[1].replaceAll('`', '');
    // TypeDoc would take code without a language for TypeScript: it is output, a formula or a picture in letters.
    for (const part of document.content)
      if (part.kind === 'code') part.text = part.text.replace(/^```(?=\n)/, '```text');
  });

  class Router extends KindRouter {
    getIdealBaseName(reflection) {
      if (!reflection.kindOf(ReflectionKind.Document)) return `api/${super.getIdealBaseName(reflection)}`;
      const file = files.get(reflection);
      const name = basename(file, extname(file)).toLowerCase();
      return name === 'readme' ? basename(new URL('.', `file://${file}`).pathname) : name;
    }
  }
  app.renderer.defineRouter('pushdown', Router);

  // Links to what lies beside the documentation.
  app.renderer.on(PageEvent.END, page => {
    const up = '../'.repeat(page.url.split('/').length);
    page.contents = page.contents.replaceAll('"site:/', `"${up}`);
  });
}
