// Writes the licenses of the packages in a bundle. ncc's own list keeps only the packages of the last chunk.
// Usage: node script/licenses.ts STATS.json LICENSES.txt
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readBundleStats } from './bundle-stats.ts';

function packageOf(file: string): string | undefined {
  const at = file.lastIndexOf('node_modules/');
  if (at === -1) return undefined;
  const start = file.indexOf('./');
  const [scope = '', name = ''] = file.slice(at + 'node_modules/'.length).split('/');
  const folder = scope.startsWith('@') ? `${scope}/${name}` : scope;
  return file.slice(start, at) + path.posix.join('node_modules', folder);
}

/** A package's name, version and kind of license, and the text of the license. */
function licenseOf(folder: string): { title: string; text: string } {
  const { name, version, license } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)(\.|$)/i.test(entry));
  const text =
    file === undefined ? '' : readFileSync(path.join(folder, file), 'utf8').replaceAll('\r\n', '\n').trim();
  return { title: `${name} ${version} (${license})`, text };
}

const [statsFile = '', outFile = ''] = process.argv.slice(2);
const folders = new Set(
  readBundleStats(statsFile)
    .modules.map(({ name }) => packageOf(name))
    .filter((folder) => folder !== undefined)
    .filter((folder) => existsSync(path.join(folder, 'package.json'))),
);
if (folders.size === 0) throw new Error(`${statsFile} names no package`);
// Many packages have exactly the same license. Its text is written once, below all their names.
const byText = Map.groupBy([...folders].sort().map(licenseOf), ({ text }) => text);
writeFileSync(
  outFile,
  [...byText]
    .map(([text, packages]) => `${packages.map(({ title }) => `${title}\n`).join('')}\n${text}\n`)
    .join(`\n${'-'.repeat(72)}\n\n`),
);
