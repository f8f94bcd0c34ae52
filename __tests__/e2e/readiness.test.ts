import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { SAMPLE_FUNCTIONS } from '../../packages/local-lambda/sample-functions.ts';
import {
  type FunctionDefinition,
  type LocalLambda,
  startLocalLambda,
} from '../../packages/local-lambda/server.ts';
import { invokeStep, unusedUrl } from './step.ts';

let lambda: LocalLambda;
let mayAsk = true;

beforeAll(async () => {
  lambda = await startLocalLambda({
    functions: { echo: SAMPLE_FUNCTIONS.echo },
    deny: ({ operation }) =>
      operation === 'GetFunctionConfiguration' && !mayAsk ? { kind: 'no-identity-policy' } : undefined,
  });
});
beforeEach(() => {
  lambda.reset();
  mayAsk = true;
});
afterAll(() => lambda.close());

const answering = (key3: string): FunctionDefinition => ({ ...SAMPLE_FUNCTIONS.echo, environment: { key3 } });
const INPUTS = { function_name: 'echo', payload: '{}', wait_until_ready: 'true' };
const texts = (step: { lines: readonly { text: string }[] }): string[] => step.lines.map(({ text }) => text);

test("a function whose update takes 3 s is invoked once, and its answer is the new code's", async () => {
  lambda.setFunction('echo', answering('old'));
  lambda.updateFunction('echo', answering('new'), { lasts: { ms: 3_000 } });
  const step = await invokeStep(lambda, INPUTS);
  expect(step.exitCode).toBe(0);
  expect(step.outputs).toMatchObject({ response: '{"key3":"new"}', attempts: '1' });
  expect(Number(JSON.parse(step.outcomeLines[0] ?? '').elapsed_ms)).toBeGreaterThan(2_000);
  expect(texts(step).slice(0, 4)).toEqual([
    'Invoking echo in us-east-1 (RequestResponse)',
    'echo is Active, but an update is in progress: the old code still responds',
    'echo is ready',
    'echo succeeded (status: 200, response: 14 bytes)',
  ]);
  expect(lambda.executions('echo')).toHaveLength(1);
});

test('the state is not asked for where nobody wants to wait', async () => {
  lambda.setFunction('echo', answering('old'));
  lambda.updateFunction('echo', answering('new'), { lasts: { polls: 1 } });
  const step = await invokeStep(lambda, { ...INPUTS, wait_until_ready: 'false' });
  expect(step.outputs['response']).toBe('{"key3":"old"}');
  expect(lambda.requests.map(({ operation }) => operation)).toEqual(['Invoke']);
});

test("a failed function ends the step with Lambda's reason", async () => {
  const reason = 'The image is gone.\n::error::x ##[error]y';
  lambda.setFunction('echo', {
    ...answering('never'),
    states: [{ state: 'Failed', reason, reasonCode: 'ImageDeleted' }],
  });
  const step = await invokeStep(lambda, INPUTS);
  expect(step.exitCode).toBe(1);
  expect(step.outputs).toMatchObject({ outcome: 'not_invoked', attempts: '0' });
  expect(texts(step)).toContain('echo is Failed (ImageDeleted)');
  expect(step.annotations).toEqual([
    {
      level: 'error',
      title: 'Failed to Invoke Lambda Function',
      message: [
        `echo: FunctionFailed: the function is in state Failed: ${reason}. The function did not run.`,
        'Fix the problem above and deploy the function again.',
      ].join('\n'),
    },
  ]);
  expect(lambda.executions('echo')).toHaveLength(0);
});

test('where asking is denied, the annotation has the statement to add', async () => {
  mayAsk = false;
  const step = await invokeStep(lambda, { ...INPUTS, qualifier: '1' });
  expect(step.exitCode).toBe(1);
  expect(step.outputs['outcome']).toBe('not_invoked');
  const [, advice, statement] = step.annotations[0]?.message.split('\n') ?? [];
  expect(advice).toBe(
    "Allow lambda:GetFunctionConfiguration on the function in the caller's policy. Add this statement:",
  );
  const arn = 'arn:aws:lambda:us-east-1:123456789012:function:echo';
  expect(JSON.parse(statement ?? '')).toEqual({
    Effect: 'Allow',
    Action: ['lambda:GetFunctionConfiguration'],
    Resource: [arn, `${arn}:*`],
  });
  expect(lambda.requests).toHaveLength(1);
});

test('where Lambda can not be asked, the log and the annotation say why, and nothing was sent', async () => {
  const step = await invokeStep({ ...lambda, url: await unusedUrl() }, { ...INPUTS, retry_seconds: '1' });
  expect(step.exitCode).toBe(1);
  expect(step.outputs).toMatchObject({ outcome: 'not_invoked', attempts: '0' });
  expect(texts(step)).toContainEqual(
    expect.stringMatching(
      /^echo: could not read the configuration \(ECONNREFUSED\)\. Retrying in \d\.\d s\.$/,
    ),
  );
  expect(step.annotations[0]?.message).toMatch(
    /^echo: ECONNREFUSED: connect ECONNREFUSED \S+ \(tried \d+ times; gave up: retry_seconds is exhausted\)\./,
  );
});

test('where Lambda is unavailable until timeout_seconds is over, the annotation says so', async () => {
  lambda.setFault(() => ({
    kind: 'error',
    when: 'before',
    status: 503,
    type: 'ServiceUnavailableException',
    message: 'Try later.',
  }));
  const step = await invokeStep(lambda, { ...INPUTS, timeout_seconds: '2' });
  expect(step.outputs).toMatchObject({ outcome: 'not_invoked', attempts: '0' });
  expect(step.annotations[0]?.message).toMatch(
    /^echo: ServiceUnavailableException: timed out before Lambda said whether the function is ready: Try later\. The function did not run\./,
  );
  expect(texts(step)).toContainEqual(
    expect.stringMatching(/could not read the configuration \(ServiceUnavailableException\)\. Retrying in/),
  );
});
