import { onOneLine, shortened } from '../shared/text.ts';

/**
 * Foreign text as a code span, in which Markdown knows no markup, link or mention.
 * The fence is longer than any run of backticks in it, and a `|` can't end a table's cell.
 */
export function codeSpan(foreign: string): string {
  // A backslash before an escaped pipe: some renderers end the cell there.
  const text = onOneLine(foreign).replaceAll('\\|', '\\ |');
  if (text === '') return '';
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const ticks = '`'.repeat(longest + 1);
  const pad = /^`|`$/.test(text) ? ' ' : '';
  return `${ticks}${pad}${text.replaceAll('|', '\\|')}${pad}${ticks}`;
}

// A header or an error's name has no length that anybody promises, and a summary has.
const LONGEST_CELL = 256;

/** Foreign text for a cell of a table, or a sentence: a code span, cut where it is long. */
export const foreignCell = (foreign: string): string => codeSpan(shortened(foreign, LONGEST_CELL));

/** Foreign text between tags of HTML. */
export const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** A table of GitHub Flavored Markdown; cells are Markdown already. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

/** A code block whose fence is longer than any run of backticks in it. */
export function codeBlock(language: string, text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const ticks = '`'.repeat(longest + 1);
  return [`${ticks}${language}`, text, ticks].join('\n');
}
