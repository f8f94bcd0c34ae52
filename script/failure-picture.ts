import type { Paragraph, PhrasingContent } from 'mdast';
import { toString as textOf } from 'mdast-util-to-string';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import { unified } from 'unified';
import type { StepRun } from '../packages/local-runner/run-step.ts';
import { withoutCheckout } from './tour.ts';

// Values that differ between runs have fixed values in the picture.
const STEADY: readonly (readonly [pattern: RegExp, text: string])[] = [
  [/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '0e4bb8da-3970-4aca-bb5b-62d3a27bb2d4'],
  [/request [0-9a-f]{8}…/g, 'request 0e4bb8da…'],
  [/[\d,.]+\s?ms \(billed [\d,.]+\s?ms\)/g, '9 ms (billed 252 ms)'],
  [/\d+\s?of\s?128\s?MB/g, '84 of 128 MB'],
  [/cold\sstart\s[\d,.]+\s?ms/g, 'cold start 243 ms'],
  // The address of a page in the console is wider than the picture, so it is cut.
  [/(https:\/\/[\w-]+\.console\.aws\.amazon\.com\/)\S+/g, '$1…'],
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

// A phone shows a README about 370 px wide, so it scales a picture of this width to three quarters or more.
const WIDTH = 460;
const LINE = 22;
const MARGIN = 16;

/** A style of text: its rule in the style sheet, and how many characters fit into a line of the picture. */
const STYLES = {
  plain: { rule: 'font-size: 14px', columns: 56 },
  strong: { rule: 'font-weight: 600', columns: 52 },
  title: { rule: 'font-size: 17px; font-weight: 600', columns: 44 },
  quiet: { rule: 'font-size: 13px', columns: 66 },
  code: { rule: 'font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace', columns: 50 },
} as const satisfies Readonly<Record<string, Readonly<{ rule: string; columns: number }>>>;
type Style = keyof typeof STYLES;

/** A text in lines that fit, broken between words. The second and later lines are indented more. */
function wrapped(text: string, style: Style): string[] {
  const indent = `${/^ */.exec(text)?.[0] ?? ''}${style === 'code' ? '  ' : ''}`;
  const lines: string[] = [];
  for (const word of text.trimStart().split(' ')) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length === 0) lines.push(`${/^ */.exec(text)?.[0] ?? ''}${word}`);
    else if (longer.length <= STYLES[style].columns) lines[lines.length - 1] = longer;
    else lines.push(`${indent}${word}`);
  }
  return lines;
}

/** A line of the picture: its text, style, indentation and mark. */
type Line = Readonly<{ text: string; style: Style; x: number; mark?: 'error' | 'quote' }>;

const linesOfText = (text: string, { style, x, mark }: Omit<Line, 'text'>): Line[] =>
  wrapped(text, style).map((line, at) => ({
    text: line,
    style,
    x,
    ...(mark !== undefined && (mark === 'quote' || at === 0) && { mark }),
  }));

const MARKS = {
  error: (y: number): string =>
    `<circle cx="24" cy="${y - 5}" r="8" class="mark"/><path d="m21 ${y - 8} 6 6m0-6-6 6" class="cross"/>`,
  quote: (y: number): string => `<rect x="${MARGIN}" y="${y - 16}" width="3" height="${LINE}" class="bar"/>`,
} as const;

/** A box with lines, and its height. */
function drawBox(lines: readonly Line[], top: number): Readonly<{ drawn: string; height: number }> {
  const height = lines.length * LINE + MARGIN;
  const box = `<rect x="0.5" y="${top + 0.5}" width="${WIDTH - 1}" height="${height - 1}" rx="6" class="box"/>`;
  const rows = lines.map(({ text, style, x, mark }, at) => {
    const y = top + (at + 1) * LINE + 2;
    const beside = mark === undefined ? '' : MARKS[mark](y);
    return `${beside}<text x="${x}" y="${y}" class="${style}" xml:space="preserve">${escaped(text)}</text>`;
  });
  return { drawn: [box, ...rows].join('\n'), height };
}

const STYLE_SHEET = [
  'text { font: 14px -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; fill: #1f2328 }',
  ...Object.entries(STYLES).map(([name, { rule }]) => `.${name} { ${rule} }`),
  '.quiet { fill: #59636e } .box { fill: #ffffff; stroke: #d1d9e0 } .bar { fill: #d1d9e0 }',
  '.mark { fill: #d1242f } .cross { stroke: #ffffff; stroke-width: 1.6 }',
  '@media (prefers-color-scheme: dark) {',
  'text { fill: #f0f6fc } .quiet { fill: #9198a1 } .box { fill: #0d1117; stroke: #3d444d } .bar { fill: #3d444d }',
  '.mark { fill: #f85149 } .cross { stroke: #0d1117 }',
  '}',
];

/** Draws the annotation and the summary of a failed step as an SVG. */
export function drawFailure({ annotations, summary }: Pick<StepRun, 'annotations' | 'summary'>): string {
  const [annotation] = annotations;
  if (annotation === undefined) throw new Error('the step left no annotation');
  const message = steady(annotation.message).split('\n');
  const { title, lines } = readSummary(summary);

  const upper = drawBox(
    [
      ...linesOfText(annotation.title, { style: 'strong', x: 42, mark: 'error' }),
      ...message.flatMap((text) => linesOfText(text, { style: 'code', x: 42 })),
    ],
    0,
  );
  const lower = drawBox(
    [
      // The mark is drawn as a shape, because not every font has it.
      ...linesOfText(title.replace(/^❌ /, ''), { style: 'title', x: 42, mark: 'error' }),
      ...lines.flatMap(({ text, isQuoted }, at) =>
        isQuoted
          ? linesOfText(text, { style: at === 0 ? 'strong' : 'plain', x: 30, mark: 'quote' })
          : linesOfText(text, { style: 'quiet', x: MARGIN }),
      ),
    ],
    upper.height + MARGIN,
  );
  const height = upper.height + MARGIN + lower.height;
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">`,
    `<title>${escaped(`${annotation.title}: ${message.join(' ')}`)}</title>`,
    '<style>',
    ...STYLE_SHEET,
    '</style>',
    upper.drawn,
    lower.drawn,
    '</svg>',
  ].join('\n')}\n`;
}
