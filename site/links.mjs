import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';

const LINK = /\b(?:href|src)="([^"]+)"/g;
const anchors = new Map();

/** Whether a page has an element with this id. */
function hasAnchor(page, id) {
  if (!anchors.has(page)) {
    const ids = [...readFileSync(page, 'utf8').matchAll(/\bid="([^"]+)"/g)].map(([, found]) => found);
    anchors.set(page, new Set(ids));
  }
  return anchors.get(page).has(id);
}

/** The dead links within a folder of HTML pages, each as `page.html → target`. Links to other sites are not checked. */
export function deadLinks(folder) {
  const dead = new Set();
  for (const page of readdirSync(folder, { recursive: true })) {
    if (extname(page) !== '.html') continue;
    for (const [, link] of readFileSync(join(folder, page), 'utf8').matchAll(LINK)) {
      if (/^\w+:/.test(link)) continue;
      const [path, anchor] = link.split('#');
      let target = path === '' ? join(folder, page) : join(folder, dirname(page), path.split('?')[0]);
      if (existsSync(target) && statSync(target).isDirectory()) target = join(target, 'index.html');
      const resolves =
        existsSync(target) &&
        (!anchor || extname(target) !== '.html' || hasAnchor(target, decodeURI(anchor)));
      if (!resolves) dead.add(`${page} → ${link}`);
    }
  }
  return [...dead];
}
