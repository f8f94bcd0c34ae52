import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import { parseExpressions } from '../../../src/inputs/expressions.ts';
import { Problems } from '../../../src/inputs/problems.ts';
import { evaluate } from '../../../src/outcome/evaluate.ts';
import { adviceFor } from '../../../src/outcome/failure-advice.ts';
import { findSecrets, maskEvaluation, NO_SECRETS } from '../../../src/outcome/masks.ts';
import { formsOf, SecretTexts } from '../../../src/outcome/secret-texts.ts';
import { StepResults } from '../../../src/outcome/step-results.ts';
import { outcomeHeadline } from '../../../src/report/log.ts';
import { renderJobSummary } from '../../../src/report/summary/permissions.ts';
import { heavyTest } from '../../heavy.ts';
import { failed, notInvoked, succeeded } from '../report/factory.ts';
import { responseOf, resultOf } from './factory.ts';

const expressions = await parseExpressions(
  { expect: 'a', query: '', mask: '' },
  { invocations: [], waitForDurableExecution: false },
  new Problems(),
);

describe('secrets', () => {
  const find = (masks: string[], response: unknown) => findSecrets(masks, { response }, expressions);

  test('are all strings and numbers that the masks evaluate to, longest first', () => {
    expect(
      find(['response.token', 'response.nested'], { token: 'abc', nested: { pin: 1234, list: ['longest'] } }),
    ).toEqual({ texts: ['longest', '1234', 'abc'] });
  });

  test('are masked in all their forms', () => {
    expect(find(['response'], 'a"b').texts).toEqual(expect.arrayContaining(formsOf('a"b')));
  });

  test('are empty for values that cannot be seen', () => {
    expect(find(['response.flag', 'response.empty'], { flag: true, empty: '' })).toEqual(NO_SECRETS);
  });

  test.each([
    ['response.tokn'],
    ['response.token.value'],
    ['response.items[*].secret'],
    ['response.[tokn, kee]'],
    ['response | tokn'],
  ])('are not all known if the mask %s finds nothing in a response', (mask) => {
    const response = { token: 'abc', items: [{ id: 1 }] };
    expect(find([mask, 'response.token'], response)).toMatchObject({
      texts: ['abc'],
      withheld: 'mask_found_nothing',
    });
  });

  test('are known if one of the fields of a mask exists', () => {
    expect(find(['response.[token, refresh_token]'], { token: 'abc' })).toEqual({ texts: ['abc'] });
  });

  test.each([
    ['there is no response', 'response.token', { outcome: 'not_invoked' }],
    ['the function failed', 'response.token', { outcome: 'function_error', response: { errorType: 'E' } }],
    ['the mask is for the log', 'log_result', { outcome: 'succeeded', response: {} }],
  ])('are empty if %s', (_, mask, document) => {
    expect(findSecrets([mask], document, expressions)).toEqual(NO_SECRETS);
  });

  test.each([
    ['has the wrong type', 'length(`1`)', 'mask_failed'],
    ['reads text that is not JSON', 'powertools_json(response.text)', 'mask_failed'],
    ['reads text that is not base64', 'powertools_base64(response.text)', 'mask_failed'],
    ['evaluates to a number with more digits than a double', 'response.large', 'inexact_number'],
    ['evaluates to 10,001 secrets', 'response.many', 'too_many_secrets'],
    ['evaluates to more text than can be searched for', 'response.long', 'too_many_secrets'],
    [
      'evaluates to more text than can be searched for in all its forms',
      'response.exotic',
      'too_many_secrets',
    ],
  ])('are not all known if a mask %s', (_, mask, withheld) => {
    const response = {
      token: 'abc',
      text: '{"a":1}x',
      large: 2 ** 53,
      many: Array.from({ length: 10_001 }, (_unused, at) => `secret ${at}`),
      long: 'a'.repeat(1_000_001),
      exotic: 'é'.repeat(100_000),
    };
    const found = find([mask, 'response.token'], response);
    expect(found.withheld).toBe(withheld);
    if (withheld !== 'too_many_secrets') expect(found.texts).toContain('abc');
  });

  heavyTest('are masked up to a number of 10,000', () => {
    const many = Array.from({ length: 10_000 }, (_, at) => `secret${at}`);
    const found = find(['response', 'response[0]'], many);
    expect(found.withheld).toBeUndefined();
    expect(new Set(found.texts)).toEqual(new Set(many));
  });
});

test('the compiler rejects writing anything that is not masked', () => {
  const { secrets, ...rest } = evaluate(resultOf(responseOf('"x"')), {
    failOnFunctionError: true,
    expressions: { expect: [], mask: [] },
    advise: adviceFor({ eventName: 'push', hasOidc: false }),
  });
  expect(secrets).toEqual(NO_SECRETS);
  // @ts-expect-error: only maskEvaluation creates an evaluation that can be shown.
  const line = outcomeHeadline(rest);
  const masked = maskEvaluation({ ...rest, secrets }, new SecretTexts());
  const { outcome } = rest;
  // @ts-expect-error: an outcome that is not masked can't be added to the data for the reports.
  new StepResults(1).add({ ...masked, outcome });
  // @ts-expect-error: or to the job summary.
  const summary = renderJobSummary([outcome]);
  expect([line, summary].join()).toContain('my-function');
});

describe('the masked evaluation', () => {
  const response = '{"token":"abc","pin":1234,"other":12345,"abc":"x abc y"}';
  const evaluation = succeeded(
    {
      response: JSON.parse(response),
      log_result: 'token abc\n',
      query_result: ['abc', 1234],
      expectations: [{ expression: 'response.token', met: false, value: 'abc' }],
    },
    {
      response: Buffer.from(response),
      unmet: [
        {
          expectation: { expression: 'response.token', met: false, value: 'abc' },
          why: 'response.token is "abc".',
        },
      ],
    },
  );

  test('has *** instead of a secret at any position', () => {
    const shown = maskEvaluation(evaluation, new SecretTexts(['1234', 'abc']));
    expect(shown.outcome).toMatchObject({
      response: { token: '***', pin: '***', other: 12345, '***': 'x *** y' },
      log_result: 'token ***\n',
      query_result: ['***', '***'],
      expectations: [{ expression: 'response.token', met: false, value: '***' }],
    });
    expect(Buffer.from(shown.response).toString()).not.toContain('abc');
    expect(shown.unmet[0]?.why).toBe('response.token is "***".');
    expect(JSON.stringify(shown.outcome)).not.toContain('abc');
  });

  test('is complete if nothing is secret', () => {
    const { hidesSomething, outcome, response: bytes } = maskEvaluation(evaluation, new SecretTexts());
    expect(hidesSomething).toBe(false);
    expect(JSON.stringify(outcome)).toBe(JSON.stringify(evaluation.outcome));
    expect(bytes).toBe(evaluation.response);
  });

  test('contains nothing from the function if a mask could not be evaluated', () => {
    const shown = maskEvaluation(
      { ...evaluation, secrets: { texts: [], withheld: 'mask_failed' } },
      new SecretTexts(),
    );
    const all = JSON.stringify({ ...shown, response: Buffer.from(shown.response).toString() });
    expect(all).not.toContain('abc');
    expect(all).not.toContain('1234');
    expect(shown.outcome.outcome).toBe('succeeded');
  });

  test("masks all text of the outcome except the action's own words, times and figures", () => {
    // What is made of a masked outcome is not there before it is masked.
    const { functionError: _, ...told } = failed(
      { errorType: 's3cret', 's3cret key': ['s3cret'] },
      {
        function_name: 'my-s3cret',
        qualifier: 's3cret',
        region: 's3cret',
        tenant_id: 's3cret',
        executed_version: 's3cret',
        request_id: 's3cret',
        durable_execution_arn: 'arn:s3cret',
        function_error: 's3cret',
        log_result: 's3cret\n',
        query_result: 200,
        status_code: 200,
        attempts: 200,
        elapsed_ms: 200,
        duration_ms: 200,
        expectations: [{ expression: "response != 's3cret'", met: false, value: 's3cret' }],
      },
      { label: 'my-s3cret:s3cret', queryProblem: 's3cret' },
    );
    const shown = maskEvaluation(
      told,
      new SecretTexts(['s3cret', '200', 'function_error', 'RequestResponse']),
    );
    expect(JSON.stringify({ ...shown, response: Buffer.from(shown.response).toString() })).not.toContain(
      's3cret',
    );
    expect(shown.label).toBe('my-***:***');
    expect(shown.outcome).toMatchObject({
      index: 0,
      outcome: 'function_error',
      invocation_type: 'RequestResponse',
      started_at: '2026-01-02T03:04:05.678Z',
      status_code: 200,
      attempts: 200,
      elapsed_ms: 200,
      duration_ms: 200,
      query_result: '***',
    });
    expect(Object.keys(shown.outcome)).toEqual(Object.keys(told.outcome));
  });

  test("keeps the names of the action's fields", () => {
    const error = { name: 'HTTP 502', message: 'message', advice: 'advice' };
    const texts = new SecretTexts(['error', 'message', 'advice', 'expression', 'held', 'value', 'name']);
    const shown = maskEvaluation(
      notInvoked({ error, expectations: [{ expression: 'value', met: true, value: 'held' }] }),
      texts,
    );
    expect(shown.outcome).toMatchObject({
      error: { name: 'HTTP 502', message: '***', advice: '***' },
      expectations: [{ expression: '***', met: true, value: '***' }],
    });
  });

  test('has the response unchanged if it has no secret', () => {
    const spaced = Buffer.from('\ufeff{ "large": 9223372036854775807, "one": 1.0 }');
    const told = succeeded({ response: { large: 2 ** 63, one: 1 } }, { response: spaced });
    expect(maskEvaluation(told, new SecretTexts(['secret'])).response).toBe(spaced);
  });

  test('masks a response that is not from Lambda', () => {
    const shown = maskEvaluation(
      notInvoked({ error: { name: 'HTTP 502', message: 'abc', advice: 'x' } }, { foreignText: '<p>abc' }),
      new SecretTexts(['abc']),
    );
    expect(shown.foreignText).toBe('<p>***');
    expect(shown.outcome).toMatchObject({ error: { message: '***' } });
  });

  test('quotes no foreign response with a secret, because the quote can end inside the secret', () => {
    const error = { name: 'HTTP 502', message: 'HTTP 502: <p>a long sec…', advice: 'x' };
    const rest = { foreignText: '<p>a long secret', plainMessage: 'HTTP 502' };
    const shownFor = (secret: string) =>
      maskEvaluation(notInvoked({ error }, rest), new SecretTexts([secret])).outcome;
    expect(shownFor('a long secret')).toMatchObject({ error: { message: 'HTTP 502' } });
    expect(shownFor('another')).toMatchObject({ error: { message: 'HTTP 502: <p>a long sec…' } });
  });

  test('contains no foreign response if the response is withheld', () => {
    const error = { name: 'HTTP 200', message: 'HTTP 200: abc', advice: 'x' };
    const rest = {
      foreignText: 'abc',
      plainMessage: 'HTTP 200',
      secrets: { texts: [], withheld: 'not_json' },
    } as const;
    const shown = maskEvaluation(notInvoked({ error }, rest), new SecretTexts());
    expect(JSON.stringify(shown)).not.toContain('abc');
    expect(shown.outcome).toMatchObject({ error: { name: 'HTTP 200', message: 'HTTP 200', advice: 'x' } });
  });

  test.each([
    [true, ['abc'], '***\nend\n'],
    [true, [], 'bc first line\nend\n'],
    [false, ['abc'], 'bc first line\nend\n'],
  ])('for a cut log (%j) with the secrets %j is %j', (logIsCut, texts, log) => {
    const told = succeeded({ log_result: 'bc first line\nend\n' }, { logIsCut, secrets: { texts } });
    expect(maskEvaluation(told, new SecretTexts(['any', ...texts])).outcome).toHaveProperty(
      'log_result',
      log,
    );
  });

  test.each([
    [true, '*** line\nend\n'],
    [false, 'bc first line\nend\n'],
  ])('has no rest of a credential at the start of a cut log (%j)', (logIsCut, log) => {
    const told = succeeded({ log_result: 'bc first line\nend\n' }, { logIsCut });
    const { outcome } = maskEvaluation(told, new SecretTexts(['abc first']));
    expect(outcome).toHaveProperty('log_result', log);
  });
});
