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
/** The text between two markers in a document. */
function generated(file: string, what: 'inputs' | 'outputs'): string {
  const text = readFileSync(path.join(root, file), 'utf8');
  const begin = `<!-- ${what}: generated from action.yml -->`;
  const end = `<!-- end of ${what} -->`;
  expect(text.split(begin)).toHaveLength(2);
  expect(text.split(end)).toHaveLength(2);
  return text.slice(text.indexOf(begin) + begin.length, text.indexOf(end)).trim();
}

/** The cells of a table in the README, without its header and rule. */
const cellsOf = (what: 'inputs' | 'outputs'): string[][] =>
  generated('README.md', what)
    .split('\n')
    .slice(2)
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );

/** The groups of inputs in action.yml, by the comments that start them. */
const groups = [...(manifest.split('\noutputs:')[0] ?? '').matchAll(/^ {2}# (.+)$/gm)].map(
  ([, title = '']) => title,
);

/** The blocks of the reference, each with the inputs of one group. */
const reference = (): string[] =>
  [...generated('docs/inputs.md', 'inputs').matchAll(/^```yaml\n([\s\S]*?)\n```$/gm)].map(
    ([, block = '']) => block,
  );
const words = (text: string): string => text.trim().split(/\s+/).join(' ');

describe('action.yml', () => {
  test("loads in GitHub's own parser", () => {
    expect(parseActionText('action.yml', manifest).problems).toEqual([]);
  });

  test('declares the inputs that the code reads, in the same order and with the same defaults', () => {
    // The runner evaluates expressions.
    const presets = Object.entries(action.inputs).map(([name, { default: preset = '' }]) => [
      name,
      preset.startsWith('${{') ? '' : preset,
    ]);
    expect(presets).toEqual(Object.entries(INPUTS).map(([name, input]) => [name, input.default]));
  });

  test('declares the outputs that the code writes, in the same order', () => {
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

  // GitHub's Marketplace wants a shorter description.
  test('describes the action in less than 125 characters', () => {
    const { description = '' } = fieldsOf(parse(manifest));
    expect(String(description).length).toBeGreaterThan(20);
    expect(String(description).length).toBeLessThan(125);
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
    ['an expression that it cannot parse', 'Version or alias', '${{ toJSON(...) }}'],
    ['a context that a default cannot use', '${{ github.token }}', '${{ secrets.TOKEN }}'],
    ['a file that is not YAML', 'inputs:', 'inputs: ['],
    ['a file without a program', '  main: dist/index.js', '  post: dist/index.js'],
  ])('rejects %s', (_, written, instead) => {
    expect(problemsWith(written, instead)).not.toEqual([]);
  });

  test('allows a default to be an expression', () => {
    expect(problemsWith('${{ github.token }}', '${{ github.workflow }} ${{ strategy.job-index }}')).toEqual(
      [],
    );
  });
});

describe('docs/inputs.md', () => {
  test('has a heading for each group in action.yml', () => {
    const headings = [...generated('docs/inputs.md', 'inputs').matchAll(/^## (.+)$/gm)].map(
      ([, title]) => title,
    );
    expect(headings).toEqual(groups);
    expect(groups.length).toBeGreaterThan(3);
  });

  test('has every input of action.yml with its default', () => {
    const presets = Object.entries(action.inputs).map(([name, { default: preset = '' }]) => [name, preset]);
    const given = reference().flatMap((block) => {
      const steps: unknown = parse(block);
      const [step] = Array.isArray(steps) ? steps.map(fieldsOf) : [];
      return Object.entries(fieldsOf(step?.['with'])).map(([name, value]) => [name, String(value)]);
    });
    expect(given).toEqual(presets);
  });

  test('describes the inputs in the words of action.yml', () => {
    const comments = reference()
      .flatMap((block) => block.split('\n\n'))
      .map((input) => words([...input.matchAll(/^ +# (.*)$/gm)].map(([, text]) => text).join(' ')));
    expect(comments).toEqual(Object.values(action.inputs).map(({ description }) => words(description)));
  });
});

describe('the README', () => {
  test('lists the inputs of action.yml by group, each with the first sentence of its description', () => {
    const rows = cellsOf('inputs');
    const titles = rows.flatMap(([name = '']) => /^\*\*\[(.+)\]/.exec(name)?.[1] ?? []);
    expect(titles).toEqual(groups);
    const inputs = rows.filter(([name = '']) => !name.startsWith('**'));
    expect(inputs.map(([name]) => name)).toEqual(Object.keys(action.inputs).map((name) => `\`${name}\``));
    const longer = Object.values(action.inputs).filter(
      ({ description }, at) => !words(description).startsWith(inputs[at]?.[2] ?? 'nothing'),
    );
    expect(longer).toEqual([]);
    expect(inputs.filter(([, , meaning = '']) => !/^.{10,130}\.$/.test(meaning))).toEqual([]);
  });

  test('lists the outputs of action.yml with their descriptions and examples', () => {
    expect(cellsOf('outputs').map(([name, , meaning]) => [name, meaning])).toEqual(
      Object.entries(action.outputs).map(([name, { description }]) => [
        `\`${name}\``,
        description.trim().replaceAll('|', '\\|'),
      ]),
    );
    expect(cellsOf('outputs').filter(([, example = '']) => !/^`[^`]+`$/.test(example))).toEqual([]);
  });
});

test('the user agent has the version from package.json', () => {
  const document: unknown = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  expect(document).toHaveProperty('version', VERSION);
});
