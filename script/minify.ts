// Minifies a bundle in place, chunks included, which ncc does not minify, and without what nobody uses.
// Usage: node script/minify.ts FOLDER
import { Buffer } from 'node:buffer';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { minifySync, parseSync } from '@swc/core';

type Node = Readonly<Record<string, unknown>>;
type Span = Readonly<{ start: number; end: number }>;

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null;
const isSpan = (value: unknown): value is Span => isNode(value) && 'start' in value && 'end' in value;
const typeOf = (value: unknown): unknown => (isNode(value) ? value['type'] : undefined);

/** Where the functions are that webpack made of modules: as values of numbers, and not one in another. */
function moduleSpans(node: unknown): Span[] {
  if (!isNode(node)) return [];
  const { value } = node;
  const isModule = typeOf(node['key']) === 'NumericLiteral' && typeOf(value) === 'ArrowFunctionExpression';
  if (isModule && isNode(value) && isSpan(value['span'])) return [value['span']];
  return Object.values(node).flatMap(moduleSpans);
}

/**
 * Puts the functions of modules into parentheses, as webpack had them before they were minified: V8 takes them as a
 * sign that a function is called at once, and compiles it as it reads it, in place of reading it twice.
 */
function inParentheses(code: string): Buffer {
  const bytes = Buffer.from(code);
  const program = parseSync(code, { syntax: 'ecmascript', target: 'es2024', isModule: true });
  const parts: Uint8Array[] = [];
  let at = program.span.start;
  const takeTo = (offset: number): void => {
    parts.push(bytes.subarray(at - program.span.start, offset - program.span.start));
    at = offset;
  };
  for (const { start, end } of moduleSpans(program.body)) {
    takeTo(start);
    parts.push(Buffer.from('('));
    takeTo(end);
    parts.push(Buffer.from(')'));
  }
  takeTo(program.span.start + bytes.length);
  return Buffer.concat(parts);
}

const [folder = ''] = process.argv.slice(2);
for (const name of readdirSync(folder).filter((file) => file.endsWith('.js'))) {
  const file = path.join(folder, name);
  const { code } = minifySync(readFileSync(file, 'utf8'), {
    module: true,
    // Errors are known by the names of their classes.
    compress: { keep_classnames: true, passes: 2 },
    mangle: { keep_classnames: true },
    format: { comments: false },
  });
  writeFileSync(file, inParentheses(code));
}
