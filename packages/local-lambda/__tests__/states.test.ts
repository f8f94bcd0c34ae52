import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import {
  GetFunctionConfigurationCommand,
  type GetFunctionConfigurationCommandOutput,
  InvokeCommand,
  type InvokeCommandInput,
  type LambdaClient,
  waitUntilFunctionActive,
  waitUntilFunctionUpdated,
  waitUntilPublishedVersionActive,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { SAMPLE_FUNCTIONS, sampleHandler } from '../sample-functions.ts';
import { type FunctionDefinition, type LocalLambda, startLocalLambda } from '../server.ts';
import { clientOf, failureOf } from './client.ts';

const ARN = 'arn:aws:lambda:us-east-1:123456789012:function:own';

let lambda: LocalLambda;
let client: LambdaClient;

const configuration = (FunctionName = 'own'): Promise<GetFunctionConfigurationCommandOutput> =>
  client.send(new GetFunctionConfigurationCommand({ FunctionName }));

async function invoke(FunctionName = 'own', input: Partial<InvokeCommandInput> = {}): Promise<unknown> {
  const { Payload } = await client.send(new InvokeCommand({ FunctionName, ...input }));
  return JSON.parse(Payload?.transformToString() ?? '""');
}

/** A waiter of the SDK with short delays. */
const waiter = () => ({ client, minDelay: 0.005, maxDelay: 0.01, maxWaitTime: 10 });
const own = { FunctionName: 'own' };
const ran = (): number => lambda.executions('own').length;
/** A function that returns this text. */
const responding = (key3: string): FunctionDefinition => ({
  ...SAMPLE_FUNCTIONS.echo,
  environment: { key3 },
});

beforeAll(async () => {
  lambda = await startLocalLambda({ functions: { own: SAMPLE_FUNCTIONS.echo } });
  client = clientOf(lambda);
});

afterAll(async () => {
  client.destroy();
  await lambda.close();
});

beforeEach(() => lambda.reset());

describe('GetFunctionConfiguration', () => {
  test('describes a function', async () => {
    lambda.setFunction('own', {
      ...SAMPLE_FUNCTIONS.greeting,
      memorySize: 256,
      timeoutSeconds: 7,
      environment: { STAGE: 'test' },
    });
    const { $metadata, ...document } = await configuration();
    const code = await readFile(sampleHandler('greeting').replace(/\.handler$/, ''));
    expect($metadata.requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(document).toEqual({
      FunctionName: 'own',
      FunctionArn: ARN,
      Version: '$LATEST',
      Runtime: 'nodejs24.x',
      Role: 'arn:aws:iam::123456789012:role/local-role',
      Handler: 'greeting.handler',
      CodeSize: code.length,
      CodeSha256: createHash('sha256').update(code).digest('base64'),
      Description: '',
      Timeout: 7,
      MemorySize: 256,
      LastModified: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/),
      Environment: { Variables: { STAGE: 'test' } },
      TracingConfig: { Mode: 'PassThrough' },
      RevisionId: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      State: 'Active',
      LastUpdateStatus: 'Successful',
      PackageType: 'Zip',
      Architectures: [expect.stringMatching(/^(x86_64|arm64)$/)],
      EphemeralStorage: { Size: 512 },
      SnapStart: { ApplyOn: 'None', OptimizationStatus: 'Off' },
      LoggingConfig: { LogFormat: 'Text', LogGroup: '/aws/lambda/own' },
    });
  });

  test.each([
    ['own', '$LATEST', ARN],
    ['own:$LATEST', '$LATEST', `${ARN}:$LATEST`],
    ['own:1', '1', `${ARN}:1`],
    ['own:live', '2', `${ARN}:live`],
    [`${ARN}:previous`, '1', `${ARN}:previous`],
  ])('of %s', async (name, Version, FunctionArn) => {
    lambda.setFunction('own', SAMPLE_FUNCTIONS.echo);
    expect(await configuration(name)).toMatchObject({ Version, FunctionArn });
  });

  test('rejects missing functions and invalid names', async () => {
    expect(await failureOf(configuration('own:canary'))).toMatchObject({
      name: 'ResourceNotFoundException',
      message: `Function not found: ${ARN}:canary`,
    });
    expect((await failureOf(configuration('my function'))).name).toBe('ValidationException');
  });
});

describe('a function that is created', () => {
  test('is Pending and rejects invocations, then is Active', async () => {
    lambda.setFunction('own', {
      ...SAMPLE_FUNCTIONS.echo,
      states: [{ state: 'Pending', lasts: { polls: 3 } }, { state: 'Active' }],
    });
    const error = await failureOf(invoke());
    expect(error.name).toBe('ResourceConflictException');
    expect(error.$metadata.httpStatusCode).toBe(409);
    expect(error.message).toBe(
      'The operation cannot be performed at this time. The function is currently in the following state: Pending',
    );
    expect((await failureOf(invoke('own', { InvocationType: 'Event' }))).name).toBe(
      'ResourceConflictException',
    );
    await invoke('own', { InvocationType: 'DryRun' });
    const pending = await configuration();
    expect(pending).toMatchObject({
      State: 'Pending',
      StateReason: 'The function is being created.',
      StateReasonCode: 'Creating',
    });
    expect(pending.LastUpdateStatus).toBeUndefined();
    await waitUntilFunctionActive(waiter(), own);
    const active = await configuration();
    expect(active).toMatchObject({ State: 'Active', LastUpdateStatus: 'Successful' });
    expect(active.RevisionId).not.toBe(pending.RevisionId);
    expect(lambda.requests.filter(({ method }) => method === 'GET')).toHaveLength(5);
    expect(ran()).toBe(0);
    expect(await invoke()).toEqual({});
    expect(ran()).toBe(1);
  });

  test('can fail', async () => {
    lambda.setFunction('own', {
      ...SAMPLE_FUNCTIONS.echo,
      states: [
        { state: 'Pending', lasts: { polls: 1 } },
        {
          state: 'Failed',
          reason: 'The role can not be assumed.',
          reasonCode: 'InsufficientRolePermissions',
        },
      ],
    });
    await expect(waitUntilFunctionActive(waiter(), own)).rejects.toThrow(/FAILURE|Failed/);
    expect(await configuration()).toMatchObject({
      State: 'Failed',
      StateReason: 'The role can not be assumed.',
      StateReasonCode: 'InsufficientRolePermissions',
    });
    expect(await failureOf(invoke())).toMatchObject({
      name: 'ResourceConflictException',
      message: expect.stringMatching(/following state: Failed$/),
    });
    expect(ran()).toBe(0);
  });

  test('a state can last for a time', async () => {
    const startedAt = performance.now();
    lambda.setFunction('own', {
      ...SAMPLE_FUNCTIONS.echo,
      states: [
        { state: 'Pending', lasts: { ms: 200 } },
        { state: 'Active', lasts: { ms: 0 } },
        { state: 'Failed' },
      ],
    });
    while ((await configuration()).State === 'Pending') await new Promise((done) => setTimeout(done, 5));
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(200);
    expect((await configuration()).State).toBe('Failed');
  });
});

test('the first invocation of an idle function wakes it and fails', async () => {
  lambda.setFunction('own', {
    ...SAMPLE_FUNCTIONS.echo,
    states: [
      { state: 'Inactive', lasts: { invocations: 1 } },
      { state: 'Pending', reasonCode: 'Restoring', lasts: { polls: 2 } },
      { state: 'Active' },
    ],
  });
  for (let poll = 0; poll < 3; poll++) {
    expect(await configuration()).toMatchObject({ State: 'Inactive', StateReasonCode: 'Idle' });
  }
  const error = await failureOf(invoke());
  expect(error.name).toBe('CodeArtifactUserPendingException');
  expect(error.$metadata.httpStatusCode).toBe(409);
  expect(error.message).toBe('Lambda is initializing your function. It will be ready to invoke shortly.');
  expect((await failureOf(invoke())).name).toBe('ResourceConflictException');
  expect(await configuration()).toMatchObject({ State: 'Pending', StateReasonCode: 'Restoring' });
  await waitUntilFunctionActive(waiter(), own);
  expect(await invoke()).toEqual({});
  expect(ran()).toBe(1);
});

describe('an update', () => {
  test('lets the old code respond until it is done', async () => {
    lambda.setFunction('own', responding('old'));
    expect(await invoke()).toEqual({ key3: 'old' });
    const before = await configuration();
    lambda.updateFunction('own', { ...responding('new'), memorySize: 512 }, { lasts: { polls: 2 } });
    expect(await invoke()).toEqual({ key3: 'old' });
    const during = await configuration();
    expect(during).toMatchObject({
      State: 'Active',
      LastUpdateStatus: 'InProgress',
      LastUpdateStatusReasonCode: 'Creating',
      Environment: { Variables: { key3: 'new' } },
      MemorySize: 512,
    });
    expect(during.RevisionId).not.toBe(before.RevisionId);
    expect(await invoke()).toEqual({ key3: 'old' });
    await waitUntilFunctionUpdated(waiter(), own);
    expect(await configuration()).toMatchObject({ State: 'Active', LastUpdateStatus: 'Successful' });
    expect(await invoke()).toEqual({ key3: 'new' });
    const [first, second, third, last] = lambda.executions('own').map(({ environmentId }) => environmentId);
    expect([second, third]).toEqual([first, first]);
    expect(last).not.toBe(first);
  });

  test('that fails keeps the old code', async () => {
    lambda.setFunction('own', responding('old'));
    lambda.updateFunction('own', responding('new'), {
      lasts: { polls: 1 },
      fails: { reason: 'The image is gone.', reasonCode: 'ImageDeleted' },
    });
    await expect(waitUntilFunctionUpdated(waiter(), own)).rejects.toThrow(/FAILURE|Failed/);
    expect(await configuration()).toMatchObject({
      State: 'Active',
      LastUpdateStatus: 'Failed',
      LastUpdateStatusReason: 'The image is gone.',
      LastUpdateStatusReasonCode: 'ImageDeleted',
      Environment: { Variables: { key3: 'old' } },
    });
    expect(await invoke()).toEqual({ key3: 'old' });
    lambda.updateFunction('own', responding('newer'), { lasts: { invocations: 1 } });
    expect(await invoke()).toEqual({ key3: 'old' });
    expect(await invoke()).toEqual({ key3: 'newer' });
  });

  test('cannot start while another is in progress, or without a function', () => {
    lambda.setFunction('own', responding('old'));
    lambda.updateFunction('own', responding('new'), { lasts: { polls: 1 } });
    const update = (name: string) => () =>
      lambda.updateFunction(name, responding('newer'), { lasts: { polls: 1 } });
    expect(update('own')).toThrow('An update of own is already in progress.');
    expect(update('nope')).toThrow('There is no function nope.');
  });

  test('publishes versions and moves aliases immediately, and does not change published versions', async () => {
    lambda.setFunction('own', { ...responding('old'), versions: { '1': {} }, aliases: { live: '1' } });
    expect(await invoke('own:live')).toEqual({ key3: 'old' });
    lambda.updateFunction(
      'own',
      { ...responding('new'), versions: { '1': {}, '2': {} }, aliases: { live: '2' } },
      { lasts: { polls: 9 } },
    );
    expect(await invoke('own')).toEqual({ key3: 'old' });
    expect(await invoke('own:1')).toEqual({ key3: 'old' });
    expect(await invoke('own:live')).toEqual({ key3: 'new' });
    const environments = lambda.executions('own').map(({ version, coldStart }) => [version, coldStart]);
    expect(environments).toEqual([
      ['1', true],
      ['$LATEST', true],
      ['1', false],
      ['2', true],
    ]);
  });
});

describe('a published version', () => {
  test('has its own states and is optimized by SnapStart', async () => {
    lambda.setFunction('own', {
      ...SAMPLE_FUNCTIONS.echo,
      snapStart: true,
      versions: {
        '1': {},
        '2': { states: [{ state: 'Pending', lasts: { polls: 3 } }, { state: 'Active' }] },
        '3': { states: [{ state: 'Inactive', lasts: { invocations: 1 } }, { state: 'Pending' }] },
      },
      aliases: { live: '2' },
    });
    const snapStart = async (name: string) => {
      const { State, SnapStart } = await configuration(name);
      return [State, SnapStart?.ApplyOn, SnapStart?.OptimizationStatus];
    };
    expect(await snapStart('own')).toEqual(['Active', 'PublishedVersions', 'Off']);
    expect(await snapStart('own:1')).toEqual(['Active', 'PublishedVersions', 'On']);
    expect(await snapStart('own:live')).toEqual(['Pending', 'PublishedVersions', 'Off']);
    expect((await failureOf(invoke('own:live'))).name).toBe('ResourceConflictException');
    expect(await invoke('own:1')).toEqual({});
    await waitUntilPublishedVersionActive(waiter(), { ...own, Qualifier: 'live' });
    expect(await snapStart('own:live')).toEqual(['Active', 'PublishedVersions', 'On']);
    expect(await invoke('own:live')).toEqual({});
    expect(await failureOf(invoke('own:3'))).toMatchObject({
      name: 'SnapStartNotReadyException',
      message:
        'Lambda is initializing your function. It will be ready to invoke once your function state becomes ACTIVE.',
    });
    expect((await failureOf(invoke('own:3'))).name).toBe('ResourceConflictException');
    expect(lambda.executions('own').map(({ version }) => version)).toEqual(['1', '2']);
  });

  test('does not inherit the states of $LATEST', async () => {
    lambda.setFunction('own', { ...SAMPLE_FUNCTIONS.echo, states: [{ state: 'Pending' }] });
    expect((await configuration('own')).State).toBe('Pending');
    expect((await configuration('own:1')).State).toBe('Active');
  });
});
