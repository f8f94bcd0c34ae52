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
/** The rows of the table, without what is around them. */
const rows = (markdown: string): string[] => markdown.trimEnd().split('\n').slice(HEAD.length);
const cells = (markdown: string): string[] =>
  (rows(markdown)[0] ?? '')
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());

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
    expect(markdown).toBe(
      `${[
        ...HEAD,
        '| ✅ succeeded | `my-function:PROD` | `7` | 1,234 ms | 1,698 ms | 123 of 256 MB | yes | `no-uuid` |',
      ].join('\n')}\n`,
    );
  });

  test.each([
    [succeeded(), '✅ succeeded'],
    [failed({}), '❌ function error'],
    [notInvoked(), '❌ not invoked'],
    [unknown(), '❓ unknown'],
  ])('says what came of it: %#', (judgement, result) => {
    expect(cells(renderSummary([judgement]))[0]).toBe(result);
  });

  test('leaves cells empty whose value is not known, and takes the duration as seen from here', () => {
    expect(cells(renderSummary([notInvoked()]))).toEqual([
      '❌ not invoked',
      '`my-function`',
      '',
      '42 ms',
      '',
      '',
      '',
      '',
    ]);
  });

  test.each([
    [true, 'yes'],
    [false, 'no'],
  ])('says whether the start was cold: %s', (cold_start, cell) => {
    expect(cells(renderSummary([succeeded({ cold_start })]))[6]).toBe(cell);
  });

  test('links a request id to its log events', () => {
    expect(cells(renderSummary([succeeded()]))[7]).toMatch(
      new RegExp(
        `^\\[${REQUEST_ID}\\]\\(https://eu-west-1\\.console\\.aws\\.amazon\\.com/cloudwatch/home\\?region=eu-west-1#logsV2:[^ )]+${REQUEST_ID}[^ )]*\\)$`,
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
    expect(cells(renderSummary([{ ...unknown(), outcome }]))[7]).toBe(`\`${REQUEST_ID}\``);
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
