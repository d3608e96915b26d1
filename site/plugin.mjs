import { readFileSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { Converter, KindRouter, PageEvent, ReflectionKind } from 'typedoc';

/**
 * The title of a document is its first heading. Its page is in the top folder of the documentation and has the name of
 * its file (a README's page: the name of its folder).
 */
export function load(app) {
  const files = new Map();

  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context, document) => {
    const file = document.project.files.getReflectionPath(document);
    files.set(document, file);
    const heading = /^# (.+)$/m.exec(readFileSync(file, 'utf8'));
    if (!heading) throw new Error(`${file} has no heading "# …": add one, it is the title of the page.`);
    document.name = heading[1].replaceAll('`', '');
    // Code without a language is output, a formula or a diagram in text. TypeDoc would highlight it as TypeScript.
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

  // `site:/…` is a path from the root of the site, dist-page/, for links to pages outside docs/.
  app.renderer.on(PageEvent.END, page => {
    const up = '../'.repeat(page.url.split('/').length);
    page.contents = page.contents.replaceAll('"site:/', `"${up}`);
  });
}
