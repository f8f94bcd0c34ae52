import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { fieldsOf } from '../../src/shared/values.ts';

const root = path.resolve(import.meta.dirname, '../..');
const packages = path.join(root, 'packages');
const readJson = (...file: string[]) => fieldsOf(JSON.parse(readFileSync(path.join(root, ...file), 'utf8')));

const names = readdirSync(packages, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

/** The packages and the other files of the checkout that a package's sources import, without its tests. */
function importsOf(name: string): string[] {
  const folder = path.join(packages, name);
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(?:ts|mjs)$/.test(file) && !file.includes('__tests__'))
    .flatMap((file) => {
      const text = readFileSync(path.join(folder, file), 'utf8');
      const imports = text.matchAll(/^(?:import|export|\})[^'\n]*? from '([^']+)';$|\bimport\('([^']+)'\)/gm);
      return [...imports].map(([, from, dynamic = '']) => ({ file, from: from ?? dynamic }));
    })
    .flatMap(({ file, from }) => {
      const target = from.startsWith('.') ? path.join(path.dirname(file), from) : from;
      if (from.startsWith('.')) return target.startsWith('..') ? [target] : [];
      return [from.split('/', from.startsWith('@') ? 2 : 1).join('/')];
    })
    .filter((from) => !from.startsWith('node:') && !builtinModules.includes(from));
}

describe.each(names)('the package %s', (name) => {
  const manifest = readJson('packages', name, 'package.json');

  test('is a private workspace with its own README and tests', () => {
    expect(manifest).toMatchObject({ name: `@aws-lambda-invoke/${name}`, private: true, type: 'module' });
    expect(readdirSync(path.join(packages, name))).toEqual(
      expect.arrayContaining(['README.md', '__tests__']),
    );
  });

  test('names exactly the packages that it imports', () => {
    const imported = [...new Set(importsOf(name))].sort();
    expect(imported).toEqual(Object.keys(fieldsOf(manifest['dependencies'])).sort());
  });
});

describe('the lockfile', () => {
  const entries = Object.entries(fieldsOf(readJson('package-lock.json')['packages'])).map(
    ([place, entry]) => ({ place, ...fieldsOf(entry) }),
  );

  test('has the checksum of every package, and none of them runs an install script', () => {
    const others = entries.filter(
      ({ place }) => place.startsWith('node_modules/') && !place.includes('@aws-lambda-invoke/'),
    );
    expect(others.length).toBeGreaterThan(100);
    expect(others.filter((entry) => !('integrity' in entry)).map(({ place }) => place)).toEqual([]);
    expect(readFileSync(path.join(root, '.npmrc'), 'utf8').split('\n')).toContain('ignore-scripts=true');
  });

  test('names no registry, so that any mirror works', () => {
    const addressed = entries.filter((entry) => 'resolved' in entry && !('link' in entry));
    expect(entries.length).toBeGreaterThan(100);
    expect(addressed.map(({ place }) => place)).toEqual([]);
  });
});
