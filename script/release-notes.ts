// Checks that this checkout has the given version, and prints its section of CHANGELOG.md. Needs no dependencies.
// Usage: node script/release-notes.ts VERSION
import { readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');

const [version = ''] = process.argv.slice(2);
const section = read('CHANGELOG.md')
  .split(/^## /m)
  .find((part) => part.startsWith(`${version} `) || part.startsWith(`${version}\n`));
const notes = section?.split('\n').slice(1).join('\n').trim() ?? '';

const problems = [
  ...(/^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)$/.test(version)
    ? []
    : [`"${version}" is no version such as 1.2.3.`]),
  ...(read('package.json').includes(`"version": "${version}"`) ? [] : ['package.json has another version.']),
  ...(read('src/shared/version.ts').includes(`'${version}'`)
    ? []
    : ['src/shared/version.ts has another version.']),
  ...(notes === '' ? [`CHANGELOG.md has nothing under "## ${version}".`] : []),
];
if (problems.length > 0) {
  process.stderr.write(`${problems.join('\n')}\n`);
  process.exitCode = 1;
} else process.stdout.write(`${notes}\n`);
