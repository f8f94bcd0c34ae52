import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import { renderSummary } from '../../../src/report/summary.ts';
import { failed, notInvoked, REQUEST_ID, succeeded, unknown } from './factory.ts';

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

describe('the summary', () => {
  test('has a row with all that is known of an invocation', () => {
    const markdown = renderSummary([
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
    expect(cells(renderSummary([judgement]))['Result']).toBe(result);
  });

  test('leaves out columns without a value, and takes the duration as seen from here', () => {
    expect(cells(renderSummary([notInvoked()]))).toEqual({
      Result: '❌ not invoked `AccessDeniedException`',
      Function: '`my-function`',
      Duration: '42 ms',
    });
  });

  test('leaves a cell empty where only another row has a value', () => {
    const markdown = renderSummary([notInvoked(), succeeded({ executed_version: '7' })]);
    expect(cells(markdown)['Version']).toBe('');
  });

  test('breaks no figure from its unit', () => {
    const markdown = renderSummary([
      succeeded({ duration_ms: 1233.96, memory_size_mb: 256, max_memory_used_mb: 123 }),
    ]);
    expect(markdown).toContain('| 1,234\u00a0ms | 123\u00a0of\u00a0256\u00a0MB |');
  });

  test.each([
    [true, 'yes'],
    [false, 'no'],
  ])('says whether the start was cold: %s', (cold_start, cell) => {
    expect(cells(renderSummary([succeeded({ cold_start })]))['Cold start']).toBe(cell);
  });

  test('links a request id to its log events', () => {
    expect(cells(renderSummary([succeeded()]))['Request id']).toMatch(
      new RegExp(
        `^\\[${REQUEST_ID.slice(0, 8)}…\\]\\(https://eu-west-1\\.console\\.aws\\.amazon\\.com/cloudwatch/home\\?region=eu-west-1#logsV2:[^ )]+${REQUEST_ID}[^ )]* "${REQUEST_ID}"\\)$`,
      ),
    );
  });

  test('shows a request id that is none of Lambda’s as foreign text', () => {
    expect(renderSummary([succeeded({ request_id: '](https://evil.example) | @octocat' })])).toContain(
      '`](https://evil.example) \\| @octocat`',
    );
  });

  test('shows a request id without a link where the region is not known', () => {
    const { region: _, ...outcome } = unknown({ request_id: REQUEST_ID }).outcome;
    expect(cells(renderSummary([{ ...unknown(), outcome }]))['Request id']).toBe(`\`${REQUEST_ID}\``);
  });

  test('has one row an invocation, in the order of the plan', () => {
    const markdown = renderSummary([
      notInvoked({ function_name: 'first' }),
      succeeded({ function_name: 'second' }),
    ]);
    expect(rows(markdown).map((row) => row.split('|')[2])).toEqual([' `first` ', ' `second` ']);
  });

  test('has no response, no log and no error of a function in it', () => {
    const markdown = renderSummary([
      succeeded(
        { result: { secret: 'hunter2' }, log_result: 'hunter2' },
        { response: Buffer.from('hunter2') },
      ),
      failed({ errorMessage: 'hunter2' }, { log_result: 'hunter2' }),
      notInvoked({ error: { name: 'E', message: 'hunter2', advice: 'hunter2' } }),
    ]);
    expect(markdown).not.toContain('hunter2');
  });
});
