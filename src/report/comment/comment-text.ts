import { grouped, shortened } from '../../shared/text.ts';
import { escapeHtml, foldOf } from '../markdown.ts';

/** GitHub accepts 65,536 characters; line ends count twice here, since GitHub may store each as CR LF. */
const LONGEST = 65_536;
/** Cutting a title could leave a code span open: the names of a function and an error fit in here. */
const LONGEST_TITLE = 512;
/** As many characters of a commit as GitHub itself shows. */
export const SHORT_SHA = 7;
/** If fewer rows than this would fit, folds are left out instead. */
const FEWEST_ROWS = 10;

const sizeOf = (text: string): number => text.length + text.split('\n').length;

/** The line by which a comment is found. No key can end the HTML comment, and different keys give different lines. */
export function markerOf(key: string): string {
  const encoded = encodeURIComponent(key.toWellFormed()).replaceAll('--', '%2D%2D');
  return `<!-- aws-lambda-invoke-action: ${encoded} -->`;
}

/**
 * Whether the first line of a comment is the marker. A line that only begins with the marker is from another comment.
 */
export const isMarked = (body: string, marker: string): boolean =>
  body.split('\n', 1)[0]?.trimEnd() === marker;

type SplitTable = Readonly<{ head: readonly string[]; rows: readonly string[]; rest: readonly string[] }>;

function splitTable(markdown: string): SplitTable {
  const lines = markdown.split('\n');
  const start = lines.findIndex((line) => /^\|(?: *:?-+:? *\|)+$/.test(line.trim())) + 1;
  if (start === 0) return { head: lines, rows: [], rest: [] };
  const after = lines.slice(start).findIndex((line) => !line.trimStart().startsWith('|'));
  const end = after < 0 ? lines.length : start + after;
  return { head: lines.slice(0, start), rows: lines.slice(start, end), rest: lines.slice(end) };
}

const rowsLeftOut = (left: number): string[] =>
  left === 0 ? [] : [`… and ${grouped(left)} more ${left === 1 ? 'row' : 'rows'}.`];

const foldsLeftOut = (titles: readonly string[]): string[] =>
  titles.length === 0
    ? []
    : [
        `Omitted to stay under GitHub's limit for a comment: ${titles.map(escapeHtml).join(', ')}. See the run.`,
      ];

const joinBlocks = (blocks: readonly string[]): string =>
  `${blocks
    .map((block) => block.trim())
    .filter((block) => block !== '')
    .join('\n\n')}\n`;

/** How many of the first rows fit into `room` characters; -1 if there is no room at all. */
function countFitting(rows: readonly string[], room: number): number {
  if (room < 0) return -1;
  let left = room;
  const firstTooMany = rows.findIndex((row) => {
    left -= row.length + 2;
    return left < 0;
  });
  return firstTooMany < 0 ? rows.length : firstTooMany;
}

/** The parts of a comment. All except the key are Markdown. */
type CommentParts = Readonly<{
  key: string;
  title: string;
  table: string;
  details: readonly Readonly<{ title: string; body: string }>[];
  commit: string;
  runUrl: string;
}>;

/** Renders a comment with the first rows of its table and the first folds, or without the table. */
type Renderer = Readonly<{
  rows: readonly string[];
  folds: readonly string[];
  render: (rowCount: number, foldCount: number) => string;
  renderWithoutTable: () => string;
}>;

function rendererOf(parts: CommentParts): Renderer {
  const { head, rows, rest } = splitTable(parts.table);
  const start = [markerOf(parts.key), `### ${shortened(parts.title, LONGEST_TITLE)}`];
  const footer = `<sub>Commit ${parts.commit.slice(0, SHORT_SHA)} · [run](${parts.runUrl})</sub>`;
  const titles = parts.details.map(({ title }) => shortened(title, LONGEST_TITLE));
  const folds = parts.details.map(({ body }, index) => foldOf({ title: titles[index] ?? '', body }));
  return {
    rows,
    folds,
    render: (rowCount, foldCount) =>
      joinBlocks([
        ...start,
        [...head, ...rows.slice(0, rowCount)].join('\n'),
        ...rowsLeftOut(rows.length - rowCount),
        rest.join('\n'),
        ...folds.slice(0, foldCount),
        ...foldsLeftOut(titles.slice(foldCount)),
        footer,
      ]),
    renderWithoutTable: () =>
      joinBlocks([...start, 'The table is too long for a comment. See the run.', footer]),
  };
}

/**
 * The comment's Markdown: marker, heading, table, folds, and a footer with commit and run. If it would be longer than
 * GitHub accepts, the last rows are left out and counted, and then folds are left out.
 */
export function composeComment(parts: CommentParts): string {
  const { rows, folds, render, renderWithoutTable } = rendererOf(parts);
  for (let foldCount = folds.length; foldCount >= 0; foldCount -= 1) {
    const whole = render(rows.length, foldCount);
    if (sizeOf(whole) < LONGEST) return whole;
    const fitting = countFitting(rows, LONGEST - 1 - sizeOf(render(0, foldCount)));
    if (fitting >= Math.min(rows.length, foldCount > 0 ? FEWEST_ROWS : 1)) return render(fitting, foldCount);
  }
  return renderWithoutTable();
}
