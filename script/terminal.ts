import type { Annotation, LogLine } from '../packages/local-runner/commands.ts';
import { withoutCheckout } from './tour.ts';

const COLOURS = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;
const COLOURFUL = process.stdout.isTTY === true && (process.env['NO_COLOR'] ?? '') === '';
const WIDTH = Math.max(process.stdout.columns ?? 110, 60) - 4;

/** Text in a colour, where a terminal shows it. */
export const paint = (colour: keyof typeof COLOURS, text: string): string =>
  COLOURFUL ? `\u001b[${COLOURS[colour]}m${text}\u001b[0m` : text;

const cut = (text: string): string => (text.length > WIDTH ? `${text.slice(0, WIDTH - 2)} …` : text);

/** Lines moved to the right. */
export const indented = (text: string): string => text.replace(/^(?=.)/gm, '  ');

/** A titled part of what is shown; nothing where there is nothing to show. */
export const section = (title: string, text: string): string =>
  text.trim() === '' ? '' : `${paint('dim', title)}\n${indented(text.trimEnd())}\n\n`;

function showLine({ kind, text, depth }: LogLine): string {
  const indent = '  '.repeat(depth);
  switch (kind) {
    case 'group':
      return paint('bold', `▾ ${text}`);
    case 'error':
      return paint('red', `Error: ${text}`);
    case 'warning':
    case 'notice':
      return paint('yellow', `${kind === 'warning' ? 'Warning' : 'Notice'}: ${text}`);
    case 'text':
    case 'debug':
      return indent + cut(text.replaceAll('\t', '  ').trimEnd());
    default:
      return kind satisfies never;
  }
}

/** A step's log; long lines are cut. */
export const showLog = (lines: readonly LogLine[]): string =>
  withoutCheckout(lines.map((line) => showLine({ ...line, text: withoutCheckout(line.text) })).join('\n'));

/** Which annotations stand on the page of the run. */
export const showAnnotations = (annotations: readonly Annotation[]): string =>
  annotations
    .map(({ level, title, message }) => {
      const [first = ''] = message.split('\n');
      const text = cut(withoutCheckout(title === '' ? first : `${title}: ${first}`));
      return paint(level === 'error' ? 'red' : 'yellow', `✗ ${text}`);
    })
    .join('\n');

/** The outputs that are one line, cut. */
export function showOutputs(outputs: Readonly<Record<string, string>>): string {
  const given = Object.entries(outputs).filter(([, value]) => value !== '');
  return given
    .filter(([name]) => !LONG_OUTPUTS.has(name))
    .map(([name, value]) => {
      const [first = '', ...rest] = value.split('\n');
      return cut(`${name}: ${first}${rest.some((line) => line !== '') ? ' …' : ''}`);
    })
    .concat(
      given.some(([name]) => LONG_OUTPUTS.has(name))
        ? [
            paint(
              'dim',
              `and ${given.flatMap(([name]) => (LONG_OUTPUTS.has(name) ? [name] : [])).join(', ')}`,
            ),
          ]
        : [],
    )
    .join('\n');
}
const LONG_OUTPUTS: ReadonlySet<string> = new Set(['log_result', 'outcomes', 'outcomes_file']);

const width = (cell: string): number => [...cell].length + (/[✅❌❓⏳]/u.test(cell) ? 1 : 0);
const cellsOf = (row: string): string[] =>
  row
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim());

function showTable(rows: readonly string[]): string[] {
  const table = rows.filter((row) => !/^\|(?: *:?-+:? *\|)+$/.test(row)).map(cellsOf);
  const widths = (table[0] ?? []).map((_, column) =>
    Math.max(...table.map((cells) => width(cells[column] ?? ''))),
  );
  return table.map((cells, index) => {
    const line = cells
      .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - width(cell)))
      .join('  ')
      .trimEnd();
    return index === 0 ? paint('bold', line) : line;
  });
}

/** Markdown as text: tables in columns, links without their targets. */
export function showMarkdown(markdown: string): string {
  const plain = markdown
    .replace(/\[([^\]]+)\]\([^)]*\)/g, '$1')
    .replace(/<details[^>]*><summary>(.*?)<\/summary>/g, '▸ $1')
    .replace(/<\/details>\n?/g, '')
    .replace(/^> /gm, '│ ')
    .replace(/\\$/gm, '')
    .replace(/^#+ (.+)$/gm, (_, title: string) => paint('bold', title))
    .replace(/\*\*([^*\n]+)\*\*/g, (_, text: string) => paint('bold', text))
    .replace(/```mermaid\n[\s\S]*?```\n?/g, '(a picture of when each ran)\n')
    .replace(/^```.*\n/gm, '')
    .replace(/`([^`\n]+)`/g, '$1');
  const lines = plain.split('\n');
  const shown: string[] = [];
  for (let at = 0; at < lines.length; ) {
    const end = lines.findIndex((line, index) => index >= at && !line.startsWith('|'));
    const rows = lines.slice(at, end === -1 ? lines.length : end);
    if (rows.length > 0) shown.push(...showTable(rows));
    else shown.push(lines[at] ?? '');
    at += Math.max(rows.length, 1);
  }
  return shown.join('\n').replace(/\n{3,}/g, '\n\n');
}
