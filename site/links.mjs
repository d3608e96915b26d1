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

/** Links inside a folder of pages that lead nowhere, each as `page.html → target`. */
export function deadLinks(folder) {
  const dead = new Set();
  for (const page of readdirSync(folder, { recursive: true })) {
    if (extname(page) !== '.html') continue;
    for (const [, link] of readFileSync(join(folder, page), 'utf8').matchAll(LINK)) {
      if (/^\w+:/.test(link)) continue;
      const [path, anchor] = link.split('#');
      let target = path === '' ? join(folder, page) : join(folder, dirname(page), path.split('?')[0]);
      if (existsSync(target) && statSync(target).isDirectory()) target = join(target, 'index.html');
      const leads =
        existsSync(target) &&
        (!anchor || extname(target) !== '.html' || hasAnchor(target, decodeURI(anchor)));
      if (!leads) dead.add(`${page} → ${link}`);
    }
  }
  return [...dead];
}
