/**
 * Formats WGSL for people. Kernels are assembled from templates, which leaves inconsistent indentation, empty
 * lines, and several statements per line. The formatter changes only white space.
 * We know of no npm package that formats WGSL.
 */

const WIDTH = 110;

/** A comment line, a statement or declaration with its `;` or `,`, or a block with the code before and after it. */
type Item =
  | { is: 'comment' | 'text'; text: string }
  | { is: 'block'; head: string; body: Item[]; tail: string };

/**
 * Formats WGSL without block comments: two spaces per level, one statement per line, an empty line between functions.
 */
export function formatWgsl(code: string): string {
  return `${print(parse(code), 0).join('\n')}\n`;
}

/** Splits code into items at each `;`, `{` and `}` outside parentheses. */
function parse(code: string): Item[] {
  const stack: { head: string; body: Item[] }[] = [{ head: '', body: [] }];
  let text = '';
  let parentheses = 0;
  const flush = (end = ''): void => {
    const statement = `${squeeze(text)}${end}`;
    if (statement) stack[stack.length - 1].body.push({ is: 'text', text: statement });
    text = '';
  };
  for (let i = 0; i < code.length; i++) {
    const char = code[i];
    if (char === '/' && code[i + 1] === '/') {
      const lineEnd = code.indexOf('\n', i);
      const end = lineEnd < 0 ? code.length : lineEnd;
      // A comment inside a statement moves before it, because nothing may follow it on its line.
      stack[stack.length - 1].body.push({ is: 'comment', text: code.slice(i, end).trimEnd() });
      i = end - 1;
      continue;
    }
    if (char === '(') parentheses++;
    if (char === ')') parentheses--;
    if (parentheses > 0 || !'{};'.includes(char)) {
      text += char;
    } else if (char === ';') {
      flush(';');
    } else if (char === '{') {
      stack.push({ head: squeeze(text), body: [] });
      text = '';
    } else {
      flush();
      const { head, body } = stack.pop()!;
      // Older WGSL ends a struct with `};`.
      const tail = /^\s*;/.exec(code.slice(i + 1))?.[0] ?? '';
      i += tail.length;
      stack[stack.length - 1].body.push({ is: 'block', head, body, tail: tail.trim() });
    }
  }
  flush();
  return stack[0].body;
}

/** Joins text into one line with single spaces, and without spaces directly inside parentheses. */
const squeeze = (text: string): string =>
  text
    .replace(/\s+/g, ' ')
    .replace(/([([]) /g, '$1')
    .replace(/ ([)\]])/g, '$1')
    .trim();

const INDENT = '  ';

type Block = Extract<Item, { is: 'block' }>;

function print(items: readonly Item[], level: number): string[] {
  const lines: string[] = [];
  let before: { item: Item; lines: number } | undefined;
  for (let k = 0; k < items.length; k++) {
    const item = items[k];
    const chain = chainAt(items, k);
    if (chain.length > 1) k += chain.length - 1;
    const printed = item.is === 'block' ? blocks(chain, level) : single(item, level);
    if (level === 0 && before && needsEmptyLine(before, { item, lines: printed.length })) lines.push('');
    lines.push(...printed);
    before = { item, lines: printed.length };
  }
  return lines;
}

/** The block that starts here, with all its `else` branches. */
function chainAt(items: readonly Item[], k: number): Block[] {
  const chain: Block[] = [];
  for (let item = items[k]; item?.is === 'block'; item = items[k + chain.length]) {
    if (chain.length > 0 && !/^else\b/.test(item.head)) break;
    chain.push(item);
  }
  return chain;
}

/** Whether an empty line separates two neighbours outside functions. One-line declarations stay together. */
function needsEmptyLine(before: { item: Item; lines: number }, now: { item: Item; lines: number }): boolean {
  if (before.item.is === 'comment') return false;
  if (now.item.is === 'comment' || before.item.is !== now.item.is) return true;
  return now.item.is === 'block' && (before.lines > 1 || now.lines > 1);
}

const single = ({ is, text }: Exclude<Item, Block>, level: number): string[] =>
  is === 'comment' ? [`${INDENT.repeat(level)}${text}`] : broken(text, level);

/** A block, or `if … else …`: on one line if all of it is short; otherwise each branch has its own lines. */
function blocks(chain: readonly Block[], level: number): string[] {
  const indent = INDENT.repeat(level);
  const line = `${indent}${chain.map(short).join(' ')}`;
  if (chain.every(isShort) && line.length <= WIDTH) return [line];
  const lines: string[] = [];
  for (const { head, body, tail } of chain) {
    const [only] = body;
    const opening = broken(head ? `${head} {` : '{', level);
    if (lines.length > 0) opening[0] = `${lines.pop()} ${opening[0].trimStart()}`;
    const fields = head.startsWith('struct') && body.length === 1 && only.is === 'text';
    const inner = fields ? filled(only.text, level + 1) : print(body, level + 1);
    lines.push(...opening, ...inner, `${indent}}${tail}`);
  }
  return lines;
}

const isShort = ({ body }: Block): boolean =>
  body.length === 0 || (body.length === 1 && body[0].is === 'text');

const short = ({ head, body: [only], tail }: Block): string =>
  `${head}${head && ' '}{ ${only?.is === 'text' ? `${only.text} ` : ''}}${tail}`;

/** The fields of a struct, as many per line as fit. */
function filled(text: string, level: number): string[] {
  const indent = INDENT.repeat(level);
  const lines: string[] = [];
  let line = indent;
  for (const field of parts(text)) {
    if (line !== indent && line.length + 1 + field.length > WIDTH) {
      lines.push(line);
      line = indent;
    }
    line += `${line === indent ? '' : ' '}${field}`;
  }
  return [...lines, line];
}

/**
 * A statement or the head of a block. A function's attributes
 * get their own line, and so do the arguments of a long line.
 */
function broken(text: string, level: number): string[] {
  const indent = INDENT.repeat(level);
  const [, attributes, rest] = /^((?:@\w+(?:\([^)]*\))? )+)(fn .*)$/.exec(text) ?? ['', '', text];
  const first = attributes ? [`${indent}${attributes.trim()}`] : [];
  if (indent.length + rest.length <= WIDTH) return [...first, `${indent}${rest}`];
  const at = widest(rest);
  const inner = at ? parts(rest.slice(at.from + 1, at.to)) : [];
  if (!at || inner.length < 2) return [...first, `${indent}${rest}`];
  return [
    ...first,
    `${indent}${rest.slice(0, at.from + 1)}`,
    ...inner.flatMap(part => broken(part, level + 1)),
    ...broken(rest.slice(at.to), level),
  ];
}

/** The longest pair of parentheses that is not inside another. */
function widest(text: string): { from: number; to: number } | undefined {
  let depth = 0;
  let open = 0;
  let best: { from: number; to: number } | undefined;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '(' && depth++ === 0) open = i;
    if (text[i] === ')' && --depth === 0 && (!best || i - open > best.to - best.from))
      best = { from: open, to: i };
  }
  return best;
}

/** Splits at commas and keeps each comma. Commas within brackets do not count, nor those of types, `array<f32, 8>`. */
function parts(text: string): string[] {
  const all: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    if ('(['.includes(text[i]) || (text[i] === '<' && /\w/.test(text[i - 1]))) depth++;
    if (')]'.includes(text[i]) || (text[i] === '>' && /[\w>]/.test(text[i - 1]))) depth--;
    if (text[i] !== ',' || depth !== 0) continue;
    all.push(text.slice(from, i + 1).trim());
    from = i + 1;
  }
  const last = text.slice(from).trim();
  return last ? [...all, last] : all;
}
