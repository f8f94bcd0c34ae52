import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { writeFiles } from '../../packages/local-runner/run-step.ts';

const CHECKOUT = path.resolve(import.meta.dirname, '..', '..');
const NCC = path.join(CHECKOUT, 'node_modules', '@vercel', 'ncc', 'dist', 'ncc', 'cli.js');

type Ended = Readonly<{ exitCode: number | null; stderr: string }>;

let programs: string;

beforeAll(() => {
  // ncc finds tsconfig.bundle.json only from inside the checkout.
  const build = path.join(CHECKOUT, 'build');
  mkdirSync(build, { recursive: true });
  programs = mkdtempSync(path.join(build, 'programs-'));
});
afterAll(() => rmSync(programs, { recursive: true }));

function run(command: string, args: readonly string[]): Ended {
  const { status, stderr } = spawnSync(command, args, { cwd: CHECKOUT, encoding: 'utf8' });
  return { exitCode: status, stderr };
}

function writeProgram(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(path.join(programs, 'program-'));
  writeFiles(folder, files);
  return folder;
}

function bundle(files: Readonly<Record<string, string>>): Ended & { main: string } {
  const folder = writeProgram(files);
  const out = path.join(folder, 'dist');
  return { ...run('bash', ['script/bundle', folder, out]), main: path.join(out, 'index.js') };
}

describe('script/bundle fails on', () => {
  test.each([
    [
      'a missing file',
      { 'index.js': "import './gone.js';" },
      'index.js imports ./gone.js, which was not found',
    ],
    [
      'a warning, such as of a name that a module does not export',
      {
        'index.js': "import { gone } from './other.js'; console.log(gone);",
        'other.js': 'export const x = 1;',
      },
      "index.js: export 'gone' (imported as 'gone') was not found in './other.js'",
    ],
    [
      'a name that a replaced package does not export',
      { 'index.js': "import { Agent } from 'undici'; console.log(Agent);" },
      "export 'Agent' (imported as 'Agent') was not found in 'undici'",
    ],
    [
      'a property that a replaced package does not have',
      { 'index.js': "import * as undici from 'undici'; const { Agent } = undici; console.log(Agent);" },
      'script/aliases/undici.mjs does not export Agent, which is imported from undici',
    ],
    [
      'a name that a replaced package does not export to require()',
      { 'index.js': "import './old.cjs';", 'old.cjs': "console.log(require('undici').Agent);" },
      'script/aliases/undici.mjs does not export Agent, which is imported from undici',
    ],
    [
      'a replaced package that is imported as a whole',
      { 'index.js': "import './old.cjs';", 'old.cjs': "globalThis.undici = require('undici');" },
      'undici is imported as a whole',
    ],
  ])('%s', (_, files, message) => {
    const { exitCode, stderr } = bundle(files);
    expect(stderr).toContain(message);
    expect(exitCode).toBe(1);
  });
});

test('a bundle with a package instead of its replacement is rejected', () => {
  const folder = writeProgram({ 'index.js': "import { fetch } from 'undici'; console.log(fetch);" });
  const stats = path.join(folder, 'stats.json');
  // Without tsconfig.bundle.json, ncc has no replacements.
  const made = run(process.execPath, [
    ...[NCC, 'build', path.join(folder, 'index.js'), '-o', path.join(folder, 'dist')],
    ...['--no-cache', '--stats-out', stats],
  ]);
  expect(made).toEqual({ exitCode: 0, stderr: '' });
  const { exitCode, stderr } = run(process.execPath, ['script/check-bundle.ts', stats]);
  expect(stderr).toContain(
    'undici resolves to ./node_modules/undici/index.js, not to script/aliases/undici.mjs',
  );
  expect(exitCode).toBe(1);
});

test('a module that two chunks have is stored once, and is one module where both are loaded', () => {
  const { exitCode, stderr, main } = bundle({
    'index.js': `
      Promise.all([import('./one.js'), import('./two.js')]).then(([one, two]) => {
        process.exitCode = one.first() === two.second() ? 7 : 8;
      });
    `,
    'one.js': "import { common } from './common.js'; export const first = () => common;",
    'two.js': "import { common } from './common.js'; export const second = () => common;",
    'common.js': `export const common = { text: '${'0123456789'.repeat(300)}' };`,
  });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  const folder = path.dirname(main);
  const having = readdirSync(folder).filter((file) =>
    readFileSync(path.join(folder, file), 'utf8').includes('0123456789'),
  );
  expect(having).toEqual([expect.stringMatching(/^\d+-\d+\.shared\.js$/)]);
  expect(run(process.execPath, [main])).toEqual({ exitCode: 7, stderr: '' });
});

test('a chunk that is not written as webpack writes one is rejected', () => {
  const folder = writeProgram({ '1.index.js': 'export const modules = {};' });
  const { exitCode, stderr } = run(process.execPath, ['script/share.ts', folder]);
  expect(stderr).toContain('1.index.js is not written as webpack writes a chunk');
  expect(exitCode).toBe(1);
});

test('a bundle runs below a package.json that says "module", as a checkout has one', () => {
  const { exitCode, stderr, main } = bundle({ 'index.js': 'process.exitCode = 7;' });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  const folder = path.dirname(path.dirname(main));
  writeFiles(folder, { 'package.json': '{"type":"module"}', 'module.js': 'module.exports = {};' });
  expect(run(process.execPath, [main])).toEqual({ exitCode: 7, stderr: '' });
  // The package.json above applies to what has none of its own.
  expect(run(process.execPath, [path.join(folder, 'module.js')]).exitCode).toBe(1);
});
