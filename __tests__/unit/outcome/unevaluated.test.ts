import { describe, expect, test } from '@jest/globals';
import { judgeUnevaluated } from '../../../src/outcome/unevaluated.ts';
import { answer, delivery, failure, invocation, REQUEST_ID } from './factory.ts';

const RULES = {
  failOnFunctionError: false,
  expressions: { expect: ["result == 'x'"], mask: [] },
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
      const judgement = judgeUnevaluated(ended, ERROR, RULES);
      expect(judgement).toMatchObject({
        outcome: {
          outcome,
          request_id: REQUEST_ID,
          error: { name: 'EvaluationFailed', message: expect.stringContaining(says) },
        },
        failsStep: true,
        responseBytes: 4,
      });
      expect(Buffer.from(judgement.response).toString()).toBe('"é"');
      expect(judgement.outcome).toMatchObject({
        error: {
          message: expect.stringMatching(/^The outcome could not be evaluated: Invalid string length\. /),
        },
      });
    },
  );

  test.each([
    { proof: 'never_ran', outcome: 'not_invoked' },
    { proof: 'may_have_run', outcome: 'unknown' },
    { proof: 'ran', outcome: 'unknown' },
  ] as const)('of a failure that proves $proof is $outcome', ({ proof, outcome }) => {
    const judgement = judgeUnevaluated(delivery(failure({ proof })), ERROR, RULES);
    expect(judgement).toMatchObject({ outcome: { outcome }, failsStep: true, responseBytes: 0 });
  });

  test('does not repeat the error where a mask would have had to hide parts of it', () => {
    const expressions = { expect: [], mask: ['result.token'] };
    const judgement = judgeUnevaluated(delivery(answer('{}')), ERROR, { ...RULES, expressions });
    expect(JSON.stringify(judgement)).not.toContain('Invalid string length');
  });
});
