import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import { Evaluator, evaluateAsUnknown } from '../../../src/outcome/evaluate.ts';
import { adviceFor } from '../../../src/outcome/failure-advice.ts';
import { explainFunctionError } from '../../../src/outcome/function-error-advice.ts';
import { SecretTexts } from '../../../src/outcome/secret-texts.ts';
import { failure, invocation, REQUEST_ID, responseOf, resultOf } from './factory.ts';

const RULES = {
  failOnFunctionError: false,
  expressions: { expect: ["response == 'x'"], mask: [] },
  advise: adviceFor({ eventName: 'push', hasOidc: false }),
};
const ERROR = new RangeError('Invalid string length');

describe('an outcome that cannot be evaluated', () => {
  test.each([
    {
      invocationType: 'RequestResponse',
      statusCode: 200,
      outcome: 'unknown',
      says: 'Invalid string length. The function ran, and its response was received.',
    },
    {
      invocationType: 'Event',
      statusCode: 202,
      outcome: 'unknown',
      says: 'Lambda accepted the event. It is not known whether the function ran.',
    },
    { invocationType: 'DryRun', statusCode: 204, outcome: 'not_invoked', says: 'did not run' },
  ] as const)(
    'of $invocationType is $outcome, and fails the step',
    ({ invocationType, statusCode, outcome, says }) => {
      const ended = resultOf(responseOf('"é"', { statusCode }), {
        invocation: invocation({ invocationType }),
      });
      const evaluation = evaluateAsUnknown(ended, ERROR, RULES);
      expect(evaluation).toMatchObject({
        outcome: {
          outcome,
          request_id: REQUEST_ID,
          error: { name: 'EvaluationFailed', message: expect.stringContaining(says) },
        },
        failsStep: true,
        responseBytes: 4,
      });
      expect(Buffer.from(evaluation.response).toString()).toBe('"é"');
      expect(evaluation.outcome).toMatchObject({
        error: {
          message: expect.stringMatching(/^The outcome could not be evaluated: Invalid string length\. /),
        },
      });
    },
  );

  test.each([
    { evidence: 'did_not_run', outcome: 'not_invoked' },
    { evidence: 'may_have_run', outcome: 'unknown' },
    { evidence: 'ran', outcome: 'unknown' },
  ] as const)('of a failure that proves $evidence is $outcome', ({ evidence, outcome }) => {
    const evaluation = evaluateAsUnknown(resultOf(failure({ evidence })), ERROR, RULES);
    expect(evaluation).toMatchObject({ outcome: { outcome }, failsStep: true, responseBytes: 0 });
  });

  test('does not repeat the error if a mask would have to hide parts of it', () => {
    const expressions = { expect: [], mask: ['response.token'] };
    const evaluation = evaluateAsUnknown(resultOf(responseOf('{}')), ERROR, { ...RULES, expressions });
    expect(JSON.stringify(evaluation)).not.toContain('Invalid string length');
  });
});

describe('an evaluator', () => {
  const expressions = { expect: [], mask: [] };

  /** An evaluator, and how it ended the stream. */
  function evaluatorWith(register: () => void) {
    const ends: boolean[] = [];
    const evaluator = new Evaluator({
      rules: { ...RULES, expressions },
      loadAdvice: async () => RULES.advise,
      loadFunctionErrors: async () => explainFunctionError,
      secrets: new SecretTexts(['secret']),
      register,
      endStream: async ({ isWhole }) => {
        ends.push(isWhole);
        return { path: isWhole ? '/w/response' : '/w/response.partial', isWhole };
      },
    });
    return { evaluator, ends };
  }

  test('returns the evaluation, its masked form, and the JSON of the masked form', async () => {
    const { evaluator } = evaluatorWith(() => {});
    const { evaluation, masked, maskedJson } = await evaluator.evaluate(resultOf(responseOf('"a secret"')));
    expect(evaluation.outcome).toMatchObject({ response: 'a secret' });
    expect(masked.outcome).toMatchObject({ response: 'a ***' });
    expect(JSON.parse(maskedJson)).toMatchObject({ response: 'a ***' });
  });

  test('evaluates an outcome that cannot be masked as unknown', async () => {
    let times = 0;
    const { evaluator } = evaluatorWith(() => {
      times += 1;
      if (times === 1) throw ERROR;
    });
    const { evaluation, masked } = await evaluator.evaluate(resultOf(responseOf('"x"')));
    expect(evaluation).toMatchObject({ outcome: { outcome: 'unknown' }, failsStep: true });
    expect(masked.outcome).toMatchObject({ error: { name: 'EvaluationFailed' } });
  });

  test.each([
    ['whole', responseOf('1', { streamedBytes: 1 }), true],
    [
      'a function error',
      responseOf('{"errorType":"E"}', { streamedBytes: 3, functionError: 'Unhandled' }),
      false,
    ],
    ['broken', failure({ evidence: 'ran', streamedBytes: 3 }), false],
  ])('ends the file of a stream that is %s', async (_, result, isWhole) => {
    const { evaluator, ends } = evaluatorWith(() => {});
    const { masked } = await evaluator.evaluate(resultOf(result));
    expect(ends).toEqual([isWhole]);
    expect(masked.responseFile?.isWhole).toBe(isWhole);
  });

  test('ends the file as partial if a function error can only be evaluated as unknown', async () => {
    let times = 0;
    const { evaluator, ends } = evaluatorWith(() => {
      times += 1;
      if (times === 1) throw ERROR;
    });
    await evaluator.evaluate(resultOf(responseOf('{"errorType":"E"}', { functionError: 'Unhandled' })));
    expect(ends).toEqual([false, false]);
  });

  test('does not end the file of a stream after a dry run', async () => {
    const { evaluator, ends } = evaluatorWith(() => {});
    await evaluator.evaluate(
      resultOf(responseOf('', { statusCode: 204 }), { invocation: invocation({ invocationType: 'DryRun' }) }),
    );
    expect(ends).toEqual([]);
  });
});
