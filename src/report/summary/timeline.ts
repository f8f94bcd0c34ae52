import type { Outcome } from '../../outcome/outcome.ts';
import type { Fold } from '../markdown.ts';
import { selected, spanOf } from './statistics.ts';

type Look = 'failed' | 'cold' | 'other';
/** One invocation in the timeline, in milliseconds since the first start. */
type Bar = Readonly<{ start: number; end: number; look: Look; outcome: Outcome }>;
/** A bar for each invocation whose time is known. Each iteration creates the bars again. */
type Bars = Iterable<Bar> &
  Readonly<{
    length: number;
    lengthMs: number;
    looks: ReadonlySet<Look>;
    /** Whether an invocation with a cold start failed. */
    hasColdFailure: boolean;
  }>;

const MOST_NAMED_BARS = 20;
const MOST_BARS = 300;
const MOST_LANES = 50;
const SLICES = 50;
const MOST_TICKS = 6;
// The least share of the width. A shorter bar would not be visible.
const LEAST_SHARE = 1 / 200;

const LOOKS = ['failed', 'cold', 'other'] as const satisfies readonly Look[];
// The colors are visible on white and on black, and match the squares in the legend. Gantt charts have only these tags.
const STYLES: Readonly<
  Record<Look, Readonly<{ tag: string; variable: string; fill: string; line: string }>>
> = {
  failed: { tag: 'crit', variable: 'crit', fill: '#e5484d', line: '#b42318' },
  cold: { tag: 'active', variable: 'activeTask', fill: '#54aeff', line: '#0969da' },
  other: { tag: 'done', variable: 'doneTask', fill: '#d0d7de', line: '#8c959f' },
};

// The background of every second row. Mermaid draws it with a fifth of the opacity.
const BANDS = ['sectionBkgColor', 'sectionBkgColor2']
  .map((variable) => `    ${variable}: "#8c959f"`)
  .concat('    altSectionBkgColor: "transparent"');

/** The format of times in periods up to `longestMs`, in units of `unitMs`. */
type Scale = Readonly<{
  longestMs: number;
  unitMs: number;
  name: string;
  axisMs: number;
  axisFormat: string;
}>;

const MINUTES: Scale = {
  longestMs: Number.POSITIVE_INFINITY,
  unitMs: 60_000,
  name: 'minutes',
  axisMs: 1_000,
  axisFormat: '%s min',
};
// The axis of a Gantt chart is a clock in the reader's time zone. Milliseconds (%Q) and seconds (%s) since 1970 are
// the same in every time zone, but minutes are not, so one second of the axis stands for a minute.
const SCALES: readonly Scale[] = [
  { longestMs: 5_000, unitMs: 1, name: 'milliseconds', axisMs: 1, axisFormat: '%Q ms' },
  { longestMs: 600_000, unitMs: 1_000, name: 'seconds', axisMs: 1_000, axisFormat: '%s s' },
  MINUTES,
];
const scaleFor = (lengthMs: number): Scale =>
  SCALES.find(({ longestMs }) => lengthMs <= longestMs) ?? MINUTES;

const coldStart = (outcome: Outcome): boolean | undefined =>
  'cold_start' in outcome ? outcome.cold_start : undefined;

function lookOf(outcome: Outcome): Look {
  if (outcome.outcome !== 'succeeded') return 'failed';
  return coldStart(outcome) === true ? 'cold' : 'other';
}

/** The bars in the order of the outcomes, relative to the first start, without outcomes whose time is not known. */
function barsOf(outcomes: Iterable<Outcome>): Bars {
  const looks = new Set<Look>();
  let [origin, end] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  let length = 0;
  let hasColdFailure = false;
  for (const outcome of outcomes) {
    const span = spanOf(outcome);
    if (span === undefined) continue;
    const look = lookOf(outcome);
    looks.add(look);
    hasColdFailure ||= look === 'failed' && coldStart(outcome) === true;
    origin = Math.min(origin, span.start);
    end = Math.max(end, span.end, span.start + 1);
    length += 1;
  }
  return {
    ...{ length, looks, hasColdFailure, lengthMs: Math.max(end - origin, 1) },
    *[Symbol.iterator]() {
      for (const outcome of outcomes) {
        const span = spanOf(outcome);
        if (span === undefined) continue;
        const start = span.start - origin;
        // The clock counts whole milliseconds.
        yield { start, end: Math.max(span.end - origin, start + 1), look: lookOf(outcome), outcome };
      }
    },
  };
}

const lengthOf = (bars: readonly Bar[]): number =>
  bars.reduce((longest, { end }) => Math.max(longest, end), 1);

/**
 * The bars by lane, each in the first free lane, as in Mermaid's compact mode; undefined for more than `most` lanes.
 */
function lanesOf(bars: readonly Bar[], most: number): Bar[][] | undefined {
  const lanes: Bar[][] = [];
  for (const bar of bars) {
    const free = lanes.find((lane) => (lane.at(-1)?.end ?? 0) <= bar.start);
    if (free) free.push(bar);
    else if (lanes.length === most) return undefined;
    else lanes.push([bar]);
  }
  return lanes;
}

/** Makes bars wide enough to be visible, as far as there is room before the next bar in the lane. */
function widen(lane: readonly Bar[], leastMs: number): Bar[] {
  return lane.map((bar, at) => {
    const room = lane[at + 1]?.start ?? Number.POSITIVE_INFINITY;
    return { ...bar, end: Math.max(bar.end, Math.min(bar.start + leastMs, room)) };
  });
}

/** The characters of a name that are not part of Mermaid's own syntax. */
const mermaidText = (foreign: string): string => foreign.replace(/[^A-Za-z0-9_.$-]/g, '');
const LONGEST_NAME = 24;

/** Cuts the middle of a name, because both ends together say more than the start: `my-service…-create`. */
function shortenMiddle(name: string): string {
  if (name.length <= LONGEST_NAME) return name;
  const half = Math.floor(LONGEST_NAME / 2);
  return `${name.slice(0, half)}…${name.slice(1 - half)}`;
}

/** The entry's own name in characters that Mermaid can show, or else the name of the function. */
function labelText({ name = '', function_name: functionName, qualifier }: Outcome): string {
  const own = mermaidText(name.replaceAll(' ', '-'));
  if (own !== '') return own;
  return mermaidText(functionName) + (qualifier ? `:${mermaidText(qualifier)}` : '');
}

function nameOf({ outcome, look }: Bar): string {
  const label = shortenMiddle(labelText(outcome));
  // The number distinguishes rows with the same name, and prevents that a name is a keyword of Mermaid.
  return `${outcome.index + 1} ${label}${look === 'failed' ? ' ❌' : ''}`;
}

/** The distance between ticks: 1, 2 or 5 with zeros, so that there are at most `MOST_TICKS`. */
function tickOf(length: number): number {
  const least = Math.max(length / MOST_TICKS, 1);
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 5].find((digit) => digit * power >= least) ?? 10) * power;
}

const mermaid = (lines: readonly string[]): string => ['```mermaid', ...lines, '```'].join('\n');

type Gantt = Readonly<{ settings: readonly string[]; rows: readonly string[]; lengthMs: number }>;

function gantt({ settings, rows, lengthMs }: Gantt): string {
  const { unitMs, axisMs, axisFormat } = scaleFor(lengthMs);
  return mermaid([
    '---',
    ...settings,
    '  themeVariables:',
    ...BANDS,
    ...LOOKS.flatMap((look) => {
      const { variable, fill, line } = STYLES[look];
      return [`    ${variable}BkgColor: "${fill}"`, `    ${variable}BorderColor: "${line}"`];
    }),
    '---',
    'gantt',
    'dateFormat x',
    `axisFormat ${axisFormat}`,
    `tickInterval ${tickOf((lengthMs / unitMs) * axisMs)}millisecond`,
    'todayMarker off',
    ...rows,
  ]);
}

// Mermaid requires a text for each bar. This one has no width.
const NO_TEXT = '\u200b';

function barLine({ start, end, look }: Bar, { unitMs, axisMs }: Scale): string {
  const from = Math.round((start / unitMs) * axisMs);
  const to = Math.max(Math.round((end / unitMs) * axisMs), from + 1);
  return `${NO_TEXT}:${STYLES[look].tag}, ${from}, ${to}`;
}

// The width in pixels of a character in Mermaid's font for names.
const CHARACTER_WIDTH = 7;

/** A Gantt chart with one named row per invocation. */
function namedRows(bars: readonly Bar[]): string {
  const lengthMs = lengthOf(bars);
  const scale = scaleFor(lengthMs);
  const names = bars.map(nameOf);
  const longest = Math.max(...names.map((name) => name.length));
  return gantt({
    settings: [
      'config:',
      '  gantt:',
      `    leftPadding: ${longest * CHARACTER_WIDTH + 20}`,
      '    rightPadding: 30',
    ],
    rows: bars
      .flatMap((bar) => widen([bar], lengthMs * LEAST_SHARE))
      .flatMap((bar, at) => [`section ${names[at]}`, barLine(bar, scale)]),
    lengthMs,
  });
}

/** A Gantt chart with one lane per concurrent invocation. */
function lanes(bars: readonly Bar[], byLane: readonly (readonly Bar[])[]): string {
  const lengthMs = lengthOf(bars);
  const scale = scaleFor(lengthMs);
  const isTall = byLane.length > MOST_LANES / 2;
  return gantt({
    settings: [
      'displayMode: compact',
      'config:',
      '  gantt:',
      '    leftPadding: 30',
      '    rightPadding: 30',
      `    barHeight: ${isTall ? 8 : 16}`,
    ],
    rows: byLane
      .flatMap((lane) => widen(lane, lengthMs * LEAST_SHARE))
      // Mermaid fills its lanes in the order of the bars.
      .sort((a, b) => a.start - b.start)
      .map((bar) => barLine(bar, scale)),
    lengthMs,
  });
}

/** The average number of concurrent invocations in each slice of the time. */
function averages(bars: Iterable<Bar>, lengthMs: number): number[] {
  const slice = lengthMs / SLICES;
  const sliceOf = (time: number): number => Math.min(Math.floor(time / slice), SLICES - 1);
  const slices = Array.from({ length: SLICES }, () => ({ ms: 0, started: 0, ended: 0 }));
  const book = (at: number, entry: Readonly<{ ms: number; started: number; ended: number }>): void => {
    const sum = slices[at];
    if (sum === undefined) return;
    sum.ms += entry.ms;
    sum.started += entry.started;
    sum.ended += entry.ended;
  };
  for (const { start, end } of bars) {
    const [first, last] = [sliceOf(start), sliceOf(end)];
    // The time in the first slice and in the last one. If they are the same slice, the sum is the length of the bar.
    book(first, { ms: (first + 1) * slice - start, started: 1, ended: 0 });
    book(last, { ms: end - (last + 1) * slice, started: 0, ended: 1 });
  }
  let running = 0;
  return slices.map(({ ms, started, ended }) => {
    const average = running + ms / slice;
    running += started - ended;
    return Math.round(average * 100) / 100;
  });
}

/** A chart of the concurrency, with a column per slice and one line each for cold starts and failures. */
function concurrencyChart(bars: Bars): string {
  const { lengthMs, looks } = bars;
  const { unitMs, name } = scaleFor(lengthMs);
  const middle = (at: number): number => Number((((at + 0.5) * lengthMs) / SLICES / unitMs).toPrecision(6));
  const all = averages(bars, lengthMs);
  const lines = (['cold', 'failed'] as const)
    .filter((look) => looks.has(look))
    .map((look) => ({ look, of: selected(bars, (bar) => bar.look === look) }));
  const palette = [STYLES.other.fill, ...lines.map(({ look }) => STYLES[look].line)];
  return mermaid([
    '---',
    'config:',
    '  xyChart:',
    '    height: 300',
    '  themeVariables:',
    '    xyChart:',
    '      backgroundColor: "transparent"',
    `      plotColorPalette: "${palette.join(', ')}"`,
    '---',
    'xychart-beta',
    `x-axis "${name} from the first start" ${middle(0)} --> ${middle(SLICES - 1)}`,
    `y-axis "concurrent invocations" 0 --> ${Math.max(...all, 1)}`,
    `bar [${all.join(', ')}]`,
    ...lines.map(({ of }) => `line [${averages(of, lengthMs).join(', ')}]`),
  ]);
}

/** The legend for invocations that succeeded without a known cold start; empty if there are none. */
function otherMeaning(bars: readonly Bar[]): string {
  const others = bars.filter(({ look }) => look === 'other');
  if (others.length === 0) return '';
  const known = others.filter(({ outcome }) => coldStart(outcome) !== undefined).length;
  if (known === 0) return 'succeeded';
  return known === others.length ? 'warm' : 'warm or not known';
}

type Picture = Readonly<{ title: string; other: string; drawing: string }>;

/** A bar for each invocation, or undefined if there are too many. */
function eachDrawn(bars: Bars): Picture | undefined {
  if (bars.length > MOST_BARS) return undefined;
  const sorted = [...bars].sort((a, b) => a.start - b.start);
  const other = otherMeaning(sorted);
  if (sorted.length <= MOST_NAMED_BARS) return { title: 'Timeline', other, drawing: namedRows(sorted) };
  const byLane = lanesOf(sorted, MOST_LANES);
  const title = 'Timeline: one lane per concurrent invocation';
  return byLane && { title, other, drawing: lanes(sorted, byLane) };
}

const averagesDrawn = (bars: Bars): Picture => ({
  title: `Timeline: concurrent invocations, averaged over ${SLICES} intervals`,
  other: 'all',
  drawing: concurrencyChart(bars),
});

/**
 * A Mermaid chart of when each invocation ran, below its legend: up to 20 named rows, up to 300 invocations in lanes,
 * or else, and with more than 50 lanes, the concurrency. Undefined if no time is known.
 */
export function timelineOf(outcomes: Iterable<Outcome>): Fold | undefined {
  const bars = barsOf(outcomes);
  if (bars.length === 0) return undefined;
  const { title, other, drawing } = eachDrawn(bars) ?? averagesDrawn(bars);
  const legend = [
    ...(bars.looks.has('failed') ? [`🟥 failed${bars.hasColdFailure ? ', cold or warm' : ''}`] : []),
    ...(bars.looks.has('cold') ? ['🟦 cold start'] : []),
    ...(other === '' ? [] : [`⬜ ${other}`]),
  ];
  return { title, body: `${legend.join(' · ')}\n\n${drawing}` };
}
