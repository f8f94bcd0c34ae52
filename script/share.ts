// Joins the chunks that every step loads together into one file, and stores a module that several chunks have only once.
// Webpack splits code on demand into a chunk for each set of imports that share it, and ncc has no option that changes
// this. Loading a file takes up to 0.2 ms.
// Usage: node script/share.ts FOLDER STATS.json
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readBundleStats } from './bundle-stats.ts';

/** The dynamic imports of every step, in the order in which they run. */
const USUAL = [
  './build/index.js > ./lambda/client.js',
  './build/index.js > ./process.js',
  './build/wiring/step.js > ./outcomes.js',
];

/** A chunk in webpack's format: its IDs, and the text of each module. */
type Chunk = Readonly<{ name: string; ids: readonly string[]; modules: readonly string[] }>;

/** Modules that several chunks have, and the chunk that stores them. */
type Shared = Readonly<{ keeper: string; modules: readonly string[] }>;

const MODULE = /^\/\*{3}\/ \d+:\n[\s\S]*?^\/\*{3}\/ \}\),?$/gm;
const HEAD = /^"use strict";\nexports\.id = \d+;\nexports\.ids = \[([\d,]+)\];\nexports\.modules = /;

/** In characters, before they are minified. Reading a smaller module twice is faster than loading another file. */
const SMALLEST = 2_000;

const fileOf = (id: string): string => `${id}.index.js`;

function readChunk(folder: string, name: string): Chunk {
  const code = readFileSync(path.join(folder, name), 'utf8');
  const [head = '', ids = ''] = HEAD.exec(code) ?? [];
  const rest = code.slice(head.length).replaceAll(MODULE, '').replaceAll(/\s/g, '');
  if (rest !== '{};;') throw new Error(`${name} is not written as webpack writes a chunk`);
  const modules = (code.match(MODULE) ?? []).map((text) => text.replace(/,$/, ''));
  return { name, ids: ids.split(','), modules };
}

const sizeOf = ({ modules }: Chunk): number => modules.join('').length;
const bySize = (one: Chunk, other: Chunk): number => sizeOf(other) - sizeOf(one);

/** For each usual import, the chunks that no earlier import loads, joined under the name of the first chunk. */
function joinUsual(chunks: readonly Chunk[], idsOf: (wanted: string) => readonly string[]): Chunk[] {
  const joined = new Set<string>();
  return USUAL.flatMap((wanted) => {
    const ids = idsOf(wanted).filter((id) => !joined.has(id));
    for (const id of ids) joined.add(id);
    const parts = ids.flatMap((id) => chunks.filter(({ name }) => name === fileOf(id)));
    const [first] = parts;
    if (first === undefined) return [];
    const modules = [...new Set(parts.flatMap((part) => part.modules))];
    return [{ name: first.name, ids: parts.flatMap((part) => part.ids), modules }];
  });
}

/** The modules that several chunks have. The first of these chunks stores them. */
function findShared(chunks: readonly Chunk[]): Shared[] {
  const ownersOf = (module: string): string =>
    chunks
      .filter(({ modules }) => modules.includes(module))
      .map(({ name }) => name)
      .join(' ');
  const all = [...new Set(chunks.flatMap(({ modules }) => modules))];
  return [...Map.groupBy(all, ownersOf)]
    .filter(([owners, modules]) => owners.includes(' ') && modules.join('').length >= SMALLEST)
    .map(([owners, modules]) => ({ keeper: owners.slice(0, owners.indexOf(' ')), modules }));
}

/** The text of a chunk that loads the modules that other chunks store. Its own modules follow. */
function loading({ name, ids, modules }: Chunk, shared: readonly Shared[]): string {
  const used = shared.filter(
    ({ keeper, modules: [first = ''] }) => keeper !== name && modules.includes(first),
  );
  const loaded = new Set(used.flatMap((one) => one.modules));
  const keepers = [...new Set(used.map(({ keeper }) => keeper))];
  const own = modules.filter((module) => !loaded.has(module));
  const list = [...keepers.map((keeper) => `...require('./${keeper}').modules`), ...own];
  return `exports.ids = [${ids.join()}];\nexports.modules = {\n${list.join(',\n')}\n};\n`;
}

const [folder = '', statsFile = ''] = process.argv.slice(2);
const { chunks: origins } = readBundleStats(statsFile);
const chunks = readdirSync(folder)
  .filter((name) => /^\d+\.index\.js$/.test(name))
  .map((name) => readChunk(folder, name));
const names = new Set(chunks.map(({ name }) => name));
const requests =
  readFileSync(path.join(folder, 'index.js'), 'utf8') +
  chunks.map(({ modules }) => modules.join('')).join('');
/** The chunks of an import, in the order in which the code loads them. */
const idsOf = (wanted: string): string[] =>
  origins
    .filter(({ imports }) => imports.includes(wanted))
    .map(({ id }) => ({ id, at: requests.search(new RegExp(`\\.e\\((?:/\\* import\\(\\) \\*/ )?${id}\\)`)) }))
    .toSorted((one, other) => one.at - other.at)
    .map(({ id }) => id);
const usual = joinUsual(chunks, idsOf);
const joinedIds = usual.flatMap(({ ids }) => ids);
const others = chunks.filter(({ ids }) => !ids.some((id) => joinedIds.includes(id))).toSorted(bySize);
const shared = findShared([...usual, ...others]);
for (const chunk of [...usual, ...others]) {
  writeFileSync(path.join(folder, chunk.name), loading(chunk, shared));
  // Another import may load only one of the joined chunks.
  for (const id of chunk.ids.filter((one) => fileOf(one) !== chunk.name && names.has(fileOf(one)))) {
    writeFileSync(path.join(folder, fileOf(id)), `module.exports = require('./${chunk.name}');\n`);
  }
}
