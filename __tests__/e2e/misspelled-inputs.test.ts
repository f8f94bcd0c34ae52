import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type LocalLambda, startLocalLambda } from '../../packages/local-lambda/server.ts';
import { ECHO, invokeStep } from './step.ts';

let lambda: LocalLambda;

beforeAll(async () => {
  lambda = await startLocalLambda({ functions: { echo: { handler: ECHO }, other: { handler: ECHO } } });
});
beforeEach(() => lambda.reset());
afterAll(() => lambda.close());

const VALID = { function_name: 'echo', payload: '{}' };

describe('a misspelled input', () => {
  test.each([
    ['function-name', { ...VALID, 'function-name': 'other' }, 'write function_name'],
    ['functionname', { ...VALID, functionName: 'other' }, 'write function_name'],
    ['expects', { ...VALID, expects: 'response.ok' }, 'write expect'],
    ['invocationtype', { ...VALID, invocationType: 'DryRun' }, 'write invocation_type'],
    [
      'succeed_on_function_failure',
      { ...VALID, SUCCEED_ON_FUNCTION_FAILURE: 'true' },
      'write fail_on_function_error, which means the opposite',
    ],
  ])('as %s stops the step before anything is sent', async (name, inputs, fix) => {
    const step = await invokeStep(lambda, inputs);
    expect(step.exitCode).toBe(1);
    expect(step.annotations.map(({ title, message }) => [title, message])).toEqual([
      ['Invalid Input', `There is no input "${name}": ${fix}.`],
    ]);
    expect(lambda.requests).toHaveLength(0);
    expect(lambda.executions()).toHaveLength(0);
  });

  test('is reported with the inputs that are missing because of it', async () => {
    const step = await invokeStep(lambda, { 'function-name': 'echo', payload: '{}' });
    expect(step.exitCode).toBe(1);
    expect(step.annotations[0]?.message.split('\n')).toEqual([
      'There is no input "function-name": write function_name.',
      expect.stringMatching(/^function_name is required\./),
    ]);
    expect(lambda.requests).toHaveLength(0);
  });

  test('is reported without its value', async () => {
    const step = await invokeStep(lambda, { ...VALID, AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI' });
    expect(step.exitCode).toBe(1);
    expect(step.stdout).toContain('credentials are not inputs');
    expect(step.stdout).not.toContain('wJalrXUtnFEMI');
  });
});

test("an input that reads like none of this action's is left to the runner", async () => {
  const step = await invokeStep(lambda, { ...VALID, node_version: '24' }, { env: { INPUT_FOO: 'bar' } });
  expect(step.exitCode).toBe(0);
  expect(step.annotations).toEqual([]);
  expect(lambda.executions()).toHaveLength(1);
});
