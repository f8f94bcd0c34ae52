import { onOneLine, shortened } from '../shared/text.ts';

/**
 * Foreign text as a code span, in which Markdown has no markup, link or mention.
 * The fence is longer than any run of backticks in it. Not for a cell of a table, because a `|` would end it.
 */
export function inlineCode(foreign: string): string {
  const text = onOneLine(foreign);
  if (text === '') return '';
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const ticks = '`'.repeat(longest + 1);
  const pad = /^`|`$/.test(text) ? ' ' : '';
  return `${ticks}${pad}${text}${pad}${ticks}`;
}

/**
 * Foreign text as a code span for a cell of a table. Some renderers end the cell at an escaped pipe after a backslash.
 */
export const codeSpan = (foreign: string): string =>
  inlineCode(onOneLine(foreign).replaceAll('\\|', '\\ |')).replaceAll('|', '\\|');

// Cells are cut because a header or the name of an error can be long, and the length of a summary is limited.
const LONGEST_CELL = 256;

/** Foreign text for a cell of a table: a code span, cut to 256 characters. */
export const foreignCell = (foreign: string): string => codeSpan(shortened(foreign, LONGEST_CELL));

// GitHub turns addresses that begin with www, GH-1, and 7 to 40 hexadecimal digits of a commit into links.
const BARE_WORD = /^(?!www\.|gh-\d|.*\b[0-9a-f]{7,40}\b)[a-z0-9]+(?:[.-][a-z0-9]+)*$/i;
const LONGEST_WORD = 64;

/**
 * The name of an error, a version or a region: a plain word as it is, any other text as a code span of at most 64
 * characters.
 */
export const wordOrCode = (foreign: string): string =>
  foreign.length <= LONGEST_WORD && BARE_WORD.test(foreign)
    ? foreign
    : inlineCode(shortened(foreign, LONGEST_WORD));

// Texts with only letters and punctuation that can't be markup, a mention, a reference, an emoji or an address.
const PLAIN = /^(?!.*(?:www\.|:\w+:|:\/\/|\bGH-\d|\b[0-9a-f]{7,40}\b))[a-z0-9.,;:?()'"%/_-]*$/i;

// Advice links to these pages. Their addresses are too long to read.
const CONSOLE_PAGE =
  /^https:\/\/[a-z0-9-]+\.console\.(?:aws\.amazon\.com|amazonaws\.cn|amazonaws-us-gov\.com|amazonaws-eusc\.eu)\/cloudwatch\/home\?region=[a-z0-9-]+#logsV2:[\w$:/.-]+$/;

/** Whether a text is the address of a log page in the CloudWatch console, which is no markup. */
export const isConsolePage = (text: string): boolean => CONSOLE_PAGE.test(text);

/**
 * Sentences that may quote foreign text: plain words as they are, log pages of the CloudWatch console as links, and
 * everything else, including `code`, as code spans.
 */
export const prose = (text: string): string =>
  onOneLine(text)
    .split(/(`[^`]*`| )/)
    .map((part) => {
      if (/^`.*`$/.test(part)) return inlineCode(part.slice(1, -1));
      if (isConsolePage(part)) return `[open the log](${part})`;
      if (part === ' ' || PLAIN.test(part)) return part.replaceAll('_', '\\_');
      // A reader copies a code span, so the end of the sentence is not in it.
      const [, word = part, end = ''] = /^(.+?)([.,;:]?)$/s.exec(part) ?? [];
      return `${inlineCode(word)}${end}`;
    })
    .join('');

/** The same for several lines. Each keeps its indentation, which lines of YAML need. */
export const proseLines = (text: string): string =>
  text
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .map((line) => `${'\u00a0'.repeat(line.length - line.trimStart().length)}${prose(line)}`)
    .join('\\\n');

/** A section that a reader can open. The body is Markdown. */
export type Fold = Readonly<{ title: string; body: string }>;

/** Foreign text for use between HTML tags. */
export const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** A table of GitHub Flavored Markdown. The cells are Markdown. */
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

/** The HTML of a fold, closed unless `isOpen`. */
export const foldOf = ({ title, body }: Fold, { isOpen } = { isOpen: false }): string =>
  `<details${isOpen ? ' open' : ''}><summary>${escapeHtml(title)}</summary>\n\n${body.trim()}\n\n</details>`;

/** Joins blocks of Markdown, without empty ones. */
export const joinMarkdown = (blocks: readonly string[]): string =>
  blocks.filter((block) => block !== '').join('\n\n');
