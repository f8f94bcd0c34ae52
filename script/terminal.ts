import { type ParseArgsConfig, parseArgs } from 'node:util';
import { stringify } from 'yaml';
import type { Annotation, LogLine } from '../packages/local-runner/commands.ts';
import { type Counts, withoutCheckout } from './tour.ts';

const COLORS = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;
const COLORFUL = process.stdout.isTTY === true && (process.env['NO_COLOR'] ?? '') === '';
const WIDTH = Math.max(process.stdout.columns ?? 110, 60) - 4;

/** Text in a color, if the output is a terminal. */
export const paint = (color: keyof typeof COLORS, text: string): string =>
  COLORFUL ? `\u001b[${COLORS[color]}m${text}\u001b[0m` : text;

/** Whether a long line is shown in full, or cut at the width of the terminal. */
export type Extent = 'full' | 'cut';

const within = (extent: Extent, text: string): string =>
  extent === 'cut' && text.length > WIDTH ? `${text.slice(0, WIDTH - 2)} …` : text;

export const print = (text: string): void => {
  process.stdout.write(text);
};

/** An error in how a command is used. Its message is for the person who ran the command. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** Reads a command's arguments. Throws a UsageError with the hint if they are not valid. */
export function readArguments<const Config extends ParseArgsConfig>(
  config: Config,
  hint: string,
): ReturnType<typeof parseArgs<Config>> {
  try {
    return parseArgs(config);
  } catch (error) {
    const [problem = ''] = String(error instanceof Error ? error.message : error).split(/\. |\n/);
    throw new UsageError(`${problem.replace(/\.$/, '')}. ${hint}`, { cause: error });
  }
}

/** Runs a command. If it is used in a wrong way, prints one line that says what is wrong. */
export async function runCommand(main: () => Promise<void>): Promise<void> {
  // The reader, such as head in a pipeline, is gone. The steps that are running still end normally.
  process.stdout.on('error', () => {});
  try {
    await main();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
  }
}

/** Names side by side, on as many lines as needed. */
export const inLines = (names: readonly string[]): string =>
  names
    .join(', ')
    .replaceAll(new RegExp(`(.{1,${WIDTH}})(?: |$)`, 'g'), '$1\n')
    .trimEnd();

/** A step with these inputs, as a workflow has it. */
export const showStep = (inputs: Readonly<Record<string, string>>): string =>
  stringify({ uses: 'OWNER/aws-lambda-invoke@v1', with: inputs }, { lineWidth: 0 });

/** A sentence that says whether something succeeded. */
export const showResult = (succeeded: boolean, what: string): string =>
  succeeded ? paint('green', `The ${what} succeeded.`) : paint('red', `The ${what} failed.`);

/** How often a function was requested, and how often it ran. The two differ if a request is refused or retried. */
export const showCounts = ({ requests, executions }: Counts): string =>
  `Invocation requests: ${requests}. Function executions: ${executions}.`;

/** Indents lines. */
export const indented = (text: string): string => text.replace(/^(?=.)/gm, '  ');

/** A part of the output with a title; empty if it has no content. */
export const section = (title: string, text: string): string =>
  text.trim() === '' ? '' : `${paint('dim', title)}\n${indented(text.trimEnd())}\n\n`;

function showLine({ kind, text, depth }: LogLine, extent: Extent): string {
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
      return indent + within(extent, text.replaceAll('\t', '  ').trimEnd());
    default:
      return kind satisfies never;
  }
}

/** A step's log. */
export const showLog = (lines: readonly LogLine[], extent: Extent): string =>
  lines.map((line) => showLine({ ...line, text: withoutCheckout(line.text) }, extent)).join('\n');

/** The first line of each annotation. The log has the others. */
export const showAnnotations = (annotations: readonly Annotation[]): string =>
  annotations
    .map(({ level, title, message }) => {
      const [first = ''] = message.split('\n');
      const text = within('cut', withoutCheckout(title === '' ? first : `${title}: ${first}`));
      return level === 'error' ? paint('red', `✗ ${text}`) : paint('yellow', `! ${text}`);
    })
    .join('\n');

function showValue(value: string, extent: Extent): string {
  if (extent === 'full') return value.includes('\n') ? `\n${indented(value.trimEnd())}` : ` ${value}`;
  const [first = '', ...rest] = value.split('\n');
  return ` ${first}${rest.some((line) => line !== '') ? ' …' : ''}`;
}

/** The outputs that were set. Outputs that repeat the log or other outputs are only named. */
export function showOutputs(outputs: Readonly<Record<string, string>>, extent: Extent): string {
  const given = Object.entries(outputs).filter(([, value]) => value !== '');
  const long = given.flatMap(([name]) => (LONG_OUTPUTS.has(name) ? [name] : []));
  return [
    ...given
      .filter(([name]) => !LONG_OUTPUTS.has(name))
      .map(([name, value]) => within(extent, `${name}:${showValue(value, extent)}`)),
    ...(long.length > 0 ? [paint('dim', `Also set: ${long.join(', ')}`)] : []),
  ].join('\n');
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
    .replace(/```mermaid\n[\s\S]*?```\n?/g, '(timeline chart)\n')
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
