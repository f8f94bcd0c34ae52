import { describe, expect, test } from '@jest/globals';
import { StepResults } from '../../../src/outcome/step-results.ts';
import { failed, notInvoked, succeeded, unknown } from '../report/factory.ts';

const resultsOf = (...evaluations: ReturnType<typeof succeeded>[]): StepResults => {
  const results = new StepResults(evaluations.length);
  for (const evaluation of evaluations) results.add(evaluation);
  return results;
};

describe('the exit code', () => {
  test('is 0 if every invocation succeeded or there was nothing to invoke', () => {
    expect(resultsOf(succeeded(), succeeded()).exitCode).toBe(0);
    expect(resultsOf().exitCode).toBe(0);
  });

  test.each([
    ['a function error', failed({})],
    ['a rejection', notInvoked()],
    ['an unknown outcome', unknown()],
  ])('is 1 after %s', (_, evaluation) => {
    expect(resultsOf(succeeded(), evaluation, succeeded()).exitCode).toBe(1);
  });

  test('is 0 after a function error that does not fail the step', () => {
    expect(resultsOf(failed({}, {}, { failsStep: false })).exitCode).toBe(0);
  });

  test('is 1 if an invocation has no outcome', () => {
    const results = new StepResults(2);
    results.add(succeeded());
    expect(results.exitCode).toBe(1);
  });
});

describe('the outcomes of a step', () => {
  test('are in the order of the plan, without fields that can be large', () => {
    const large = { response: 'x', log_result: 'y', query_result: 'z', duration_ms: 3 };
    const outcomes = [...resultsOf(succeeded({ index: 1 }), succeeded({ index: 0, ...large })).outcomes];
    expect(outcomes.map(({ index }) => index)).toEqual([0, 1]);
    expect(outcomes[0]).toMatchObject({ outcome: 'succeeded', duration_ms: 3 });
    for (const name of ['response', 'log_result', 'query_result'])
      expect(outcomes[0]).not.toHaveProperty(name);
  });

  test('keep the location of a log that Lambda does not return', () => {
    const log_result = '{"logGroup":"/aws/lambda/f","logStreamName":"2026/01/02/[7]abc"}';
    const [only] = resultsOf(succeeded({ log_result })).outcomes;
    expect(only).toHaveProperty('log_result', log_result);
  });

  test('are counted by outcome and by kind of start', () => {
    const results = resultsOf(
      succeeded({ cold_start: true }),
      succeeded({ cold_start: false }),
      failed({}, { cold_start: false }),
      notInvoked(),
    );
    expect(results.counts).toEqual({
      total: 4,
      counts: { succeeded: 2, function_error: 1, expectation_failed: 0, not_invoked: 1, unknown: 0 },
      failed: 2,
      halted: 0,
      resumed: 0,
      cold: 1,
      warm: 2,
    });
  });
});
