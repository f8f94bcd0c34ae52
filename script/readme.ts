// Writes the tables of inputs and outputs in README.md, and docs/inputs.md, from action.yml, between their markers.
// Usage: node --import ./packages/local-runner/json-modules.ts script/readme.ts [--check]
import { readFileSync, writeFileSync } from 'node:fs';
import { isMap, isScalar, parseDocument, stringify } from 'yaml';
import { type InputDeclaration, readActionFile } from '../packages/local-runner/action-file.ts';
import { OUTPUT_EXAMPLES } from './output-examples.ts';

const WIDTH = 100;
const LONGEST_CELL = 40;

/** Words. A code span counts as one word, even with blanks in it. */
const WORDS = /(?:[^\s`]*(?:``.+?``|`[^`]+`))+\S*|\S+/g;

/** A description as the comment above its input. */
function comment(description: string): string[] {
  const lines: string[] = [];
  for (const word of description.match(WORDS) ?? []) {
    const longer = `${lines.at(-1) ?? ''} ${word}`;
    if (lines.length > 0 && longer.length <= WIDTH) lines[lines.length - 1] = longer;
    else lines.push(`    # ${word}`);
  }
  return lines;
}

const cell = (text: string): string => text.replaceAll('|', '\\|').trim();
const value = (text: string): string =>
  stringify(/^(?:true|false|\d+)$/.test(text) ? JSON.parse(text) : text, { lineWidth: 0 }).trim();
const anchor = (title: string): string => title.toLowerCase().replaceAll(' ', '-');

const firstSentence = (text: string): string => /^.*?\.(?=\s|$)/s.exec(text)?.[0] ?? text;

const action = readActionFile('action.yml');

type Group = { title: string; inputs: (readonly [name: string, input: InputDeclaration])[] };

/** The inputs in their groups: a comment in action.yml names the group that begins below it. */
function groups(): readonly Group[] {
  const inputs = parseDocument(readFileSync('action.yml', 'utf8')).get('inputs');
  if (!isMap(inputs)) throw new Error('action.yml has no inputs');
  const found: Group[] = [];
  // The parser gives the comment above the first key to the whole map.
  let above = inputs.commentBefore;
  for (const { key } of inputs.items) {
    if (!isScalar(key)) continue;
    const title = key.commentBefore ?? above;
    above = undefined;
    if (typeof title === 'string') found.push({ title: title.trim(), inputs: [] });
    const name = String(key.value);
    const input = action.inputs[name];
    if (input !== undefined) found.at(-1)?.inputs.push([name, input]);
  }
  return found;
}

function presetCell(preset: string): string {
  if (preset === '') return '';
  return preset.length > LONGEST_CELL ? ' `${{ … }}`' : ` \`${cell(preset)}\``;
}

const inputTable: readonly string[] = [
  '| Input | Default | Meaning |',
  '| --- | --- | --- |',
  ...groups().flatMap(({ title, inputs }) => [
    `| **[${title}](docs/inputs.md#${anchor(title)})** | | |`,
    ...inputs.map(
      ([name, { default: preset = '', description }]) =>
        `| \`${name}\` |${presetCell(preset)} | ${cell(firstSentence(description))} |`,
    ),
  ]),
];

const inputReference: readonly string[] = groups().flatMap(({ title, inputs }) => [
  `## ${title}`,
  '',
  '```yaml',
  '- uses: OWNER/aws-lambda-invoke@v1',
  '  with:',
  ...inputs
    .map(([name, { default: preset = '', description }]) =>
      [...comment(description), `    ${name}: ${preset === '' ? "''" : value(preset)}`].join('\n'),
    )
    .join('\n\n')
    .split('\n'),
  '```',
  '',
]);

const outputTable: readonly string[] = [
  '| Output | Example | Meaning |',
  '| --- | --- | --- |',
  ...Object.entries(action.outputs).map(
    ([name, { description }]) =>
      `| \`${name}\` | \`${cell(OUTPUT_EXAMPLES[name] ?? '')}\` | ${cell(description)} |`,
  ),
];

const DOCUMENTS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  'README.md': { inputs: inputTable, outputs: outputTable },
  'docs/inputs.md': { inputs: inputReference },
};

/** Replaces the text between the markers of a document with the generated text. */
const regenerate = (file: string, sections: Readonly<Record<string, readonly string[]>>, before: string) =>
  Object.entries(sections).reduce((text, [name, lines]) => {
    const [begin, end] = [`<!-- ${name}: generated from action.yml -->`, `<!-- end of ${name} -->`];
    const [from, to] = [text.indexOf(begin), text.indexOf(end)];
    if (from === -1 || to === -1) throw new Error(`${file} lacks the markers of ${name}`);
    return `${text.slice(0, from)}${begin}\n${lines.join('\n')}\n${text.slice(to)}`;
  }, before);

for (const [file, sections] of Object.entries(DOCUMENTS)) {
  const before = readFileSync(file, 'utf8');
  const after = regenerate(file, sections, before);
  if (after === before) continue;
  if (process.argv.includes('--check')) {
    process.stderr.write(`${file} does not match action.yml. Run script/build and commit ${file}.\n`);
    process.exitCode = 1;
  } else writeFileSync(file, after);
}
