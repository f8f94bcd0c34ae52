import type { Paragraph, PhrasingContent } from 'mdast';
import { toString as textOf } from 'mdast-util-to-string';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import { unified } from 'unified';
import type { StepRun } from '../packages/local-runner/run-step.ts';
import { withoutCheckout } from './tour.ts';

// What differs from run to run is always the same in the picture.
const STEADY: readonly (readonly [pattern: RegExp, text: string])[] = [
  [/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '0e4bb8da-3970-4aca-bb5b-62d3a27bb2d4'],
  [/request [0-9a-f]{8}…/g, 'request 0e4bb8da…'],
  [/[\d,.]+\s?ms \(billed [\d,.]+\s?ms\)/g, '9 ms (billed 252 ms)'],
  [/\d+\s?of\s?128\s?MB/g, '84 of 128 MB'],
  [/cold\sstart\s[\d,.]+\s?ms/g, 'cold start 243 ms'],
];
const steady = (text: string): string =>
  STEADY.reduce((shown, [pattern, fixed]) => shown.replace(pattern, fixed), withoutCheckout(text));

type SummaryLine = Readonly<{ text: string; isQuoted: boolean }>;
type Summary = Readonly<{ title: string; lines: readonly SummaryLine[] }>;

/** A paragraph's lines as text. */
function linesOf(paragraph: Paragraph): string[] {
  const lines: PhrasingContent[][] = [[]];
  for (const child of paragraph.children) {
    if (child.type === 'break') lines.push([]);
    else lines.at(-1)?.push(child);
  }
  return lines.map((line) => steady(line.map((part) => textOf(part)).join('')));
}

/** The title, the quote and the figures of a summary, as text. */
function readSummary(markdown: string): Summary {
  let title = '';
  const lines: SummaryLine[] = [];
  for (const node of unified().use(remarkParse).use(remarkGfm).parse(markdown).children) {
    if (node.type === 'heading') title = textOf(node);
    const paragraphs = node.type === 'blockquote' ? node.children : [node];
    for (const paragraph of paragraphs) {
      if (paragraph.type !== 'paragraph') continue;
      for (const text of linesOf(paragraph)) lines.push({ text, isQuoted: node.type === 'blockquote' });
    }
  }
  return { title, lines };
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const WIDTH = 920;
const LINE = 20;

type Style = 'plain' | 'strong' | 'title' | 'quiet' | 'code';

const text = (at: Readonly<{ x: number; y: number; style: Style }>, content: string): string =>
  `<text x="${Math.round(at.x)}" y="${at.y}" class="${at.style}" xml:space="preserve">${escaped(content)}</text>`;
const box = (y: number, height: number): string =>
  `<rect x="0.5" y="${y + 0.5}" width="${WIDTH - 1}" height="${height}" rx="6" class="box"/>`;

const bar = (y: number): string => `<rect x="16" y="${y - 16}" width="3" height="${LINE + 4}" class="bar"/>`;

/** The lines of a summary below its title, those of the quote beside a bar. */
const drawLines = (lines: readonly SummaryLine[], top: number): string =>
  lines
    .map(({ text: line, isQuoted }, index) => {
      const y = top + index * (LINE + 4);
      return isQuoted
        ? `${bar(y)}${text({ x: 30, y, style: index === 0 ? 'strong' : 'plain' }, line)}`
        : text({ x: 16, y, style: 'quiet' }, line);
    })
    .join('\n');

/** Draws what a failed step leaves on the page of the run: its annotation and its summary, as an SVG. */
export function drawFailure({ annotations, summary }: Pick<StepRun, 'annotations' | 'summary'>): string {
  const [annotation] = annotations;
  if (annotation === undefined) throw new Error('the step left no annotation');
  const message = steady(annotation.message).split('\n');
  const { title, lines } = readSummary(summary);

  const below = 90 + message.length * LINE;
  const height = below + 80 + lines.length * (LINE + 4) + 12;
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">`,
    `<title>${escaped(`${annotation.title}: ${message.join(' ')}`)}</title>`,
    '<style>',
    'text { font: 14px -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; fill: #1f2328 }',
    '.strong { font-weight: 600 } .title { font-size: 16px; font-weight: 600 } .quiet { fill: #59636e; font-size: 12px }',
    '.code { font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace }',
    '.box { fill: #ffffff; stroke: #d1d9e0 } .bar { fill: #d1d9e0 } .mark { fill: #d1242f }',
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
    drawLines(lines, below + 86),
    '</svg>',
  ].join('\n')}\n`;
}
