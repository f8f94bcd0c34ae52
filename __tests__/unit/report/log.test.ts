import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import { groupsOf, hints, outcomeHeadline } from '../../../src/report/log.ts';
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
  test.each([
    [
      'a response',
      succeeded({}, response('{"statusCode":200,"body":1}')),
      'my-function succeeded (status: 200, response: 27 bytes)',
    ],
    [
      'a response of more bytes than characters',
      succeeded({}, response('"é"')),
      'my-function succeeded (status: 200, response: 4 bytes)',
    ],
    [
      'an event',
      succeeded({ invocation_type: 'Event', status_code: 202 }),
      'my-function was invoked asynchronously (status: 202)',
    ],
    [
      'a dry run',
      succeeded({ invocation_type: 'DryRun', status_code: 204 }),
      'my-function can be invoked (status: 204)',
    ],
    ['a function error', failed(ERROR), 'my-function failed: Error (status: 200, response: 43 bytes)'],
    [
      'a function error without a type',
      failed('boom'),
      'my-function failed (status: 200, response: 6 bytes)',
    ],
    [
      'a function error with any text as its type',
      failed({ errorType: 'a\n::error::b', errorMessage: 'boom' }),
      'my-function failed (status: 200, response: 51 bytes)',
    ],
    [
      'one unmet expectation',
      unmet(1),
      'my-function responded, but did not meet 1 expectation (status: 200, response: 1 byte)',
    ],
    [
      'several unmet expectations',
      unmet(2),
      'my-function responded, but did not meet 2 expectations (status: 200, response: 1 byte)',
    ],
    ['a refusal', notInvoked(), 'my-function was not invoked (AccessDeniedException)'],
    ['a lost response', unknown(), 'my-function did not respond and may have run (ECONNRESET)'],
    [
      'a lost response of a function that ran, by its log',
      unknown({ ran: 'finished' }),
      'my-function ran, but its response was lost (ECONNRESET)',
    ],
    [
      'a durable execution that was followed',
      succeeded(
        { invocation_type: 'Event', status_code: 202, response: 7, durable_execution_arn: 'arn:durable' },
        response('7'),
      ),
      'my-function completed its durable execution (status: 202, response: 1 byte)',
    ],
    [
      'a durable execution that was not followed',
      succeeded({ invocation_type: 'Event', status_code: 202, durable_execution_arn: 'arn:durable' }),
      'my-function was invoked asynchronously (status: 202)',
    ],
    [
      'a durable execution with an unknown end',
      unknown({ durable_execution_arn: 'arn:durable' }),
      'my-function started a durable execution, but how it ended is not known (ECONNRESET)',
    ],
    [
      'an interrupted stream',
      unknown({}, { responseBytes: 1234 }),
      'my-function responded in part: the stream ended early, after 1,234 bytes',
    ],
  ])('says how it ended: %s', (_, evaluation, line) => {
    expect(outcomeHeadline(evaluation)).toBe(line);
  });

  test('names the entry by its label', () => {
    expect(outcomeHeadline(notInvoked({}, { label: 'f:live (entry 3)' }))).toBe(
      'f:live (entry 3) was not invoked (AccessDeniedException)',
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

  test('that is too long for the output has a line that says where it is', () => {
    const tooLong = [
      'The response is too long for the output `response`. The output `response_file` names its file.',
    ];
    const whole = succeeded({}, { ...response('x'.repeat(1_000_001)), responseBytes: 1_000_001 });
    const masked = succeeded({}, { ...response('***'), responseBytes: 1_000_001 });
    const binary = succeeded({}, { response: Buffer.alloc(400_000, 0xff), responseBytes: 400_000 });
    for (const one of [whole, masked, binary]) expect(hints(one, { showResponse: false })).toEqual(tooLong);
    const streamed = { ...whole, responseFile: { path: '/w/response', isWhole: true } };
    expect(hints(streamed, { showResponse: false })).toEqual(['Response saved to /w/response']);
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
    'This function does not support log_type: Tail. The request was retried without it, and the function ran once.',
  ]);
});

describe('a streamed response', () => {
  const kept = (isWhole: boolean) => ({ responseFile: { path: '/w/response', isWhole } });

  test('names its file, or the file with the part that arrived', () => {
    const options = { showResponse: false };
    expect(hints(succeeded({}, kept(true)), options)).toEqual(['Response saved to /w/response']);
    expect(hints(unknown({}, kept(false)), options)).toEqual([
      'The part of the response that arrived was saved to /w/response',
    ]);
  });

  test('is not shown again if it was shown while it arrived', () => {
    const whole = succeeded({}, { ...response('one\ntwo\n'), ...kept(true) });
    expect(groupsOf(whole, { showResponse: true, isShownAlready: true })).toEqual([]);
    expect(hints(whole, { showResponse: true, isShownAlready: true })).toEqual([
      'Response saved to /w/response',
    ]);
  });
});
