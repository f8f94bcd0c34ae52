import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { readActionFile } from '../../local-runner/action-file.ts';
import { INPUT_DEFAULTS } from '../../src/inputs/declarations.ts';
import { COMMON_OUTPUTS, SINGLE_OUTPUTS } from '../../src/report/outputs.ts';
import { VERSION } from '../../src/version.ts';

const root = path.resolve(import.meta.dirname, '../..');
const action = readActionFile(path.join(root, 'action.yml'));
const readme = readFileSync(path.join(root, 'README.md'), 'utf8');

/** The cells of a generated table of the README, without its header and rule. */
function tableOf(what: 'inputs' | 'outputs'): string[][] {
  const begin = `<!-- ${what}: generated from action.yml -->`;
  const end = `<!-- end of ${what} -->`;
  expect(readme.split(begin)).toHaveLength(2);
  expect(readme.split(end)).toHaveLength(2);
  const lines = readme
    .slice(readme.indexOf(begin) + begin.length, readme.indexOf(end))
    .trim()
    .split('\n');
  return lines.slice(2).map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const code = (text: string): string => (text === '' ? '' : `\`${text}\``);

describe('action.yml', () => {
  test('declares the inputs that the code reads, in its order and with its defaults', () => {
    // An expression is the runner's to evaluate.
    const presets = Object.entries(action.inputs).map(([name, { default: preset = '' }]) => [
      name,
      preset.startsWith('${{') ? '' : preset,
    ]);
    expect(presets).toEqual(Object.entries(INPUT_DEFAULTS));
  });

  test('declares the outputs that the code writes, in its order', () => {
    expect(Object.keys(action.outputs)).toEqual([...SINGLE_OUTPUTS, ...COMMON_OUTPUTS]);
  });

  test('describes every input and output in sentences', () => {
    const described = [...Object.entries(action.inputs), ...Object.entries(action.outputs)];
    const bare = described.filter(([, { description }]) => !/^\S[\s\S]{9,}\.$/.test(description.trim()));
    expect(bare.map(([name]) => name)).toEqual([]);
  });

  test('names inputs and outputs in snake_case', () => {
    const names = [...Object.keys(action.inputs), ...Object.keys(action.outputs)];
    expect(names.filter((name) => !/^[a-z]+(?:_[a-z]+)*$/.test(name))).toEqual([]);
  });

  test('runs the bundle on Node 24', () => {
    expect({ using: action.using, main: action.main }).toEqual({ using: 'node24', main: 'dist/index.js' });
  });
});

describe('the README', () => {
  test('lists the inputs of action.yml with their defaults', () => {
    expect(tableOf('inputs').map(([name, preset]) => [name, preset])).toEqual(
      Object.entries(action.inputs).map(([name, input]) => [code(name), code(input.default ?? '')]),
    );
  });

  test('lists the outputs of action.yml', () => {
    expect(tableOf('outputs').map(([name]) => name)).toEqual(Object.keys(action.outputs).map(code));
  });

  test.each(['inputs', 'outputs'] as const)('describes the %s in the words of action.yml', (what) => {
    expect(tableOf(what).map((cells) => cells.at(-1))).toEqual(
      Object.values(action[what]).map(({ description }) => description.trim().replaceAll('|', '\\|')),
    );
  });
});

test('the user agent names the version of package.json', () => {
  const manifest: unknown = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  expect(manifest).toHaveProperty('version', VERSION);
});
