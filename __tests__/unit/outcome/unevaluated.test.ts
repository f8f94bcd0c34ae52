import { describe, expect, test } from '@jest/globals';
import { evaluateAsUnknown } from '../../../src/outcome/unevaluated.ts';
import { answer, delivery, failure, invocation, REQUEST_ID } from './factory.ts';

const RULES = {
  failOnFunctionError: false,
  expressions: { expect: ["response == 'x'"], mask: [] },
  job: { eventName: 'push', hasOidc: false },
};
const ERROR = new RangeError('Invalid string length');

describe('an outcome that cannot be evaluated', () => {
  test.each([
    { invocationType: 'RequestResponse', statusCode: 200, outcome: 'unknown', says: 'The function ran' },
    { invocationType: 'Event', statusCode: 202, outcome: 'unknown', says: 'whether the function ran' },
    { invocationType: 'DryRun', statusCode: 204, outcome: 'not_invoked', says: 'did not run' },
  ] as const)(
    'of $invocationType is $outcome, and fails the step',
    ({ invocationType, statusCode, outcome, says }) => {
      const ended = delivery(answer('"é"', { statusCode }), { invocation: invocation({ invocationType }) });
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
    const evaluation = evaluateAsUnknown(delivery(failure({ evidence })), ERROR, RULES);
    expect(evaluation).toMatchObject({ outcome: { outcome }, failsStep: true, responseBytes: 0 });
  });

  test('does not repeat the error where a mask would have had to hide parts of it', () => {
    const expressions = { expect: [], mask: ['response.token'] };
    const evaluation = evaluateAsUnknown(delivery(answer('{}')), ERROR, { ...RULES, expressions });
    expect(JSON.stringify(evaluation)).not.toContain('Invalid string length');
  });
});
