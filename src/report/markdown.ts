import { onOneLine, shortened } from '../shared/text.ts';

/**
 * Foreign text as a code span, in which Markdown has no markup, link or mention.
 * The fence is longer than any run of backticks in it, and a `|` can't end a table's cell.
 */
export function codeSpan(foreign: string): string {
  // After a backslash, some renderers end the cell at an escaped pipe.
  const text = onOneLine(foreign).replaceAll('\\|', '\\ |');
  if (text === '') return '';
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const ticks = '`'.repeat(longest + 1);
  const pad = /^`|`$/.test(text) ? ' ' : '';
  return `${ticks}${pad}${text.replaceAll('|', '\\|')}${pad}${ticks}`;
}

// The length of a header or an error's name is not bounded, but that of a summary is.
const LONGEST_CELL = 256;

/** Foreign text for a cell of a table or a sentence: a code span, cut to 256 characters. */
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
