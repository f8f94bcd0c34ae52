import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import { parseExpressions } from '../../../src/inputs/expressions.ts';
import { Problems } from '../../../src/inputs/problems.ts';
import type { InvocationResult } from '../../../src/lambda/invocation.ts';
import { evaluate, type Rules } from '../../../src/outcome/evaluate.ts';
import { adviceFor } from '../../../src/outcome/failure-advice.ts';
import { NO_SECRETS } from '../../../src/outcome/masks.ts';
import { SecretTexts } from '../../../src/outcome/secret-texts.ts';
import { LOG_URL, OUTCOME_FIELDS, STARTED_AT } from '../../base.ts';
import { evaluating } from '../hostile/evaluations.ts';
import { failure, invocation, REQUEST_ID, responseOf, resultOf } from './factory.ts';

const RULES: Rules = {
  failOnFunctionError: true,
  expressions: { expect: [], mask: [] },
  advise: adviceFor({ eventName: 'push', hasOidc: true }),
};
const LENIENT: Rules = { ...RULES, failOnFunctionError: false };

describe('a response', () => {
  test('from a function that succeeded is a success', () => {
    expect(evaluate(resultOf(responseOf('{"ok": true}')), RULES)).toEqual({
      label: 'my-function',
      outcome: {
        ...OUTCOME_FIELDS,
        outcome: 'succeeded',
        status_code: 200,
        executed_version: '$LATEST',
        request_id: REQUEST_ID,
        log_url: LOG_URL,
        response: { ok: true },
      },
      response: Buffer.from('{"ok": true}'),
      logIsCut: false,
      tailRefused: false,
      failsStep: false,
      unmet: [],
      responseBytes: 12,
      secrets: { texts: [] },
    });
  });

  test('from a function that failed is a function error, whatever the status', () => {
    const evaluation = evaluate(
      resultOf(responseOf('{"errorType":"Error","errorMessage":"boom"}', { functionError: 'Unhandled' })),
      RULES,
    );
    expect(evaluation.outcome).toEqual({
      ...OUTCOME_FIELDS,
      outcome: 'function_error',
      status_code: 200,
      function_error: 'Unhandled',
      executed_version: '$LATEST',
      request_id: REQUEST_ID,
      log_url: LOG_URL,
      response: { errorType: 'Error', errorMessage: 'boom' },
    });
    expect(evaluation.failsStep).toBe(true);
  });

  test.each(['Unhandled', 'Handled', 'Something new'])(
    'with the function error %s fails the step only if requested',
    (functionError) => {
      const failed = resultOf(responseOf('{}', { functionError }));
      expect(evaluate(failed, RULES)).toMatchObject({
        outcome: { outcome: 'function_error' },
        failsStep: true,
      });
      expect(evaluate(failed, LENIENT)).toMatchObject({
        outcome: { outcome: 'function_error', function_error: functionError },
        failsStep: false,
      });
    },
  );

  test.each([
    ['an object', '{"a": 1}', { a: 1 }],
    ['null', 'null', null],
    ['false', 'false', false],
    ['a string', '"text"', 'text'],
    ['a 64-bit integer', '{"id":9007199254740993}', { id: '9007199254740993' }],
    ['no JSON', 'plain text', 'plain text'],
    ['nothing', '', ''],
    ['JSON behind a byte order mark', '\ufeff{"a": 1}', { a: 1 }],
    ['a text behind a byte order mark', '\ufeffplain', '\ufeffplain'],
  ])('that is %s is parsed, or kept as text if it is not JSON', (_, text, response) => {
    expect(evaluate(resultOf(responseOf(text)), RULES).outcome).toHaveProperty('response', response);
  });

  test.each([
    { invocationType: 'Event', statusCode: 202, log: { log_url: LOG_URL } },
    { invocationType: 'DryRun', statusCode: 204, log: {} },
  ] as const)('to $invocationType has no body, because nothing has run yet', (row) => {
    const { invocationType, statusCode, log } = row;
    const accepted = resultOf(
      { kind: 'response', statusCode, requestId: REQUEST_ID, payload: Buffer.alloc(0) },
      { invocation: invocation({ invocationType }) },
    );
    expect(evaluate(accepted, RULES).outcome).toEqual({
      ...OUTCOME_FIELDS,
      invocation_type: invocationType,
      outcome: 'succeeded',
      status_code: statusCode,
      request_id: REQUEST_ID,
      ...log,
    });
  });

  test('links to its log in the group that the configuration names, or the tail', () => {
    const known = resultOf(responseOf('1'), { logGroup: '/app/logs' });
    expect(evaluate(known, RULES).outcome).toHaveProperty(
      'log_url',
      LOG_URL.replace('$252Faws$252Flambda$252Fmy-function', '$252Fapp$252Flogs'),
    );
    const logTail = Buffer.from('{"logGroup":"/tail","logStreamName":"one"}');
    const told = resultOf(responseOf('1', { logTail }), { logGroup: '/app/logs' });
    expect(evaluate(told, RULES).outcome).toHaveProperty(
      'log_url',
      LOG_URL.replace('$252Faws$252Flambda$252Fmy-function', '$252Ftail'),
    );
  });

  test('has no link to a log with a request ID that is not a UUID, nor without a region', () => {
    const foreign = evaluate(resultOf(responseOf('1', { requestId: '](https://evil.example)' })), RULES);
    expect(foreign.outcome).not.toHaveProperty('log_url');
    const { region: _, ...nowhere } = resultOf(responseOf('1'));
    expect(evaluate(nowhere, RULES).outcome).not.toHaveProperty('log_url');
  });

  test('with a log has the decoded log and its figures', () => {
    const log = `hello\nREPORT RequestId: ${REQUEST_ID}\tDuration: 3.01 ms\tBilled Duration: 4 ms\tMemory Size: 128 MB\tMax Memory Used: 36 MB\tInit Duration: 110.10 ms\t\n`;
    const evaluation = evaluate(resultOf(responseOf('1', { logTail: Buffer.from(log) })), RULES);
    expect(evaluation.outcome).toMatchObject({
      log_result: log,
      duration_ms: 3.01,
      billed_duration_ms: 4,
      memory_size_mb: 128,
      max_memory_used_mb: 36,
      init_duration_ms: 110.1,
      cold_start: true,
    });
    expect(evaluation.logIsCut).toBe(false);
  });

  test('with a log of 4 KB reports that it is cut', () => {
    const tail = Buffer.alloc(4096, 'a');
    expect(evaluate(resultOf(responseOf('1', { logTail: tail })), RULES).logIsCut).toBe(true);
  });

  test('names the durable execution', () => {
    const durable = responseOf('1', { durableExecutionArn: 'arn:durable' });
    expect(evaluate(resultOf(durable), RULES).outcome).toMatchObject({
      durable_execution_arn: 'arn:durable',
    });
  });
});

describe('an outcome', () => {
  test.each([
    ['given', invocation({ qualifier: 'PROD' }), 'PROD'],
    ['of the name', invocation({ reference: { name: 'my-function', qualifier: '7' } }), '7'],
  ])('has the qualifier as it was %s', (_, asked, qualifier) => {
    expect(evaluate(resultOf(responseOf('1'), { invocation: asked }), RULES).outcome).toMatchObject({
      qualifier,
    });
  });

  test('has the function without its account, the tenant, the entry number and the attempts', () => {
    const asked = invocation({
      index: 3,
      functionName: '123456789012:function:my-function',
      reference: { name: 'my-function', accountId: '123456789012' },
      tenantId: 'tenant-1',
    });
    const evaluation = evaluate(resultOf(responseOf('1'), { invocation: asked, attempts: 4 }), RULES);
    expect(evaluation.label).toBe('123456789012:function:my-function');
    expect(evaluation.outcome).toMatchObject({
      index: 3,
      function_name: 'my-function',
      tenant_id: 'tenant-1',
      attempts: 4,
    });
    expect(JSON.stringify(evaluation.outcome)).not.toContain('123456789012');
  });
});

describe('a failure', () => {
  test.each([RULES, LENIENT])('that proves that nothing ran is not_invoked and fails the step', (rules) => {
    const evaluation = evaluate(resultOf(failure({ requestId: REQUEST_ID })), rules);
    expect(evaluation).toEqual({
      label: 'my-function',
      outcome: {
        ...OUTCOME_FIELDS,
        outcome: 'not_invoked',
        ran: 'did_not_run',
        request_id: REQUEST_ID,
        error: {
          name: 'ResourceNotFoundException',
          message: 'Function not found. The function did not run.',
          advice: expect.stringContaining('Lambda looked for my-function in eu-west-1'),
        },
      },
      response: new Uint8Array(),
      logIsCut: false,
      tailRefused: false,
      failsStep: true,
      unmet: [],
      responseBytes: 0,
      secrets: { texts: [] },
    });
  });

  test.each([RULES, LENIENT])(
    'after which the function may have run is unknown, has the send time, and fails the step',
    (rules) => {
      const lost = failure({
        name: 'ECONNRESET',
        message: 'socket hang up',
        evidence: 'may_have_run',
        sentAt: new Date('2026-01-02T03:04:06.000Z'),
      });
      const evaluation = evaluate(resultOf(lost), rules);
      expect(evaluation.outcome).toMatchObject({
        outcome: 'unknown',
        error: {
          name: 'ECONNRESET',
          message:
            'socket hang up. The request was sent at 2026-01-02T03:04:06.000Z. It is not known whether the function ran.',
        },
      });
      expect(evaluation.failsStep).toBe(true);
    },
  );

  const SENT_AT = new Date('2026-01-02T03:04:06.000Z');
  const lost = failure({ name: 'ECONNRESET', message: 'reset', evidence: 'may_have_run', sentAt: SENT_AT });
  const sentAs = (id: number) => `${id}1111111-2222-4333-8444-555555555555`;

  test.each<[string, Partial<InvocationResult>, string]>([
    ['no id', { sent: [{ sentAt: SENT_AT, mayHaveRun: true }] }, 'at 2026-01-02T03:04:06.000Z. '],
    [
      'the one attempt that may have run',
      {
        sent: [
          { sentAt: STARTED_AT, sentAs: sentAs(1), mayHaveRun: false },
          { sentAt: SENT_AT, sentAs: sentAs(2), mayHaveRun: true },
        ],
      },
      `at 2026-01-02T03:04:06.000Z with request ID ${sentAs(2)}. `,
    ],
    [
      "no ID of ours where Lambda's is another",
      { sent: [{ sentAt: SENT_AT, sentAs: sentAs(2), requestId: REQUEST_ID, mayHaveRun: true }] },
      'at 2026-01-02T03:04:06.000Z. ',
    ],
    [
      'each of several attempts',
      {
        sent: [
          { sentAt: STARTED_AT, sentAs: sentAs(1), mayHaveRun: true },
          { sentAt: SENT_AT, sentAs: sentAs(2), requestId: sentAs(2), mayHaveRun: true },
        ],
      },
      `at 2026-01-02T03:04:05.678Z with request ID ${sentAs(1)} and at 2026-01-02T03:04:06.000Z with request ID ${sentAs(2)}. `,
    ],
    [
      'the first three of many',
      {
        sent: [1, 2, 3, 4, 5].map((id) => ({ sentAt: SENT_AT, sentAs: sentAs(id), mayHaveRun: true })),
      },
      `with request ID ${sentAs(1)}, at 2026-01-02T03:04:06.000Z with request ID ${sentAs(2)}, at 2026-01-02T03:04:06.000Z with request ID ${sentAs(3)} and 2 more times. `,
    ],
  ])('after which the function may have run names %s', (_, given, text) => {
    expect(evaluate(resultOf(lost, given), RULES).outcome).toHaveProperty(
      'error.message',
      expect.stringContaining(text),
    );
  });

  test('after which the function may have run has the ID that was sent, where no response has another', () => {
    const { outcome } = evaluate(resultOf({ ...lost, sentAs: REQUEST_ID }), RULES);
    expect(outcome).toMatchObject({ request_id: REQUEST_ID, log_url: LOG_URL });
    const other = evaluate(resultOf({ ...lost, sentAs: sentAs(2), requestId: REQUEST_ID }), RULES);
    expect(other.outcome).toMatchObject({ request_id: REQUEST_ID, log_url: LOG_URL });
  });

  test('before which nothing ran has no ID of ours, and no link to a log', () => {
    const { outcome } = evaluate(
      resultOf(failure({ sentAs: sentAs(2), requestId: REQUEST_ID, sentAt: SENT_AT })),
      RULES,
    );
    expect(outcome).toHaveProperty('request_id', REQUEST_ID);
    expect(outcome).not.toHaveProperty('log_url');
    const unnamed = evaluate(resultOf(failure({ sentAs: REQUEST_ID, sentAt: SENT_AT })), RULES);
    expect(unnamed.outcome).not.toHaveProperty('request_id');
  });

  test('after which the function ran at least partly is unknown, with a message', () => {
    const broken = failure({
      name: 'SnapStartException',
      message: 'The restore hook failed.',
      evidence: 'ran',
      statusCode: 400,
      sentAt: new Date('2026-01-02T03:04:06.000Z'),
    });
    const evaluation = evaluate(resultOf(broken), RULES);
    expect(evaluation.outcome).toMatchObject({
      outcome: 'unknown',
      error: {
        message: 'The restore hook failed. The function ran, at least in part, but its response was lost.',
      },
    });
    expect(evaluation.failsStep).toBe(true);
  });

  test('before a region was found has no region', () => {
    const { region: _, ...nowhere } = resultOf(failure({ name: 'RegionMissing' }), { attempts: 0 });
    expect(evaluate(nowhere, RULES).outcome).not.toHaveProperty('region');
  });

  test('keeps a foreign response for the log, not in the outcome', () => {
    const evaluation = evaluate(resultOf(failure({ foreignText: '<html>' })), RULES);
    expect(evaluation.foreignText).toBe('<html>');
    expect(JSON.stringify(evaluation.outcome)).not.toContain('<html>');
  });
});

test('an unsupported log tail is reported', () => {
  expect(evaluate(resultOf(responseOf('1'), { tailRefused: true }), RULES).tailRefused).toBe(true);
});

describe('a streamed response', () => {
  test('that fits in memory is the response', () => {
    const { outcome, responseBytes } = evaluate(resultOf(responseOf('{"a":1}', { streamedBytes: 7 })), RULES);
    expect(outcome).toMatchObject({ outcome: 'succeeded', response: { a: 1 } });
    expect(responseBytes).toBe(7);
  });

  test('that does not fit in memory is not the response, and expectations about it are not met', () => {
    const long = responseOf('', { streamedBytes: 7_000_000 });
    const { outcome, responseBytes } = evaluate(resultOf(long), RULES);
    expect(outcome).not.toHaveProperty('response');
    expect(responseBytes).toBe(7_000_000);
  });

  test('that ended in an error has the error as its response', () => {
    const broken = responseOf('{"errorType":"E"}', { streamedBytes: 3, functionError: 'Unhandled' });
    expect(evaluate(resultOf(broken), RULES).outcome).toMatchObject({
      outcome: 'function_error',
      response: { errorType: 'E' },
    });
  });

  test('that was interrupted reports the received bytes', () => {
    const { outcome, responseBytes } = evaluate(
      resultOf(failure({ evidence: 'ran', name: 'IncompleteResponse', message: 'broke', streamedBytes: 9 })),
      RULES,
    );
    expect(outcome).toMatchObject({
      outcome: 'unknown',
      error: { message: 'broke. The function ran, at least in part, but its response was lost.' },
    });
    expect(responseBytes).toBe(9);
  });
});

describe('a durable execution', () => {
  const ARN = 'arn:aws:lambda:eu-west-1:123456789012:function:my-function:1/durable-execution/order-7/id';
  const event = { invocation: invocation({ invocationType: 'Event' }) };

  test('that was followed gives an Event its response', () => {
    const ended = responseOf('{"paid":true}', { statusCode: 202, durableExecutionArn: ARN });
    expect(evaluate(resultOf(ended, event), RULES).outcome).toMatchObject({
      outcome: 'succeeded',
      response: { paid: true },
      durable_execution_arn: ARN,
    });
  });

  test.each([
    ['Event', '{}'],
    ['Event', 'not JSON'],
    ['DryRun', '{}'],
  ] as const)(
    'is required for a response to %s: the body %j alone is not a response',
    (invocationType, body) => {
      const emulated = resultOf(responseOf(body, { statusCode: 202 }), {
        invocation: invocation({ invocationType }),
      });
      const { outcome, response, responseBytes } = evaluate(emulated, RULES);
      expect(outcome.outcome).toBe('succeeded');
      expect(outcome).not.toHaveProperty('response');
      expect([response.length, responseBytes]).toEqual([0, 0]);
    },
  );

  test('that was not followed gives no response', () => {
    const accepted = responseOf('', { statusCode: 202, durableExecutionArn: ARN });
    expect(evaluate(resultOf(accepted, event), RULES).outcome).not.toHaveProperty('response');
  });

  test('with an unknown end is unknown, with its ARN', () => {
    const lost = failure({
      evidence: 'ran',
      name: 'Cancelled',
      message: 'cancelled',
      durableExecutionArn: ARN,
    });
    expect(evaluate(resultOf(lost, event), RULES).outcome).toMatchObject({
      outcome: 'unknown',
      durable_execution_arn: ARN,
      error: {
        name: 'Cancelled',
        message: `cancelled. The durable execution was started and continues on its own: ${ARN}.`,
        advice: expect.stringContaining(`stop-durable-execution --durable-execution-arn '${ARN}'`),
      },
    });
  });
});

describe('masks', () => {
  const masked = (payload: string, mask = 'response.token') =>
    evaluating({ mask }).then((evaluateMasked) => evaluateMasked(resultOf(responseOf(payload))).secrets);

  test.each([
    ['nested over 500 levels', `${'['.repeat(501)}"abc"${']'.repeat(501)}`],
    ['followed by a byte', '{"token":"abc"}x'],
    ['a text', 'token: abc'],
    ['cut', '{"token":"abc"'],
  ])('withhold a response that is %s, because they cannot read it', async (_, payload) => {
    expect(await masked(payload)).toMatchObject({ withheld: 'not_json' });
    expect(evaluate(resultOf(responseOf(payload)), RULES).secrets).toEqual(NO_SECRETS);
  });

  test.each([
    ['JSON', '{"token":"abc"}'],
    ['JSON behind a byte order mark', '\ufeff{"token":"abc"}'],
    ['500 levels deep', `{"token":"abc","deep":${'['.repeat(499)}${']'.repeat(499)}}`],
  ])('are applied to a response that is %s', async (_, payload) => {
    expect(await masked(payload)).toEqual({ texts: ['abc'] });
  });

  test('withhold nothing without a response', async () => {
    const evaluateMasked = await evaluating({ mask: 'response.token' });
    const accepted = resultOf(responseOf('', { statusCode: 202 }), {
      invocation: invocation({ invocationType: 'Event' }),
    });
    expect(evaluateMasked(accepted).secrets).toEqual(NO_SECRETS);
    expect(evaluateMasked(resultOf(failure())).secrets).toEqual(NO_SECRETS);
  });

  test('withhold a foreign response, and a stream that is too long for memory', async () => {
    const evaluateMasked = await evaluating({ mask: 'response.token' });
    expect(evaluateMasked(resultOf(failure({ foreignText: 'token: abc' }))).secrets.withheld).toBe(
      'not_json',
    );
    const stream = responseOf('', { streamedBytes: 7_000_000 });
    expect(evaluateMasked(resultOf(stream)).secrets.withheld).toBe('not_json');
  });
});

test('the reason why an expectation is not met shows no part of a known secret', async () => {
  const secret = 'abcdefgh'.repeat(50);
  const { search, parseTree } = await parseExpressions(
    { expect: 'a', query: '', mask: '' },
    { invocations: [], waitForDurableExecution: false },
    new Problems(),
  );
  const { unmet } = evaluate(resultOf(responseOf(JSON.stringify({ echo: `x ${secret}` }))), {
    ...RULES,
    expressions: {
      expect: ["response.echo == 'y'"],
      mask: [],
      ...(search && parseTree && { search, parseTree }),
    },
    known: new SecretTexts([secret]),
  });
  expect(unmet.map(({ why }) => why)).toEqual(['Actual:   "x ***"\nExpected: "y"']);
});

test('a query that reads null gives the reason', async () => {
  const evaluateQuery = await evaluating({ query: 'response' });
  expect(evaluateQuery(resultOf(responseOf('null'))).queryProblem).toBe(
    'The query found nothing, and query_result is empty: response is null.',
  );
});

test('a text that is received instead of a response has a message without it, for a mask', () => {
  const description = { name: 'HTTP 403', message: 'HTTP 403: <p>page', statusCode: 403 };
  const evaluation = evaluate(resultOf(failure({ ...description, foreignText: '<p>page' })), RULES);
  expect(evaluation.plainMessage).toBe(
    "The response is not Lambda's and is not shown. The function did not run.",
  );
});
