// Writes the inputs and outputs in README.md from action.yml, between their markers.
// Usage: node --import ./packages/local-runner/json-modules.ts script/readme.ts [--check]
import { readFileSync, writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { readActionFile } from '../packages/local-runner/action-file.ts';
import { OUTPUT_EXAMPLES } from './output-examples.ts';

const WIDTH = 100;

/** Words, code with blanks in it as one. */
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

const action = readActionFile('action.yml');
const sections = {
  inputs: [
    '```yaml',
    '- uses: OWNER/aws-lambda-invoke@v1',
    '  with:',
    ...Object.entries(action.inputs)
      .map(([name, { default: preset = '', description }]) =>
        [...comment(description), `    ${name}: ${preset === '' ? "''" : value(preset)}`].join('\n'),
      )
      .join('\n\n')
      .split('\n'),
    '```',
  ],
  outputs: [
    '| Output | Example | Meaning |',
    '| --- | --- | --- |',
    ...Object.entries(action.outputs).map(
      ([name, { description }]) =>
        `| \`${name}\` | \`${cell(OUTPUT_EXAMPLES[name] ?? '')}\` | ${cell(description)} |`,
    ),
  ],
};

const before = readFileSync('README.md', 'utf8');
const after = Object.entries(sections).reduce((text, [name, lines]) => {
  const [begin, end] = [`<!-- ${name}: generated from action.yml -->`, `<!-- end of ${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from === -1 || to === -1) throw new Error(`README.md lacks the markers of ${name}`);
  return `${text.slice(0, from)}${begin}\n${lines.join('\n')}\n${text.slice(to)}`;
}, before);

if (process.argv.includes('--check')) {
  if (after !== before) {
    process.stderr.write(
      'The inputs and outputs in README.md are not what action.yml says. Run script/build and commit README.md.\n',
    );
    process.exitCode = 1;
  }
} else if (after !== before) writeFileSync('README.md', after);
