import { toString as textOf } from 'mdast-util-to-string';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import { unified } from 'unified';
import { visit } from 'unist-util-visit';
import type { StepRun } from '../packages/local-runner/run-step.ts';
import { withoutCheckout } from './tour.ts';

/** What differs from run to run is always the same in the picture: by column, and in the annotation. */
const STEADY_CELLS: ReadonlyMap<string, string> = new Map([
  ['Duration', '9 ms'],
  ['Billed', '252 ms'],
  ['Memory', '84 of 128 MB'],
  ['Request id', '0e4bb8da…'],
]);
const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
const STEADY_ID = '0e4bb8da-3970-4aca-bb5b-62d3a27bb2d4';

type Summary = Readonly<{ title: string; rows: readonly (readonly string[])[] }>;

/** The title and the table of a summary, as text. */
function readSummary(markdown: string): Summary {
  let title = '';
  const rows: string[][] = [];
  visit(unified().use(remarkParse).use(remarkGfm).parse(markdown), (node) => {
    if (node.type === 'heading') title = textOf(node);
    if (node.type === 'tableRow') rows.push(node.children.map((cell) => textOf(cell)));
  });
  return { title, rows };
}

function steady({ title, rows }: Summary): Summary {
  const [header = [], ...body] = rows;
  const cell = (text: string, column: number): string => STEADY_CELLS.get(header[column] ?? '') ?? text;
  return { title, rows: [header, ...body.map((row) => row.map(cell))] };
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const WIDTH = 920;
const LINE = 20;
/** Of a character in the picture's typeface, with room to spare. */
const CHARACTER = 7.4;

type Style = 'plain' | 'strong' | 'title' | 'quiet' | 'code' | 'link';

const text = (at: Readonly<{ x: number; y: number; style: Style }>, content: string): string =>
  `<text x="${Math.round(at.x)}" y="${at.y}" class="${at.style}" xml:space="preserve">${escaped(content)}</text>`;
const box = (y: number, height: number): string =>
  `<rect x="0.5" y="${y + 0.5}" width="${WIDTH - 1}" height="${height}" rx="6" class="box"/>`;

/** A table whose columns are as wide as their longest cell. */
function drawTable(rows: Summary['rows'], top: number): string {
  const widths = (rows[0] ?? []).map(
    (_, column) => Math.max(...rows.map((row) => [...(row[column] ?? '')].length)) * CHARACTER + 26,
  );
  const total = widths.reduce((sum, width) => sum + width, 0);
  const lines = rows.flatMap((row, line) => {
    const y = top + line * 36;
    let x = 16;
    const cells = row.map((cell, column) => {
      const style = line === 0 ? 'strong' : rows[0]?.[column] === 'Request id' ? 'link' : 'plain';
      const drawn = `<rect x="${Math.round(x)}" y="${y}" width="${Math.round(widths[column] ?? 0)}" height="36" class="cell"/>${text({ x: x + 13, y: y + 23, style }, cell)}`;
      x += widths[column] ?? 0;
      return drawn;
    });
    return cells;
  });
  if (total + 32 > WIDTH) throw new Error(`the table is ${Math.round(total)} wide and the picture ${WIDTH}`);
  return lines.join('\n');
}

/** Draws what a failed step leaves on the page of the run: its annotation and its summary, as an SVG. */
export function drawFailure({ annotations, summary }: Pick<StepRun, 'annotations' | 'summary'>): string {
  const [annotation] = annotations;
  if (annotation === undefined) throw new Error('the step left no annotation');
  const message = withoutCheckout(annotation.message).replace(UUID, STEADY_ID).split('\n');
  const { title, rows } = steady(readSummary(summary));

  const below = 90 + message.length * LINE;
  const height = below + 80 + rows.length * 36 + 18;
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">`,
    `<title>${escaped(`${annotation.title}: ${message.join(' ')}`)}</title>`,
    '<style>',
    'text { font: 14px -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; fill: #1f2328 }',
    '.strong { font-weight: 600 } .title { font-size: 16px; font-weight: 600 } .quiet { fill: #59636e; font-size: 12px }',
    '.code { font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace } .link { fill: #0969da }',
    '.box { fill: #ffffff; stroke: #d1d9e0 } .cell { fill: none; stroke: #d1d9e0 } .mark { fill: #d1242f }',
    '</style>',
    box(0, below - 12),
    text({ x: 16, y: 26, style: 'strong' }, 'Annotations'),
    text({ x: 112, y: 26, style: 'quiet' }, `${annotations.length} ${annotation.level}`),
    '<circle cx="24" cy="54" r="8" class="mark"/>',
    '<path d="m21 51 6 6m0-6-6 6" stroke="#ffffff" stroke-width="1.6"/>',
    text({ x: 42, y: 59, style: 'strong' }, annotation.title),
    ...message.map((line, index) => text({ x: 42, y: 84 + index * LINE, style: 'code' }, line)),
    box(below + 4, height - below - 5),
    text({ x: 16, y: below + 30, style: 'quiet' }, 'summary'),
    text({ x: 16, y: below + 56, style: 'title' }, title),
    drawTable(rows, below + 74),
    '</svg>',
  ].join('\n')}\n`;
}
