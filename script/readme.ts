// Writes the tables of inputs and outputs in README.md from action.yml, between their markers.
// Usage: node script/readme.ts [--check]
import { readFileSync, writeFileSync } from 'node:fs';
import { readActionFile } from '../local-runner/action-file.ts';

const cell = (text: string): string => text.replaceAll('|', '\\|').trim();

const action = readActionFile('action.yml');
const tables = {
  inputs: [
    '| Input | Default | Meaning |',
    '| --- | --- | --- |',
    ...Object.entries(action.inputs).map(
      ([name, { default: preset, description }]) =>
        `| \`${name}\` | ${preset === undefined ? '' : `\`${preset}\``} | ${cell(description)} |`,
    ),
  ],
  outputs: [
    '| Output | Meaning |',
    '| --- | --- |',
    ...Object.entries(action.outputs).map(
      ([name, { description }]) => `| \`${name}\` | ${cell(description)} |`,
    ),
  ],
};

const before = readFileSync('README.md', 'utf8');
const after = Object.entries(tables).reduce((text, [name, lines]) => {
  const [begin, end] = [`<!-- ${name}: generated from action.yml -->`, `<!-- end of ${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from === -1 || to === -1) throw new Error(`README.md lacks the markers of ${name}`);
  return `${text.slice(0, from)}${begin}\n${lines.join('\n')}\n${text.slice(to)}`;
}, before);

if (process.argv.includes('--check')) {
  if (after !== before) {
    process.stderr.write(
      'The tables of README.md are not what action.yml says. Run script/build and commit README.md.\n',
    );
    process.exitCode = 1;
  }
} else if (after !== before) writeFileSync('README.md', after);
