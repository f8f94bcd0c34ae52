import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Outcome } from '../../../../src/outcome/outcome.ts';
import { timelineOf } from '../../../../src/report/summary/timeline.ts';
import { anyText } from '../../../any-text.ts';
import { heavyTest } from '../../../heavy.ts';
import { SEED } from '../../../seed.ts';
import { failed, notInvoked, succeeded, unknown } from '../factory.ts';

/** A parsed timeline: its title, its legend and its picture. */
function renderTimeline(outcomes: readonly Outcome[]): string {
  const timeline = timelineOf(outcomes);
  return timeline === undefined ? '' : `${timeline.title}: ${timeline.body}`;
}

const ORIGIN = Date.parse('2026-01-02T03:04:05.678Z');
// Mermaid does not draw more.
const LONGEST_MERMAID = 50_000;

const at = (start: number, elapsed: number) => ({
  started_at: new Date(ORIGIN + start).toISOString(),
  elapsed_ms: elapsed,
});

type Bar = Readonly<{ name: string | undefined; tag: string; start: number; end: number }>;
type Gantt = Readonly<{ isCompact: boolean; axis: string; tickMs: number; bars: Bar[] }>;
type Chart = Readonly<{ x: [string, number, number]; top: number; bar: number[]; lines: number[][] }>;

/** The legend above the picture and the lines of the picture, which is the only one. */
function parts(markdown: string): { legend: string; lines: string[] } {
  const [, legend, diagram] = /^([^\n]+)\n\n```mermaid\n([^`]+)\n```$/.exec(markdown) ?? [];
  if (legend === undefined || diagram === undefined) throw new Error(`No picture: ${markdown}`);
  expect(diagram.length).toBeLessThan(LONGEST_MERMAID);
  return { legend, lines: diagram.split('\n') };
}

/** The settings and the rest. Every line of the settings must be fixed text. */
function body(lines: string[], kind: string): { settings: string[]; body: string[] } {
  const end = lines.indexOf('---', 1);
  expect([lines[0], lines[end + 1]]).toEqual(['---', kind]);
  const settings = lines.slice(1, end);
  for (const line of settings) expect(line).toMatch(/^ *[A-Za-z0-9]+:(?: (?:[a-z0-9]+|"[a-z0-9#, ]+"))?$/);
  return { settings, body: lines.slice(end + 2) };
}

/** A strict parser for our Gantt charts: anything unknown is an error. */
function readGantt(markdown: string): Gantt {
  const { settings, body: rest } = body(parts(markdown).lines, 'gantt');
  const [format, axis, tick, today, ...rows] = rest;
  const tickMs = Number(/^tickInterval ([1-9]\d*)millisecond$/.exec(tick ?? '')?.[1]);
  expect([format, tickMs > 0, today]).toEqual(['dateFormat x', true, 'todayMarker off']);
  const bars: Bar[] = [];
  let name: string | undefined;
  for (const row of rows) {
    const section = /^section (\d+ [A-Za-z0-9_.$:…-]*(?: ❌)?)$/.exec(row);
    const bar = /^\u200b:(crit|active|done), (\d+), (\d+)$/.exec(row);
    if (section) name = section[1];
    else if (bar) bars.push({ name, tag: bar[1] ?? '', start: Number(bar[2]), end: Number(bar[3]) });
    else throw new Error(`Not a row: ${JSON.stringify(row)}`);
  }
  return { isCompact: settings.includes('displayMode: compact'), axis: axis ?? '', tickMs, bars };
}

function readChart(markdown: string): Chart {
  const [x, y, bar, ...lines] = body(parts(markdown).lines, 'xychart-beta').body;
  const [, title = '', from, to] = /^x-axis "([a-z ]+)" ([\d.]+) --> ([\d.]+)$/.exec(x ?? '') ?? [];
  const numbers = (line: string | undefined, kind: string): number[] => {
    const [, list] = new RegExp(`^${kind} \\[([\\d., ]+)\\]$`).exec(line ?? '') ?? [];
    if (list === undefined) throw new Error(`Not a ${kind}: ${line}`);
    return list.split(', ').map(Number);
  };
  return {
    x: [title, Number(from), Number(to)],
    top: Number(/^y-axis "concurrent invocations" 0 --> ([\d.]+)$/.exec(y ?? '')?.[1]),
    bar: numbers(bar, 'bar'),
    lines: lines.map((line) => numbers(line, 'line')),
  };
}

/** The number of lanes in Mermaid's compact mode: each bar goes to the first free lane. */
function lanesOf(bars: readonly Bar[]): number {
  const ends: number[] = [];
  for (const { start, end } of bars.toSorted((a, b) => a.start - b.start)) {
    const free = ends.findIndex((last) => last <= start);
    ends[free === -1 ? ends.length : free] = end;
  }
  return ends.length;
}

/** The maximum number of concurrent invocations. Each takes at least 1 ms, the resolution of the clock. */
function mostAtOnce(spans: readonly (readonly [start: number, elapsed: number])[]): number {
  const isIn = (moment: number) =>
    spans.filter(([start, elapsed]) => {
      return start <= moment && moment < start + Math.max(elapsed, 1);
    }).length;
  return Math.max(...spans.map(([start]) => isIn(start)));
}

const many = (count: number, make: (index: number) => Outcome): Outcome[] =>
  Array.from({ length: count }, (_, index) => make(index));
/** Invocations of 100 ms each, consecutive in the given number of lanes. */
const inLanes = (count: number, lanes: number): Outcome[] =>
  many(count, (index) => succeeded({ index, ...at(Math.floor(index / lanes) * 100, 100) }).outcome);

describe('the picture of a few invocations', () => {
  const outcomes = [
    succeeded({ index: 0, function_name: 'last', ...at(500, 250), cold_start: false }).outcome,
    failed({}, { index: 1, function_name: 'broken', qualifier: 'PROD', ...at(0, 750), cold_start: true })
      .outcome,
    succeeded({ index: 2, function_name: 'first', qualifier: '$LATEST', ...at(0, 1_000), cold_start: true })
      .outcome,
  ];

  test('has a named row for each, in the order of their starts', () => {
    expect(renderTimeline(outcomes).split('\n')).toEqual([
      'Timeline: 🟥 failed, cold or warm · 🟦 cold start · ⬜ warm',
      '',
      '```mermaid',
      '---',
      'config:',
      '  gantt:',
      '    leftPadding: 125',
      '    rightPadding: 30',
      '  themeVariables:',
      '    sectionBkgColor: "#8c959f"',
      '    sectionBkgColor2: "#8c959f"',
      '    altSectionBkgColor: "transparent"',
      '    critBkgColor: "#e5484d"',
      '    critBorderColor: "#b42318"',
      '    activeTaskBkgColor: "#54aeff"',
      '    activeTaskBorderColor: "#0969da"',
      '    doneTaskBkgColor: "#d0d7de"',
      '    doneTaskBorderColor: "#8c959f"',
      '---',
      'gantt',
      'dateFormat x',
      'axisFormat %Q ms',
      'tickInterval 200millisecond',
      'todayMarker off',
      'section 2 broken:PROD ❌',
      '\u200b:crit, 0, 750',
      'section 3 first:$LATEST',
      '\u200b:active, 0, 1000',
      'section 1 last',
      '\u200b:done, 500, 750',
      '```',
    ]);
  });

  test('names each row like its entry, or like its function where the name has no such letter', () => {
    const named = (index: number, name: string) =>
      succeeded({ index, function_name: 'seed', name, ...at(index, 100) }).outcome;
    const { bars } = readGantt(renderTimeline([named(0, 'tenant 4: "eu"'), named(1, '日本'), named(2, 'a')]));
    expect(bars.map(({ name }) => name)).toEqual(['1 tenant-4-eu', '2 seed', '3 a']);
  });

  test.each([
    [[succeeded()], '⬜ succeeded'],
    [[succeeded({ cold_start: false })], '⬜ warm'],
    [[succeeded({ cold_start: false }), succeeded()], '⬜ warm or not known'],
    [[succeeded({ cold_start: true })], '🟦 cold start'],
    [[notInvoked(), unknown()], '🟥 failed'],
    [[failed({}, { cold_start: false })], '🟥 failed'],
    [[failed({}, { cold_start: true })], '🟥 failed, cold or warm'],
  ])('has a legend for its colors: %#', (judgements, legend) => {
    expect(parts(renderTimeline(judgements.map(({ outcome }) => outcome))).legend).toBe(
      `Timeline: ${legend}`,
    );
  });

  test.each([
    [5_000, '%Q ms', 1_000],
    [1, '%Q ms', 1],
    [60_000, '%s s', 10_000],
    [600_000, '%s s', 100_000],
    // A minute is drawn as a second on the axis, which then has no time zone.
    [900_000, '%s min', 5_000],
  ])('has an axis for %d ms', (elapsed, format, tickMs) => {
    const { axis, tickMs: tick } = readGantt(renderTimeline([succeeded(at(0, elapsed)).outcome]));
    expect([axis, tick]).toEqual([`axisFormat ${format}`, tickMs]);
  });

  test('shows invocations that are too short to be seen', () => {
    const { bars } = readGantt(
      renderTimeline([succeeded(at(0, 10_000)).outcome, succeeded(at(20, 0)).outcome]),
    );
    expect(bars.map(({ start, end }) => [start, end])).toEqual([
      [0, 10_000],
      [20, 70],
    ]);
  });

  test('keeps both ends of a long name', () => {
    const { bars } = readGantt(
      renderTimeline([succeeded({ function_name: 'production-shop-orders-create' }).outcome]),
    );
    expect(bars.map(({ name }) => name)).toEqual(['1 production-s…ders-create']);
  });

  test('contains no Mermaid syntax from names', () => {
    const name = 'a:b;c#58;d,e %%{f}\nclick g';
    const { bars } = readGantt(
      renderTimeline([succeeded({ function_name: name, qualifier: 'x:y' }).outcome]),
    );
    expect(bars.map((bar) => bar.name)).toEqual(['1 abc58defclickg:xy']);
  });

  test('is absent if nothing ran', () => {
    expect(renderTimeline([])).toBe('');
  });

  test('omits invocations without a time', () => {
    expect(renderTimeline([succeeded({ started_at: 'yesterday' }).outcome])).toBe('');
  });
});

describe('the choice of picture', () => {
  test.each([
    [1, 1, 'names'],
    [20, 1, 'names'],
    [20, 20, 'names'],
    [21, 1, 'lanes'],
    // Each bar is wider than its duration if there is space.
    [300, 1, 'lanes'],
    [300, 10, 'lanes'],
    [300, 50, 'lanes'],
    [300, 51, 'chart'],
    [301, 1, 'chart'],
  ])('for %d in %d lanes: %s', (count, lanes, picture) => {
    const markdown = renderTimeline(inLanes(count, lanes));
    if (picture === 'chart') {
      expect(readChart(markdown).bar).toHaveLength(50);
      return;
    }
    const { bars, isCompact } = readGantt(markdown);
    expect(bars).toHaveLength(count);
    expect(isCompact).toBe(picture === 'lanes');
    expect(bars.every(({ name }) => (name === undefined) === isCompact)).toBe(true);
    if (isCompact) expect(lanesOf(bars)).toBe(lanes);
  });
});

describe('the picture of very many invocations', () => {
  test('is also used for more than 50 that ended immediately', () => {
    const { bar } = readChart(renderTimeline(many(51, () => notInvoked(at(0, 0)).outcome)));
    expect(bar).toEqual(Array.from({ length: 50 }, () => 51));
  });

  test('shows the mean concurrency, in fiftieths of the time', () => {
    const outcomes = [
      ...many(400, () => succeeded(at(0, 5_000)).outcome),
      ...many(100, () => notInvoked(at(2_500, 2_500)).outcome),
      ...many(50, () => succeeded({ ...at(50, 50), cold_start: true }).outcome),
    ];
    const markdown = renderTimeline(outcomes);
    const rest = Array.from({ length: 24 }, () => 400);
    const end = Array.from({ length: 25 }, () => 500);
    expect(parts(markdown).legend).toBe(
      'Timeline: concurrent invocations, averaged over 50 intervals: 🟥 failed · 🟦 cold start · ⬜ all',
    );
    expect(readChart(markdown)).toEqual({
      x: ['milliseconds from the first start', 50, 4_950],
      top: 500,
      bar: [425, ...rest, ...end],
      lines: [
        [25, ...Array.from({ length: 49 }, () => 0)],
        [...Array.from({ length: 25 }, () => 0), ...Array.from({ length: 25 }, () => 100)],
      ],
    });
  });

  test('has no line for values that are all zero', () => {
    const markdown = renderTimeline(inLanes(1_000, 10));
    expect(readChart(markdown).lines).toEqual([]);
    expect(parts(markdown).legend).toBe(
      'Timeline: concurrent invocations, averaged over 50 intervals: ⬜ all',
    );
  });
});

describe('for any names and clock', () => {
  // Mermaid's keywords and marks, and text that ends a fence or a line.
  const hostile = fc.oneof(
    anyText({ maxLength: 40 }),
    fc.constantFrom(
      'gantt',
      'click x call y()',
      'section',
      'title',
      '__proto__',
      '2026-01-02',
      '%%{init: {}}%%',
      '---',
      '```',
      'a:b',
      'x;y',
      '#35;',
      'crit, 0, 1',
      '\nclick a href "javascript:alert(1)"',
      '<img src=x onerror=alert(1)>',
      '@octocat',
    ),
  );
  // A clock that goes backward, stands still, or jumps.
  const span = fc.tuple(
    fc.oneof(fc.integer({ min: -5_000, max: 5_000 }), fc.constantFrom(0, 1, 10)),
    fc.oneof(fc.integer({ min: 0, max: 9_000 }), fc.constantFrom(0, 0, 1)),
  );

  heavyTest(
    'each has a bar, bars in a lane do not overlap, and a bar contains only the characters of its name',
    () => {
      fc.assert(
        fc.property(
          fc.array(fc.record({ span, name: hostile, qualifier: hostile, isCold: fc.boolean() }), {
            minLength: 1,
            maxLength: 60,
          }),
          (cases) => {
            const outcomes = cases.map(({ span: [start, elapsed], name, qualifier, isCold }, index) => {
              const fields = { index, function_name: name, qualifier, ...at(start, elapsed) };
              return isCold ? succeeded({ ...fields, cold_start: true }).outcome : notInvoked(fields).outcome;
            });
            const spans = cases.map((one) => one.span);
            const most = mostAtOnce(spans);
            const markdown = renderTimeline(outcomes);
            if (cases.length > 20 && most > 50) {
              expect(readChart(markdown).top).toBeLessThanOrEqual(most);
              return;
            }
            const { bars, isCompact } = readGantt(markdown);
            expect(bars).toHaveLength(cases.length);
            const first = Math.min(...spans.map(([start]) => start));
            const byStart = spans.toSorted(([a], [b]) => a - b);
            expect(bars.map(({ start }) => start)).toEqual(byStart.map(([start]) => start - first));
            for (const [row, { start, end }] of bars.entries()) {
              expect(end).toBeGreaterThanOrEqual(start + Math.max(byStart[row]?.[1] ?? 0, 1));
            }
            const crit = bars.filter(({ tag }) => tag === 'crit');
            expect(crit).toHaveLength(cases.filter(({ isCold }) => !isCold).length);
            if (isCompact) expect(lanesOf(bars)).toBe(most);
            else expect(new Set(bars.map(({ name }) => name)).size).toBe(cases.length);
          },
        ),
        { seed: SEED, numRuns: 300 },
      );
    },
  );

  test('no bar ends before it starts if the clock was set back', () => {
    const { bars } = readGantt(
      renderTimeline([succeeded(at(0, -4_000)).outcome, succeeded(at(-60_000, 100)).outcome]),
    );
    expect(bars.map(({ start, end }) => [start, end])).toEqual([
      [0, 300],
      [60_000, 60_300],
    ]);
  });

  test('the picture is drawn even if the clock jumped by years', () => {
    const { bars, tickMs } = readGantt(
      renderTimeline([
        succeeded({ started_at: '1970-01-01T00:00:00.000Z', elapsed_ms: 5 }).outcome,
        succeeded(at(0, 5)).outcome,
      ]),
    );
    expect((bars[1]?.end ?? 0) / tickMs).toBeLessThan(7);
  });
});
