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
let mayReadAlias = true;

beforeAll(async () => {
  lambda = await startLocalLambda({
    functions: { echo: SAMPLE_FUNCTIONS.echo },
    deny: ({ operation = '' }) =>
      (operation === 'GetFunctionConfiguration' && !mayAsk) ||
      (['GetAlias', 'GetProvisionedConcurrencyConfig'].includes(operation) && !mayReadAlias)
        ? { kind: 'no-identity-policy' }
        : undefined,
  });
});
beforeEach(() => {
  lambda.reset();
  mayAsk = true;
  mayReadAlias = true;
});
afterAll(() => lambda.close());

const responding = (key3: string): FunctionDefinition => ({
  ...SAMPLE_FUNCTIONS.echo,
  environment: { key3 },
});
const INPUTS = { function_name: 'echo', payload: '{}', wait_until_ready: 'true' };
const texts = (step: { lines: readonly { text: string }[] }): string[] => step.lines.map(({ text }) => text);

test('a function with an update of 3 s is invoked once, and the new code responds', async () => {
  lambda.setFunction('echo', responding('old'));
  lambda.updateFunction('echo', responding('new'), { lasts: { ms: 3_000 } });
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

test('the state is not requested without the wait', async () => {
  lambda.setFunction('echo', responding('old'));
  lambda.updateFunction('echo', responding('new'), { lasts: { polls: 1 } });
  const step = await invokeStep(lambda, { ...INPUTS, wait_until_ready: 'false' });
  expect(step.outputs['response']).toBe('{"key3":"old"}');
  expect(lambda.requests.map(({ operation }) => operation)).toEqual(['Invoke']);
});

test("a failed function ends the step with Lambda's reason", async () => {
  const reason = 'The image is gone.\n::error::x ##[error]y';
  lambda.setFunction('echo', {
    ...responding('never'),
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

test('if the state request is denied, the annotation has the statement to add', async () => {
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

test('if the state cannot be read, the log and the annotation have the reason, and nothing was sent', async () => {
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

test('if Lambda is unavailable until timeout_seconds is exceeded, the annotation says so', async () => {
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

/** An alias that AWS moves to version 2 when the provisioned concurrency of that is ready. */
const deployAlias = (ms: number): void =>
  lambda.setFunction('echo', {
    ...SAMPLE_FUNCTIONS.echo,
    versions: { 1: {}, 2: {} },
    aliases: { live: { version: '2', routing: [{ weights: { 1: 1 }, lasts: { ms } }, {}] } },
    provisionedConcurrency: {
      live: {
        requested: 5,
        steps: [
          { status: 'IN_PROGRESS', lasts: { ms: ms / 2 } },
          { status: 'IN_PROGRESS', available: 2, lasts: { ms: ms / 2 } },
          { status: 'READY' },
        ],
      },
    },
  });

test('an alias whose provisioned concurrency takes 5 s is invoked once, after it, by its own version', async () => {
  deployAlias(5_000);
  const step = await invokeStep(lambda, {
    ...INPUTS,
    qualifier: 'live',
    expect: "executed_version == '2'",
  });
  expect(step.exitCode).toBe(0);
  const seen = texts(step);
  expect(seen.slice(0, 4)).toEqual([
    'Invoking echo:live in us-east-1 (RequestResponse)',
    'Provisioned concurrency of echo:live: 0 of 5 available',
    'echo:live routes 100% to version 1',
    'Provisioned concurrency of echo:live: 2 of 5 available',
  ]);
  // Both end at the same time, and either may be read first.
  expect(seen.slice(4, 6).sort()).toEqual([
    'Provisioned concurrency of echo:live: 5 of 5 available',
    'echo:live routes all invocations to version 2',
  ]);
  expect(seen.slice(6)).toEqual([
    'echo:live is ready',
    'echo:live succeeded (status: 200, response: 2 bytes)',
    expect.stringMatching(/^Response saved/),
  ]);
  expect(lambda.executions('echo').map(({ version }) => version)).toEqual(['2']);
});

test('weights are waited for where an expectation of the entry names the version, and not for others', async () => {
  lambda.setFunction('echo', {
    ...SAMPLE_FUNCTIONS.echo,
    versions: { 1: {}, 2: {} },
    aliases: { live: { version: '2', routing: [{ weights: { 1: 1 }, lasts: { polls: 2 } }, {}] } },
  });
  const entry = { function_name: 'echo', qualifier: 'live', payload: {} };
  const step = await invokeStep(lambda, {
    invocations: JSON.stringify([{ ...entry, expect: "executed_version == '2'" }]),
    wait_until_ready: 'true',
  });
  expect(step.exitCode).toBe(0);
  lambda.setFunction('echo', {
    ...SAMPLE_FUNCTIONS.echo,
    versions: { 1: {}, 2: {} },
    aliases: { live: { version: '2', routing: [{ weights: { 1: 1 } }] } },
  });
  const other = await invokeStep(lambda, {
    invocations: JSON.stringify([{ ...entry, expect: 'response == `{}`' }]),
    wait_until_ready: 'true',
  });
  expect(other.outputs).toMatchObject({ outcome: 'succeeded', executed_version: '1' });
});

test('where an alias can not be read, a warning has the statement, and the alias is invoked', async () => {
  mayReadAlias = false;
  deployAlias(5_000);
  const step = await invokeStep(lambda, { ...INPUTS, qualifier: 'live' });
  expect(step.exitCode).toBe(0);
  expect(step.outputs['outcome']).toBe('succeeded');
  expect(step.annotations.map(({ level }) => level)).toEqual(['warning']);
  const [warned, statement] = step.annotations[0]?.message.split('\n') ?? [];
  expect(warned).toBe(
    "The alias echo:live can't be read (AccessDeniedException), so the step does not wait for its weights or its provisioned concurrency. To wait for them, allow lambda:GetProvisionedConcurrencyConfig and lambda:GetAlias. Add this statement to the caller's policy:",
  );
  const arn = 'arn:aws:lambda:us-east-1:123456789012:function:echo';
  expect(JSON.parse(statement ?? '')).toEqual({
    Effect: 'Allow',
    Action: ['lambda:GetProvisionedConcurrencyConfig', 'lambda:GetAlias'],
    Resource: [arn, `${arn}:*`],
  });
});

test('a provisioned concurrency that fails ends the step with its reason', async () => {
  lambda.setFunction('echo', {
    ...SAMPLE_FUNCTIONS.echo,
    versions: { 1: {} },
    aliases: { live: '1' },
    provisionedConcurrency: { live: { requested: 5, steps: [{ status: 'FAILED' }] } },
  });
  const step = await invokeStep(lambda, { ...INPUTS, qualifier: 'live' });
  expect(step.exitCode).toBe(1);
  expect(step.outputs).toMatchObject({ outcome: 'not_invoked', attempts: '0' });
  expect(step.annotations[0]?.message.split('\n')).toEqual([
    'echo:live: ProvisionedConcurrencyFailed: the provisioned concurrency of echo:live could not be allocated: FUNCTION_ERROR_INIT_FAILURE. The function did not run.',
    'Fix the cause, then configure the provisioned concurrency again: aws lambda get-provisioned-concurrency-config shows its state.',
  ]);
  expect(lambda.executions('echo')).toHaveLength(0);
});
