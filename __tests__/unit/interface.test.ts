import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { parseActionText, readActionFile } from '../../packages/local-runner/action-file.ts';
import { INPUTS } from '../../src/inputs/schema.ts';
import { COMMON_OUTPUTS, SINGLE_OUTPUTS } from '../../src/report/outputs.ts';
import { fieldsOf } from '../../src/shared/values.ts';
import { VERSION } from '../../src/shared/version.ts';

const root = path.resolve(import.meta.dirname, '../..');
const manifest = readFileSync(path.join(root, 'action.yml'), 'utf8');
const action = readActionFile(path.join(root, 'action.yml'));
const readme = readFileSync(path.join(root, 'README.md'), 'utf8');

/** What stands between two markers of the README. */
function generated(what: 'inputs' | 'outputs'): string {
  const begin = `<!-- ${what}: generated from action.yml -->`;
  const end = `<!-- end of ${what} -->`;
  expect(readme.split(begin)).toHaveLength(2);
  expect(readme.split(end)).toHaveLength(2);
  return readme.slice(readme.indexOf(begin) + begin.length, readme.indexOf(end)).trim();
}

/** The cells of the table of outputs, without its header and rule. */
const outputCells = (): string[][] =>
  generated('outputs')
    .split('\n')
    .slice(2)
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );

const inputsBlock = (): string => generated('inputs').replace(/^```yaml\n|\n```$/g, '');
const words = (text: string): string => text.trim().split(/\s+/).join(' ');

describe('action.yml', () => {
  test("loads in GitHub's own parser", () => {
    expect(parseActionText('action.yml', manifest).problems).toEqual([]);
  });

  test('declares the inputs that the code reads, in its order and with its defaults', () => {
    // An expression is the runner's to evaluate.
    const presets = Object.entries(action.inputs).map(([name, { default: preset = '' }]) => [
      name,
      preset.startsWith('${{') ? '' : preset,
    ]);
    expect(presets).toEqual(Object.entries(INPUTS).map(([name, input]) => [name, input.default]));
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

describe("GitHub's own parser", () => {
  const problemsWith = (written: string, instead: string): readonly string[] => {
    expect(manifest).toContain(written);
    return parseActionText('action.yml', manifest.replace(written, instead)).problems;
  };

  test.each([
    ['an expression in the description of an input', 'Version or alias', '${{ github.ref }}'],
    ['an expression in the description of an output', 'Number of invocations', '${{ github.ref }}'],
    ['an expression that it can not read', 'Version or alias', '${{ toJSON(...) }}'],
    ['a context that a default can not have', '${{ github.token }}', '${{ secrets.TOKEN }}'],
    ['a file that is not YAML', 'inputs:', 'inputs: ['],
    ['a file without a program', '  main: dist/index.js', '  post: dist/index.js'],
  ])('refuses %s', (_, written, instead) => {
    expect(problemsWith(written, instead)).not.toEqual([]);
  });

  test('allows a default to be an expression', () => {
    expect(problemsWith('${{ github.token }}', '${{ github.workflow }} ${{ strategy.job-index }}')).toEqual(
      [],
    );
  });
});

describe('the README', () => {
  test('has a step with every input of action.yml at its default', () => {
    const steps: unknown = parse(inputsBlock());
    const presets = Object.entries(action.inputs).map(([name, { default: preset = '' }]) => [name, preset]);
    const [step] = Array.isArray(steps) ? steps.map(fieldsOf) : [];
    const given = Object.entries(fieldsOf(step?.['with'])).map(([name, value]) => [name, String(value)]);
    expect(given).toEqual(presets);
  });

  test('describes the inputs in the words of action.yml', () => {
    const blocks = inputsBlock().split('\n\n');
    const comments = blocks.map((block) =>
      words([...block.matchAll(/^ +# (.*)$/gm)].map(([, text]) => text).join(' ')),
    );
    expect(comments).toEqual(Object.values(action.inputs).map(({ description }) => words(description)));
  });

  test('lists the outputs of action.yml, in its words and each with an example', () => {
    expect(outputCells().map(([name, , meaning]) => [name, meaning])).toEqual(
      Object.entries(action.outputs).map(([name, { description }]) => [
        `\`${name}\``,
        description.trim().replaceAll('|', '\\|'),
      ]),
    );
    expect(outputCells().filter(([, example = '']) => !/^`[^`]+`$/.test(example))).toEqual([]);
  });
});

test('the user agent names the version of package.json', () => {
  const document: unknown = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  expect(document).toHaveProperty('version', VERSION);
});
