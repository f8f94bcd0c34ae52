import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import { announcement, groupsOf, hints, outcomeHeadline } from '../../../src/report/log.ts';
import { expectationFailed, failed, notInvoked, succeeded, unknown } from './factory.ts';

const response = (text: string) => ({ response: Buffer.from(text) });
const unmet = (count: number) => {
  const expectation = { expression: 'response', met: false, value: 1 };
  return expectationFailed(
    {},
    {
      ...response('1'),
      unmet: Array.from({ length: count }, () => ({ expectation, why: 'response is 1.' })),
    },
  );
};
const ERROR = { errorType: 'Error', errorMessage: 'boom' };

describe('the headline', () => {
  test('before an invocation has the function name as the user wrote it', () => {
    expect(announcement({ labels: ['my-function:PROD'], maxConcurrency: 10 })).toBe(
      'Invoking Lambda function my-function:PROD...',
    );
  });

  test.each([
    [
      'a response',
      succeeded({}, response('{"statusCode":200,"body":1}')),
      'Lambda function my-function invoked successfully (status: 200, payload: 27 bytes)',
    ],
    [
      'a response of more bytes than characters',
      succeeded({}, response('"é"')),
      'Lambda function my-function invoked successfully (status: 200, payload: 4 bytes)',
    ],
    [
      'an event',
      succeeded({ invocation_type: 'Event', status_code: 202 }),
      'Lambda function my-function invoked asynchronously (status: 202)',
    ],
    [
      'a dry run',
      succeeded({ invocation_type: 'DryRun', status_code: 204 }),
      'Lambda function my-function dry run completed successfully (status: 204)',
    ],
    [
      'a function error',
      failed(ERROR),
      'Lambda function my-function failed (status: 200, payload: 43 bytes)',
    ],
    [
      'one unmet expectation',
      unmet(1),
      'Lambda function my-function responded, but did not meet 1 expectation (status: 200, payload: 1 bytes)',
    ],
    [
      'several unmet expectations',
      unmet(2),
      'Lambda function my-function responded, but did not meet 2 expectations (status: 200, payload: 1 bytes)',
    ],
    ['a refusal', notInvoked(), 'Lambda function my-function was not invoked'],
    ['a lost response', unknown(), 'Lambda function my-function did not respond, and may have run'],
    [
      'a durable execution that was followed',
      succeeded(
        { invocation_type: 'Event', status_code: 202, response: 7, durable_execution_arn: 'arn:durable' },
        response('7'),
      ),
      'Lambda function my-function completed its durable execution (status: 202, payload: 1 bytes)',
    ],
    [
      'a durable execution that was not followed',
      succeeded({ invocation_type: 'Event', status_code: 202, durable_execution_arn: 'arn:durable' }),
      'Lambda function my-function invoked asynchronously (status: 202)',
    ],
    [
      'a durable execution with an unknown end',
      unknown({ durable_execution_arn: 'arn:durable' }),
      'Lambda function my-function started a durable execution, but how it ends is not known',
    ],
    [
      'an interrupted stream',
      unknown({}, { responseBytes: 1234 }),
      'Lambda function my-function responded in part: its stream ended early, after 1234 bytes',
    ],
  ])('reports the outcome: %s', (_, evaluation, line) => {
    expect(outcomeHeadline(evaluation)).toBe(line);
  });

  test('has the function name as the user wrote it', () => {
    expect(outcomeHeadline(notInvoked({}, { label: '123456789012:function:f' }))).toBe(
      'Lambda function 123456789012:function:f was not invoked',
    );
  });
});

describe('the response', () => {
  test('is a group with show_response', () => {
    expect(groupsOf(succeeded({}, response('{"a": 1}')), { showResponse: true })).toEqual([
      { title: 'Response', foreign: '{"a": 1}' },
    ]);
  });

  test('is not in the log without show_response, and one line says how to see it', () => {
    const evaluation = succeeded({}, response('{"a": 1}'));
    expect(groupsOf(evaluation, { showResponse: false })).toEqual([]);
    expect(hints(evaluation, { showResponse: false })).toEqual([
      'Response saved to the output `response`. Set show_response: true to print it.',
    ]);
  });

  test('has no such line if it is shown or if there is no response', () => {
    expect(hints(succeeded({}, response('{}')), { showResponse: true })).toEqual([]);
    expect(hints(succeeded(), { showResponse: false })).toEqual([]);
    expect(hints(failed(ERROR), { showResponse: false })).toEqual([]);
  });

  test('is not a group if it is empty', () => {
    expect(groupsOf(succeeded(), { showResponse: true })).toEqual([]);
  });

  test('is cut at 64 KiB', () => {
    const [group] = groupsOf(succeeded({}, response('x'.repeat(65_537))), { showResponse: true });
    expect(group?.foreign).toBe(`${'x'.repeat(65_536)}\n… cut: the first 65,536 of 65,537 bytes`);
    const [whole] = groupsOf(succeeded({}, response('x'.repeat(65_536))), { showResponse: true });
    expect(whole?.foreign).toBe('x'.repeat(65_536));
  });
});

describe('the error of a function', () => {
  test.each([true, false])('is always the only group (show_response: %s)', (showResponse) => {
    expect(groupsOf(failed(ERROR), { showResponse })).toEqual([
      { title: 'Function error', foreign: '{"errorType":"Error","errorMessage":"boom"}' },
    ]);
  });

  test('is cut at 64 KiB', () => {
    const [group] = groupsOf(failed('x'.repeat(70_000)), { showResponse: false });
    expect(group?.foreign.endsWith('\n… cut: the first 65,536 of 70,002 bytes')).toBe(true);
  });
});

describe('the log of a function', () => {
  test.each([
    [false, 'Function log'],
    [true, 'Function log (last 4 KB)'],
  ])('is the last group (cut: %s)', (logIsCut, title) => {
    const evaluation = succeeded({ log_result: 'START\nhello\n\n' }, { ...response('1'), logIsCut });
    expect(groupsOf(evaluation, { showResponse: true })).toEqual([
      { title: 'Response', foreign: '1' },
      { title, foreign: 'START\nhello' },
    ]);
    expect(groupsOf(evaluation, { showResponse: false })).toEqual([{ title, foreign: 'START\nhello' }]);
  });

  test('follows the error', () => {
    expect(
      groupsOf(failed(ERROR, { log_result: 'hello' }), { showResponse: false }).map(({ title }) => title),
    ).toEqual(['Function error', 'Function log']);
  });
});

test.each([notInvoked(), unknown()])('without a response there is no group', (evaluation) => {
  expect(groupsOf(evaluation, { showResponse: true })).toEqual([]);
});

test('a log that is only in CloudWatch Logs is reported with its location', () => {
  const log_result = '{"logGroup":"/aws/lambda/f","logStreamName":"2026/01/02/[7]abc"}';
  expect(groupsOf(succeeded({ log_result }), { showResponse: false })).toEqual([
    {
      title: 'Function log (stored in CloudWatch Logs)',
      foreign: 'Log group: /aws/lambda/f\nLog stream: 2026/01/02/[7]abc',
    },
  ]);
});

test.each([
  '{"logGroup":"a"}',
  '{"logGroup":1,"logStreamName":"b"}',
  '{"time":"t","type":"platform.start"}\n{}',
])('a log that only starts like a location is shown unchanged: %s', (log_result) => {
  expect(groupsOf(succeeded({ log_result }), { showResponse: false })).toEqual([
    { title: 'Function log', foreign: log_result },
  ]);
});

test('a response that is not from Lambda is a group, cut at 4 KiB', () => {
  const [group, ...others] = groupsOf(unknown({}, { foreignText: 'x'.repeat(4097) }), {
    showResponse: false,
  });
  expect(group).toEqual({
    title: "Response that is not Lambda's",
    foreign: `${'x'.repeat(4096)}\n… cut: the first 4,096 of 4,097 bytes`,
  });
  expect(others).toEqual([]);
});

test('an unsupported log tail is reported', () => {
  expect(hints(succeeded({}, { tailRefused: true }), { showResponse: false })).toEqual([
    'This function does not support log_type: Tail. The request was sent again without it, and the function ran once.',
  ]);
});

describe('a streamed response', () => {
  const kept = (isWhole: boolean) => ({ responseFile: { path: '/w/response', isWhole } });

  test('is reported with its file, even if it is incomplete', () => {
    const options = { showResponse: false };
    expect(hints(succeeded({}, kept(true)), options)).toEqual(['The response is in /w/response']);
    expect(hints(unknown({}, kept(false)), options)).toEqual([
      'The part of the response that arrived is in /w/response',
    ]);
  });

  test('is not shown again if it was shown while it arrived', () => {
    const whole = succeeded({}, { ...response('one\ntwo\n'), ...kept(true) });
    expect(groupsOf(whole, { showResponse: true, isShownAlready: true })).toEqual([]);
    expect(hints(whole, { showResponse: true, isShownAlready: true })).toEqual([
      'The response is in /w/response',
    ]);
  });
});
