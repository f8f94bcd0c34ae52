// Moves each module that several chunks of a bundle have into a file that these chunks load. Webpack puts the module
// into every one of them, and ncc passes no option of webpack's on that would change it.
// Usage: node script/share.ts FOLDER
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** A chunk as webpack writes it: what precedes its modules, and the text of each module. */
type Chunk = Readonly<{ name: string; head: string; modules: readonly string[] }>;

/** Modules that the same chunks have, by the name of the file that gets them. */
type Shared = ReadonlyMap<string, readonly string[]>;

const MODULE = /^\/\*{3}\/ \d+:\n[\s\S]*?^\/\*{3}\/ \}\),?$/gm;
const HEAD = /^"use strict";\nexports\.id = \d+;\nexports\.ids = \[[\d,]+\];\nexports\.modules = /;

/** In characters, before they are minified: a smaller file adds to the archive what it saves. */
const SMALLEST = 2_000;

function readChunk(folder: string, name: string): Chunk {
  const code = readFileSync(path.join(folder, name), 'utf8');
  const [head = ''] = HEAD.exec(code) ?? [];
  const rest = code.slice(head.length).replaceAll(MODULE, '').replaceAll(/\s/g, '');
  if (head === '' || rest !== '{};;') throw new Error(`${name} is not written as webpack writes a chunk`);
  return { name, head, modules: (code.match(MODULE) ?? []).map((text) => text.replace(/,$/, '')) };
}

/** What several chunks have, word for word. */
function findShared(chunks: readonly Chunk[]): Shared {
  const numbersOf = (module: string): string[] =>
    chunks.filter(({ modules }) => modules.includes(module)).map(({ name }) => name.replace('.index.js', ''));
  const all = [...new Set(chunks.flatMap(({ modules }) => modules))];
  const byChunks = Map.groupBy(all, (module) => numbersOf(module).join('-'));
  return new Map(
    [...byChunks]
      .filter(([numbers, modules]) => numbers.includes('-') && modules.join('').length >= SMALLEST)
      .map(([numbers, modules]) => [`${numbers}.shared.js`, modules]),
  );
}

const listOf = (modules: readonly string[]): string => `{\n${modules.join(',\n')}\n};\n`;

/** A chunk that loads what it shares. Its own modules follow. */
function loading({ head, modules }: Chunk, shared: Shared): string {
  const used = [...shared].filter(([, theirs]) => theirs.every((module) => modules.includes(module)));
  const loaded = new Set(used.flatMap(([, theirs]) => theirs));
  const own = modules.filter((module) => !loaded.has(module));
  return `${head}${listOf([...used.map(([name]) => `...require('./${name}').modules`), ...own])}`;
}

const [folder = ''] = process.argv.slice(2);
const chunks = readdirSync(folder)
  .filter((name) => /^\d+\.index\.js$/.test(name))
  .sort()
  .map((name) => readChunk(folder, name));
const shared = findShared(chunks);
for (const [name, modules] of shared)
  writeFileSync(path.join(folder, name), `"use strict";\nexports.modules = ${listOf(modules)}`);
for (const chunk of chunks) writeFileSync(path.join(folder, chunk.name), loading(chunk, shared));
