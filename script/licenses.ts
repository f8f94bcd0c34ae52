// Writes the licences of what a bundle holds. ncc's own list keeps only the last chunk's packages.
// Usage: node script/licenses.ts STATS.json LICENSES.txt
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** Names of the files that went into the bundle, concatenated modules included. */
function moduleNames(module: unknown): string[] {
  if (!isRecord(module)) return [];
  const inner = Array.isArray(module['modules']) ? module['modules'].flatMap(moduleNames) : [];
  return typeof module['name'] === 'string' ? [module['name'], ...inner] : inner;
}

function packageOf(file: string): string | undefined {
  const at = file.lastIndexOf('node_modules/');
  if (at === -1) return undefined;
  const start = file.indexOf('./');
  const [scope = '', name = ''] = file.slice(at + 'node_modules/'.length).split('/');
  const folder = scope.startsWith('@') ? `${scope}/${name}` : scope;
  return file.slice(start, at) + path.posix.join('node_modules', folder);
}

/** What a package is, and the text of its licence. */
function licenceOf(folder: string): { title: string; text: string } {
  const about: unknown = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
  if (!isRecord(about)) throw new Error(`${folder} has no package.json that says what it is`);
  const file = readdirSync(folder).find((name) => /^(licen[cs]e|copying)(\.|$)/i.test(name));
  const text =
    file === undefined ? '' : readFileSync(path.join(folder, file), 'utf8').replaceAll('\r\n', '\n').trim();
  return { title: `${about['name']} ${about['version']} (${about['license']})`, text };
}

const [statsFile = '', outFile = ''] = process.argv.slice(2);
const stats: unknown = JSON.parse(readFileSync(statsFile, 'utf8'));
const folders = new Set(
  moduleNames(stats)
    .map(packageOf)
    .filter((folder) => folder !== undefined)
    .filter((folder) => existsSync(path.join(folder, 'package.json'))),
);
if (folders.size === 0) throw new Error(`${statsFile} names no package`);
// Many packages have one licence to the letter: its text stands once, below all of their names.
const byText = Map.groupBy([...folders].sort().map(licenceOf), ({ text }) => text);
writeFileSync(
  outFile,
  [...byText]
    .map(([text, packages]) => `${packages.map(({ title }) => `${title}\n`).join('')}\n${text}\n`)
    .join(`\n${'-'.repeat(72)}\n\n`),
);
