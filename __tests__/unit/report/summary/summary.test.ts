import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import type { Evaluation, Outcome } from '../../../../src/outcome/outcome.ts';
import { renderSummary } from '../../../../src/report/summary/summary.ts';
import { heavyTest } from '../../../heavy.ts';
import { failed, notInvoked, REQUEST_ID, succeeded, unknown } from '../factory.ts';

const render = (judgements: readonly Evaluation[]): string =>
  renderSummary(judgements.map(({ outcome }) => outcome));

const HEAD = [
  '### Invoke AWS Lambda',
  '',
  '| Result | Function | Version | Duration | Billed | Memory | Cold start | Request id |',
  '| --- | --- | --- | --- | --- | --- | --- | --- |',
];
/** Cells of a line of the table, with the spaces that may not break as plain ones. */
const split = (line: string | undefined): string[] =>
  (line ?? '')
    .replaceAll('\u00a0', ' ')
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
const lines = (markdown: string): string[] => markdown.trimEnd().split('\n').slice(2);
/** The rows of the table, without what is around them. */
const rows = (markdown: string): string[] => lines(markdown).slice(2);
/** The first row by the titles of its columns. */
const cells = (markdown: string): Record<string, string> => {
  const titles = split(lines(markdown)[0]);
  const values = split(rows(markdown)[0]);
  return Object.fromEntries(titles.map((title, at) => [title, values[at] ?? ''] as const));
};

describe('the summary of one invocation', () => {
  test('has a row with all that is known of an invocation', () => {
    const markdown = render([
      succeeded({
        request_id: 'no-uuid',
        qualifier: 'PROD',
        executed_version: '7',
        duration_ms: 1233.96,
        billed_duration_ms: 1698,
        memory_size_mb: 256,
        max_memory_used_mb: 123,
        cold_start: true,
      }),
    ]);
    expect(markdown.replaceAll('\u00a0', ' ')).toBe(
      `${[
        ...HEAD,
        '| ✅ succeeded | `my-function:PROD` | `7` | 1,234 ms | 1,698 ms | 123 of 256 MB | yes | `no-uuid` |',
      ].join('\n')}\n`,
    );
  });

  test.each([
    [succeeded(), '✅ succeeded'],
    [failed({}), '❌ function error'],
    [notInvoked(), '❌ not invoked `AccessDeniedException`'],
    [unknown(), '❓ unknown `ECONNRESET`'],
  ])('says what came of it: %#', (judgement, result) => {
    expect(cells(render([judgement]))['Result']).toBe(result);
  });

  test('leaves out columns without a value, and takes the duration as seen from here', () => {
    expect(cells(render([notInvoked()]))).toEqual({
      Result: '❌ not invoked `AccessDeniedException`',
      Function: '`my-function`',
      Duration: '42 ms',
    });
  });

  test('breaks no figure from its unit', () => {
    const markdown = render([
      succeeded({ duration_ms: 1233.96, memory_size_mb: 256, max_memory_used_mb: 123 }),
    ]);
    expect(markdown).toContain('| 1,234\u00a0ms | 123\u00a0of\u00a0256\u00a0MB |');
  });

  test.each([
    [true, 'yes'],
    [false, 'no'],
  ])('says whether the start was cold: %s', (cold_start, cell) => {
    expect(cells(render([succeeded({ cold_start })]))['Cold start']).toBe(cell);
  });

  test('links a request id to its log events', () => {
    expect(cells(render([succeeded()]))['Request id']).toMatch(
      new RegExp(
        `^\\[${REQUEST_ID.slice(0, 8)}…\\]\\(https://eu-west-1\\.console\\.aws\\.amazon\\.com/cloudwatch/home\\?region=eu-west-1#logsV2:[^ )]+${REQUEST_ID}[^ )]* "${REQUEST_ID}"\\)$`,
      ),
    );
  });

  test('shows a request id that is none of Lambda’s as foreign text', () => {
    expect(render([succeeded({ request_id: '](https://evil.example) | @octocat' })])).toContain(
      '`](https://evil.example) \\| @octocat`',
    );
  });

  test('shows a request id without a link where the region is not known', () => {
    const { region: _, ...outcome } = unknown({ request_id: REQUEST_ID }).outcome;
    expect(cells(renderSummary([outcome]))['Request id']).toBe(`\`${REQUEST_ID}\``);
  });

  test('cuts foreign text that is too long for a table', () => {
    const { request_id: _, ...outcome } = unknown().outcome;
    const markdown = renderSummary([{ ...outcome, request_id: 'x'.repeat(100_000) }]);
    expect(cells(markdown)['Request id']).toBe(`\`${'x'.repeat(255)}…\``);
  });
});

describe('any summary', () => {
  test('has no response, no log and no error of a function in it', () => {
    const markdown = render([
      succeeded(
        { response: { secret: 'hunter2' }, log_result: 'hunter2' },
        { response: Buffer.from('hunter2') },
      ),
      failed({ errorMessage: 'hunter2' }, { log_result: 'hunter2' }),
      notInvoked({ error: { name: 'E', message: 'hunter2', advice: 'hunter2' } }),
    ]);
    expect(markdown).not.toContain('hunter2');
  });
});

const START = Date.parse('2026-01-02T03:04:05.000Z');
const startingAt = (ms: number) => ({ started_at: new Date(START + ms).toISOString() });

/** A summary with plain spaces, without the settings and the bars of its picture. */
const withoutPicture = (markdown: string): string[] =>
  markdown
    .replaceAll('\u00a0', ' ')
    .replace(/```mermaid\n[^`]*```/, '(picture)')
    .split('\n');
/** The rows of the last table: result and function. */
const tableRows = (markdown: string): (string | undefined)[][] =>
  markdown
    .slice(markdown.lastIndexOf('| Result |'))
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) => split(line).slice(0, 2));

/** So many that succeeded, numbered by their names. */
const successes = (count: number): Evaluation[] =>
  Array.from({ length: count }, (_, index) => succeeded({ index, function_name: `ok-${index}` }));
const failures = (count: number): Evaluation[] =>
  Array.from({ length: count }, (_, index) => notInvoked({ index, function_name: `bad-${index}` }));

describe('the summary of several', () => {
  test('of two that succeeded without a log', () => {
    const markdown = render([
      succeeded({ function_name: 'first', request_id: 'a', ...startingAt(0), elapsed_ms: 1_500 }),
      succeeded({
        index: 1,
        function_name: 'second',
        request_id: 'b',
        ...startingAt(1_000),
        elapsed_ms: 1_000,
      }),
    ]);
    expect(withoutPicture(markdown)).toEqual([
      '### Invoke AWS Lambda: 2 succeeded',
      '',
      '2,000 ms from the first start to the last end.',
      '',
      'Time to the answer, as seen from here:',
      '',
      '| Min | Median | p95 | Max |',
      '| --- | --- | --- | --- |',
      '| 1,000 ms | 1,000 ms | 1,500 ms | 1,500 ms |',
      '',
      'When each ran: ⬜ succeeded',
      '',
      '(picture)',
      '',
      '| Result | Function | Duration | Request id |',
      '| --- | --- | --- | --- |',
      '| ✅ succeeded | `first` | 1,500 ms | `a` |',
      '| ✅ succeeded | `second` | 1,000 ms | `b` |',
      '',
    ]);
  });

  test('of three puts the failures first, and leaves cells empty that only others fill', () => {
    const figures = { executed_version: '7', memory_size_mb: 256, max_memory_used_mb: 80 };
    const markdown = render([
      succeeded({
        ...figures,
        function_name: 'fine',
        request_id: 'a',
        ...startingAt(0),
        elapsed_ms: 700,
        duration_ms: 610.4,
        billed_duration_ms: 611,
        cold_start: true,
      }),
      notInvoked({ index: 1, function_name: 'refused', ...startingAt(0), elapsed_ms: 61_000 }),
      failed(
        {},
        {
          ...figures,
          index: 2,
          function_name: 'broken',
          qualifier: 'PROD',
          request_id: 'c',
          ...startingAt(0),
          elapsed_ms: 20,
          duration_ms: 3,
          cold_start: false,
        },
      ),
    ]);
    expect(withoutPicture(markdown)).toEqual([
      '### Invoke AWS Lambda: 2 of 3 failed',
      '',
      '1 function error, 1 not invoked, 1 succeeded. 1 execution environment started cold, 1 invocation started warm. 61 s from the first start to the last end.',
      '',
      'Duration in Lambda, by the log (2 of 3):',
      '',
      '| Min | Median | p95 | Max |',
      '| --- | --- | --- | --- |',
      '| 3 ms | 3 ms | 610 ms | 610 ms |',
      '',
      'When each ran: 🟥 failed · 🟦 cold start',
      '',
      '(picture)',
      '',
      '| Result | Function | Version | Duration | Billed | Memory | Cold start | Request id |',
      '| --- | --- | --- | --- | --- | --- | --- | --- |',
      '| ❌ not invoked `AccessDeniedException` | `refused` |  | 61,000 ms |  |  |  |  |',
      '| ❌ function error | `broken:PROD` | `7` | 3 ms |  | 80 of 256 MB | no | `c` |',
      '| ✅ succeeded | `fine` | `7` | 610 ms | 611 ms | 80 of 256 MB | yes | `a` |',
      '',
    ]);
  });

  test('counts each kind of failure, in the plural', () => {
    const twice = (outcome: Outcome): Outcome[] => [outcome, outcome];
    const [, , totals] = renderSummary([
      ...twice(succeeded({ cold_start: true }).outcome),
      ...twice(failed({}, { cold_start: false }).outcome),
      ...twice({ ...succeeded().outcome, status_code: 200, outcome: 'expectation_failed' }),
      ...twice(notInvoked().outcome),
      ...twice(unknown().outcome),
    ])
      .replaceAll('\u00a0', ' ')
      .split('\n');
    expect(totals).toBe(
      '2 function errors, 2 expectation failures, 2 not invoked, 2 unknown, 2 succeeded. 2 execution environments started cold, 2 invocations started warm. 42 ms from the first start to the last end.',
    );
  });

  test('has no latency where nothing was answered', () => {
    expect(render(failures(2))).not.toContain('Median');
  });

  test.each([
    [9_999, '9,999 ms'],
    [10_000, '10 s'],
    [75_230, '75.2 s'],
    [930_000, '15.5 min'],
  ])('says how long %d ms are', (elapsed_ms, words) => {
    const markdown = render([succeeded({ elapsed_ms }), succeeded()]).replaceAll('\u00a0', ' ');
    expect(markdown).toContain(`\n${words} from the first start to the last end.\n`);
  });
});

describe('the summary of many', () => {
  const REST = 'All are in the outcomes file (output `outcomes_file`).';
  const lastLine = (markdown: string): string | undefined => markdown.trimEnd().split('\n').at(-1);

  test('of 50 has all rows and no rest', () => {
    const markdown = render(successes(50));
    expect(tableRows(markdown)).toHaveLength(50);
    expect(lastLine(markdown)).toMatch(/^\| ✅ succeeded \| `ok-49` \|/);
  });

  test('of 51 counts the one that has no row', () => {
    const markdown = render(successes(51));
    expect(markdown.split('\n')[0]).toBe('### Invoke AWS Lambda: 51 succeeded');
    expect(tableRows(markdown).map(([, name]) => name)).toEqual(
      Array.from({ length: 50 }, (_, index) => `\`ok-${index}\``),
    );
    expect(lastLine(markdown)).toBe(`… and 1 more that succeeded. ${REST}`);
  });

  test('of 60 has the failures first, each kind in its order', () => {
    const [early, late] = failures(2);
    const markdown = render([...successes(57), ...(early && late ? [early, late] : []), unknown()]);
    expect(markdown.split('\n')[0]).toBe('### Invoke AWS Lambda: 3 of 60 failed');
    expect(tableRows(markdown)).toEqual([
      ['❌ not invoked `AccessDeniedException`', '`bad-0`'],
      ['❌ not invoked `AccessDeniedException`', '`bad-1`'],
      ['❓ unknown `ECONNRESET`', '`my-function`'],
      ...Array.from({ length: 47 }, (_, index) => ['✅ succeeded', `\`ok-${index}\``]),
    ]);
    expect(lastLine(markdown)).toBe(`… and 10 more that succeeded. ${REST}`);
  });

  test('counts the failures that have no row', () => {
    const markdown = render([...successes(1_001), ...failures(60)]);
    expect(tableRows(markdown).map(([, name]) => name)).toEqual(
      Array.from({ length: 50 }, (_, index) => `\`bad-${index}\``),
    );
    expect(lastLine(markdown)).toBe(`… and 10 more that failed, 1,001 more that succeeded. ${REST}`);
  });

  test('of 60 failures has a rest without successes', () => {
    expect(lastLine(render(failures(60)))).toBe(`… and 10 more that failed. ${REST}`);
  });

  heavyTest.each([
    ['one after the other', 1],
    ['all at once', 0],
  ])('of 100,000 %s is short and soon there', (_, step) => {
    const outcomes = Array.from(
      { length: 100_000 },
      (_unused, index) =>
        (index % 3 === 0 ? notInvoked : succeeded)({
          index,
          function_name: 'f'.repeat(64),
          qualifier: 'q'.repeat(128),
          request_id: REQUEST_ID,
          ...startingAt(index * step),
          elapsed_ms: 900_000,
        }).outcome,
    );
    const markdown = renderSummary(outcomes);
    expect(Buffer.byteLength(markdown)).toBeLessThan(200_000);
    // Node alone takes 200 ms; the sandbox of the tests several times that. What is quadratic takes minutes.
    expect(tableRows(markdown)).toHaveLength(50);
  });
});
