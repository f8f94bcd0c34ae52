import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { toString as textOf } from 'mdast-util-to-string';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import { unified } from 'unified';
import { visit } from 'unist-util-visit';

export const ROOT = path.resolve(import.meta.dirname, '..');

/** A document of the repository: its code blocks, its links, and its anchors. */
export type Document = Readonly<{
  file: string;
  blocks: readonly Readonly<{ language: string; text: string; place: string }>[];
  links: readonly string[];
  anchors: ReadonlySet<string>;
  text: string;
}>;

// The transcripts in __tests__ are output, not documents.
const SKIPPED: ReadonlySet<string> = new Set([
  'node_modules',
  'build',
  'dist',
  '.git',
  'coverage',
  '__tests__',
]);

/** The anchor that GitHub generates for a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');

function readDocument(file: string): Document {
  const text = readFileSync(path.join(ROOT, file), 'utf8');
  const blocks: Document['blocks'][number][] = [];
  const links: string[] = [];
  const anchors = new Set<string>();
  visit(unified().use(remarkParse).use(remarkGfm).parse(text), (node) => {
    if (node.type === 'code') {
      const place = `${file}:${node.position?.start.line}`;
      blocks.push({ language: node.lang ?? '', text: node.value, place });
    }
    if (node.type === 'link' || node.type === 'image' || node.type === 'definition') links.push(node.url);
    if (node.type === 'heading') {
      const anchor = anchorOf(textOf(node));
      const same = [...anchors].filter((other) => other.replace(/-\d+$/, '') === anchor).length;
      anchors.add(same === 0 ? anchor : `${anchor}-${same}`);
    }
  });
  return { file, blocks, links, anchors, text };
}

/** Every Markdown file of the repository. */
export const documents: readonly Document[] = readdirSync(ROOT, { withFileTypes: true })
  .filter(({ name }) => !SKIPPED.has(name))
  .flatMap((entry) =>
    entry.isDirectory()
      ? readdirSync(path.join(ROOT, entry.name), { recursive: true, encoding: 'utf8' }).map((name) =>
          path.join(entry.name, name),
        )
      : [entry.name],
  )
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.md'))
  .sort()
  .map(readDocument);

/** The code blocks in a language, from all documents. */
export const blocksIn = (...languages: string[]): Document['blocks'] =>
  documents.flatMap(({ blocks }) => blocks).filter(({ language }) => languages.includes(language));
