import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseSync } from '@swc/core';
import { type Fields, fieldsOf } from '../src/shared/values.ts';
import { ROOT } from './markdown.ts';

/** The part of a file that is prose, that is, text for people. */
export type Part = 'all but code spans' | 'comments and strings' | 'comments and test names';

type Span = Readonly<{ start: number; end: number }>;

const TEST_FUNCTION = /^(?:test|describe|example|\w+Test)$/;

/** A node and all below it. */
function nodesBelow(value: unknown, found: Fields[] = []): Fields[] {
  if (typeof value !== 'object' || value === null) return found;
  if (!Array.isArray(value)) found.push(fieldsOf(value));
  for (const below of Object.values(value)) nodesBelow(below, found);
  return found;
}

/** The name of the function at the start of a callee such as `test.each([…])`. */
function calledName(callee: Fields): string {
  const inner = callee['object'] ?? callee['callee'] ?? callee['tag'];
  return inner === undefined ? String(callee['value']) : calledName(fieldsOf(inner));
}

const STRINGS: ReadonlySet<unknown> = new Set(['StringLiteral', 'TemplateElement']);

/** The strings below a node. */
const stringsIn = (value: unknown): Fields[] => nodesBelow(value).filter(({ type }) => STRINGS.has(type));

const testNames = (nodes: readonly Fields[]): Fields[] =>
  nodes
    .filter(
      ({ type, callee }) => type === 'CallExpression' && TEST_FUNCTION.test(calledName(fieldsOf(callee))),
    )
    .flatMap(({ arguments: given }) => stringsIn(Array.isArray(given) ? given[0] : undefined));

/** Replaces everything outside the spans with blanks, so that each line keeps its number. */
function only(bytes: Buffer, spans: readonly Span[]): Buffer {
  const kept = Buffer.from(bytes.map((byte) => (byte === 10 ? byte : 32)));
  for (const { start, end } of spans) bytes.copy(kept, start, start, end);
  return kept;
}

/** The comments of a program, with all its strings or only its test names. */
function codeProse(text: string, part: Part): string {
  // The parser starts a program after its first comments, so a statement is added in front.
  const bytes = Buffer.from(`;${text}`);
  const program = parseSync(bytes.toString(), { syntax: 'typescript', target: 'es2024' });
  const [first] = program.body;
  const offset = Number(fieldsOf(fieldsOf(first)['span'])['start']);
  const spanOf = (node: Fields): Span => {
    const { start, end } = fieldsOf(node['span']);
    return { start: Number(start) - offset, end: Number(end) - offset };
  };
  const nodes = nodesBelow(program.body);
  const literals = nodes.filter(({ type }) => STRINGS.has(type) || type === 'RegExpLiteral').map(spanOf);
  const code = Buffer.from(bytes);
  for (const { start, end } of literals) code.fill(32, start, end);
  const comments = [...code.toString('latin1').matchAll(/\/\/[^\n]*|\/\*[\s\S]*?\*\//g)].map(
    ({ index, 0: found }) => ({ start: index, end: index + found.length }),
  );
  const strings = part === 'comments and strings' ? stringsIn(program.body) : testNames(nodes);
  return only(bytes, [...comments, ...strings.map(spanOf)]).toString();
}

/** Markdown with its code spans replaced by blanks. Fenced blocks are kept because they have comments. */
const withoutCodeSpans = (text: string): string =>
  text.replace(/(?<!`)(`+)(?!`)[^\n]*?[^`\n]\1(?!`)/g, (span) => ' '.repeat(span.length));

/** The text that a person reads in a file of the repository, with unchanged line numbers. */
export function proseOf(file: string, part: Part): string {
  const text = readFileSync(path.join(ROOT, file), 'utf8');
  return part === 'all but code spans' ? withoutCodeSpans(text) : codeProse(text, part);
}
