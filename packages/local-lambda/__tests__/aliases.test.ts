import {
  type AliasConfiguration,
  GetAliasCommand,
  GetFunctionConfigurationCommand,
  GetProvisionedConcurrencyConfigCommand,
  type GetProvisionedConcurrencyConfigCommandOutput,
  InvokeCommand,
  type InvokeCommandInput,
  type LambdaClient,
  ListAliasesCommand,
  type ListAliasesRequest,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { SAMPLE_FUNCTIONS } from '../sample-functions.ts';
import { type Denial, type FunctionDefinition, type LocalLambda, startLocalLambda } from '../server.ts';
import { clientOf, failureOf } from './client.ts';

const ARN = 'arn:aws:lambda:us-east-1:123456789012:function:own';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Versions 1 and 2 of a function that returns its event, and the settings of the test. */
const own = (definition: Partial<FunctionDefinition>): FunctionDefinition => ({
  ...SAMPLE_FUNCTIONS.echo,
  aliases: {},
  ...definition,
});

let lambda: LocalLambda;
let client: LambdaClient;
let denial: Denial | undefined;
/** The time on the local Lambda's clock, in milliseconds since 1970. */
let time = Date.UTC(2026, 8, 1);
/** The random numbers for the local Lambda, in order. */
let numbers: number[] = [];

const alias = async (Name: string, FunctionName = 'own'): Promise<AliasConfiguration> => {
  const { $metadata: _, ...configuration } = await client.send(new GetAliasCommand({ FunctionName, Name }));
  return configuration;
};
const weights = async (name: string): Promise<unknown> =>
  (await alias(name)).RoutingConfig?.AdditionalVersionWeights;
const aliases = async (input: Partial<ListAliasesRequest> = {}) => {
  const page = await client.send(new ListAliasesCommand({ FunctionName: 'own', ...input }));
  return { names: page.Aliases?.map(({ Name }) => Name), next: page.NextMarker };
};
const provisioned = async (
  Qualifier: string,
  FunctionName = 'own',
): Promise<GetProvisionedConcurrencyConfigCommandOutput> =>
  client.send(new GetProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier }));
/** The status, then the numbers of allocated, available and requested environments. */
const allocation = async (qualifier: string): Promise<readonly unknown[]> => {
  const its = await provisioned(qualifier);
  return [
    its.Status,
    its.AllocatedProvisionedConcurrentExecutions,
    its.AvailableProvisionedConcurrentExecutions,
    its.RequestedProvisionedConcurrentExecutions,
  ];
};
const invoke = async (Qualifier: string, input: Partial<InvokeCommandInput> = {}) =>
  (await client.send(new InvokeCommand({ FunctionName: 'own', Qualifier, ...input }))).ExecutedVersion;

function nextNumber(): number {
  const number = numbers.shift();
  if (number === undefined) throw new Error('The test has no more numbers.');
  return number;
}

beforeAll(async () => {
  lambda = await startLocalLambda({
    functions: { own: own({}) },
    now: () => time,
    random: nextNumber,
    deny: () => denial,
  });
  client = clientOf(lambda);
});

afterAll(async () => {
  client.destroy();
  await lambda.close();
});

beforeEach(() => {
  denial = undefined;
  numbers = [];
  lambda.reset();
});

describe('GetAlias', () => {
  test('returns the version, the description and the weights', async () => {
    lambda.setFunction(
      'own',
      own({
        aliases: {
          live: '2',
          canary: { version: '1', description: 'A tenth.', routing: [{ weights: { '2': 0.1 } }] },
        },
      }),
    );
    const common = { RevisionId: expect.stringMatching(UUID) };
    expect(await alias('live')).toEqual({
      ...common,
      AliasArn: `${ARN}:live`,
      Name: 'live',
      FunctionVersion: '2',
      Description: '',
    });
    expect(await alias('canary', ARN)).toEqual({
      ...common,
      AliasArn: `${ARN}:canary`,
      Name: 'canary',
      FunctionVersion: '1',
      Description: 'A tenth.',
      RoutingConfig: { AdditionalVersionWeights: { '2': 0.1 } },
    });
    expect(lambda.requests).toMatchObject([
      { operation: 'GetAlias', functionName: 'own', qualifier: 'live' },
      { operation: 'GetAlias', functionName: 'own', qualifier: 'canary' },
    ]);
  });

  test('returns a new revision when the alias moves', async () => {
    lambda.setFunction('own', own({ aliases: { live: '1' } }));
    const { RevisionId } = await alias('live');
    expect((await alias('live')).RevisionId).toBe(RevisionId);
    lambda.updateFunction('own', own({ aliases: { live: '2' } }), { lasts: { polls: 1 } });
    expect((await alias('live')).RevisionId).not.toBe(RevisionId);
  });

  test.each([
    ['own', 'nope', 'ResourceNotFoundException', `Cannot find alias arn: ${ARN}:nope`],
    ['own', 'constructor', 'ResourceNotFoundException', `Cannot find alias arn: ${ARN}:constructor`],
    ['nope', 'live', 'ResourceNotFoundException', /^Cannot find alias arn: .*:function:nope:live$/],
    ['own', '2', 'ValidationException', /^1 validation error detected: Value '2' at 'name' failed/],
    ['my function', 'live', 'ValidationException', /at 'functionName' failed to satisfy/],
  ])('of %s:%s is rejected', async (functionName, name, error, message) => {
    lambda.setFunction('own', own({ aliases: { live: '2' } }));
    expect(await failureOf(alias(name, functionName))).toMatchObject({
      name: error,
      message: typeof message === 'string' ? message : expect.stringMatching(message),
    });
  });
});

describe('ListAliases', () => {
  beforeEach(() =>
    lambda.setFunction(
      'own',
      own({ aliases: { live: '2', beta: { version: '1', routing: [{ weights: { '2': 0.5 } }] }, old: '1' } }),
    ),
  );

  test('returns all aliases with their weights, or those of one version', async () => {
    const { Aliases } = await client.send(new ListAliasesCommand({ FunctionName: 'own' }));
    expect(Aliases).toMatchObject([
      { Name: 'beta', FunctionVersion: '1', RoutingConfig: { AdditionalVersionWeights: { '2': 0.5 } } },
      { Name: 'live', FunctionVersion: '2', AliasArn: `${ARN}:live` },
      { Name: 'old', FunctionVersion: '1' },
    ]);
    expect(await aliases({ FunctionVersion: '1' })).toEqual({ names: ['beta', 'old'], next: undefined });
    expect(await aliases({ FunctionVersion: '7' })).toEqual({ names: [], next: undefined });
  });

  test('returns pages', async () => {
    const first = await aliases({ MaxItems: 2 });
    expect(first).toEqual({ names: ['beta', 'live'], next: expect.any(String) });
    expect(await aliases({ MaxItems: 2, Marker: first.next })).toEqual({ names: ['old'], next: undefined });
  });

  test.each([
    [{ FunctionName: 'nope' }, 'ResourceNotFoundException', /^Function not found: .*:function:nope$/],
    [{ MaxItems: 0 }, 'ValidationException', /'maxItems'.* greater than or equal to 1$/],
    [{ MaxItems: 10_001 }, 'ValidationException', /'maxItems'.* less than or equal to 10000$/],
    [{ FunctionVersion: 'live' }, 'ValidationException', /at 'functionVersion' failed/],
  ])('rejects %j', async (input, name, message) => {
    expect(await failureOf(aliases(input))).toMatchObject({
      name,
      message: expect.stringMatching(message),
    });
  });
});

describe('an alias with weights', () => {
  const weighted = own({ aliases: { live: { version: '1', routing: [{ weights: { '2': 0.2 } }] } } });

  test('routes each invocation with one random number', async () => {
    lambda.setFunction('own', weighted);
    numbers = [0, 0.19, 0.2, 0.99];
    const versions: unknown[] = [];
    while (numbers.length > 0) versions.push(await invoke('live'));
    expect(versions).toEqual(['2', '2', '1', '1']);
    expect(lambda.executions('own').map(({ version }) => version)).toEqual(versions);
    expect(await invoke('2')).toBe('2');
  });

  test('routes nothing at 0 and everything at 1', async () => {
    const at = (weight: number) => ({ version: '1', routing: [{ weights: { '2': weight } }] });
    lambda.setFunction('own', own({ aliases: { none: at(0), all: at(1) } }));
    numbers = [0, 0.999];
    expect([await invoke('none'), await invoke('all')]).toEqual(['1', '2']);
  });

  test('routes an Event when it runs', async () => {
    lambda.setFunction('own', weighted);
    numbers = [0.9, 0];
    await invoke('live', { InvocationType: 'Event' });
    await lambda.idle();
    expect(lambda.executions('own').map(({ version }) => version)).toEqual(['2']);
  });

  test('returns the configuration of the version that it points to', async () => {
    lambda.setFunction('own', weighted);
    const input = { FunctionName: 'own', Qualifier: 'live' };
    const { Version } = await client.send(new GetFunctionConfigurationCommand(input));
    expect(Version).toBe('1');
  });

  test('changes its weights after a time, a number of polls or a number of invocations', async () => {
    const steps = [
      { weights: { '1': 1 }, lasts: { ms: 5_000 } },
      { weights: { '1': 0.5 }, lasts: { polls: 2 } },
      { weights: { '1': 0.25 }, lasts: { invocations: 1 } },
      {},
    ];
    lambda.setFunction('own', own({ aliases: { live: { version: '2', routing: steps } } }));
    time += 4_999;
    numbers = [0.999, 0.3];
    expect(await invoke('live')).toBe('1');
    expect(await weights('live')).toEqual({ '1': 1 });
    time += 1;
    const polled = [await weights('live'), await aliases(), await weights('live')];
    expect([polled[0], polled[2]]).toEqual([{ '1': 0.5 }, { '1': 0.5 }]);
    expect(await weights('live')).toEqual({ '1': 0.25 });
    expect(await invoke('live')).toBe('2');
    expect(await weights('live')).toBeUndefined();
    expect(await invoke('live')).toBe('2');
    expect(numbers).toEqual([]);
  });
});

describe('GetProvisionedConcurrencyConfig', () => {
  test('reports an allocation that grows until it is ready', async () => {
    const steps = [
      { status: 'IN_PROGRESS', lasts: { ms: 2_000 } },
      { status: 'IN_PROGRESS', allocated: 6, lasts: { ms: 2_000 } },
      { status: 'IN_PROGRESS', allocated: 8, available: 4, lasts: { ms: 1_000 } },
      { status: 'READY' },
    ] as const;
    lambda.setFunction(
      'own',
      own({ aliases: { live: '2' }, provisionedConcurrency: { live: { requested: 10, steps } } }),
    );
    const { $metadata, ...first } = await provisioned('live');
    expect($metadata.httpStatusCode).toBe(200);
    expect(first).toEqual({
      Status: 'IN_PROGRESS',
      AllocatedProvisionedConcurrentExecutions: 0,
      AvailableProvisionedConcurrentExecutions: 0,
      RequestedProvisionedConcurrentExecutions: 10,
      LastModified: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000$/),
    });
    time += 2_000;
    expect(await allocation('live')).toEqual(['IN_PROGRESS', 6, 0, 10]);
    time += 2_000;
    expect(await allocation('live')).toEqual(['IN_PROGRESS', 8, 4, 10]);
    time += 999;
    expect(await allocation('live')).toEqual(['IN_PROGRESS', 8, 4, 10]);
    time += 1;
    expect(await allocation('live')).toEqual(['READY', 10, 10, 10]);
    expect(await invoke('live')).toBe('2');
  });

  test('reports why an allocation failed, while invocations still run', async () => {
    const failing = (reason?: string) => ({
      requested: 3,
      steps: [
        { status: 'IN_PROGRESS', lasts: { polls: 1 } },
        { status: 'FAILED', ...(reason === undefined ? {} : { reason }) },
      ] as const,
    });
    lambda.setFunction(
      'own',
      own({
        aliases: { live: '2' },
        provisionedConcurrency: { live: failing(), '1': failing('There is no capacity.') },
      }),
    );
    expect([await allocation('live'), await allocation('live'), await allocation('1')]).toEqual([
      ['IN_PROGRESS', 0, 0, 3],
      ['FAILED', 0, 0, 3],
      ['IN_PROGRESS', 0, 0, 3],
    ]);
    expect((await provisioned('live')).StatusReason).toBe('FUNCTION_ERROR_INIT_FAILURE');
    expect((await provisioned('1')).StatusReason).toBe('There is no capacity.');
    expect(await invoke('live')).toBe('2');
  });

  test('is ready immediately by default, and can wait for an invocation', async () => {
    const steps = [{ status: 'IN_PROGRESS', lasts: { invocations: 1 } }, { status: 'READY' }] as const;
    lambda.setFunction(
      'own',
      own({ provisionedConcurrency: { '1': { requested: 2 }, '2': { requested: 2, steps } } }),
    );
    expect(await allocation('1')).toEqual(['READY', 2, 2, 2]);
    expect(await allocation('2')).toEqual(['IN_PROGRESS', 0, 0, 2]);
    await invoke('2');
    expect(await allocation('2')).toEqual(['READY', 2, 2, 2]);
  });

  test.each([
    [
      'live',
      404,
      'ProvisionedConcurrencyConfigNotFoundException',
      'No Provisioned Concurrency Config found for this function',
    ],
    [
      '2',
      404,
      'ProvisionedConcurrencyConfigNotFoundException',
      'No Provisioned Concurrency Config found for this function',
    ],
    [
      '$LATEST',
      400,
      'InvalidParameterValueException',
      'The function resource provided must be an alias or a published version.',
    ],
    ['nope', 404, 'ResourceNotFoundException', `Cannot find alias arn: ${ARN}:nope`],
    ['10', 404, 'ResourceNotFoundException', `Function not found: ${ARN}:10`],
  ])('of %s is rejected with %i', async (qualifier, status, name, message) => {
    lambda.setFunction('own', own({ aliases: { live: '2' } }));
    const error = await failureOf(provisioned(qualifier));
    expect(error).toMatchObject({ name, message });
    expect(error.$metadata.httpStatusCode).toBe(status);
  });

  test('is rejected without a function or a qualifier', async () => {
    expect((await failureOf(provisioned('live', 'nope'))).message).toMatch(
      /^Cannot find alias arn: .*:function:nope:live$/,
    );
    lambda.setFunction('own', own({ aliases: { live: '2' } }));
    client.middlewareStack.add(
      (next) => (args) => {
        if (typeof args.request === 'object' && args.request !== null) Reflect.set(args.request, 'query', {});
        return next(args);
      },
      { step: 'build', name: 'withoutQuery' },
    );
    try {
      expect(await failureOf(provisioned('live'))).toMatchObject({
        name: 'ValidationException',
        message:
          "1 validation error detected: Value null at 'qualifier' failed to satisfy constraint: Member must not be null",
      });
    } finally {
      client.middlewareStack.remove('withoutQuery');
    }
  });
});

test('after a deployment, the old version responds until the provisioned concurrency of the new one is ready', async () => {
  const provisioning = (seconds: number) => ({
    requested: 5,
    steps: [{ status: 'IN_PROGRESS', lasts: { ms: seconds * 1000 } }, { status: 'READY' }] as const,
  });
  lambda.setFunction(
    'own',
    own({ versions: { '1': {} }, aliases: { live: '1' }, provisionedConcurrency: { live: provisioning(0) } }),
  );
  expect(await invoke('live')).toBe('1');
  lambda.updateFunction(
    'own',
    own({
      versions: { '1': {}, '2': {} },
      aliases: { live: { version: '2', routing: [{ weights: { '1': 1 }, lasts: { ms: 5_000 } }, {}] } },
      provisionedConcurrency: { live: provisioning(5) },
    }),
    { lasts: { ms: 0 } },
  );
  numbers = [0.5];
  expect(await invoke('live')).toBe('1');
  expect(await allocation('live')).toEqual(['IN_PROGRESS', 0, 0, 5]);
  time += 5_000;
  expect(await allocation('live')).toEqual(['READY', 5, 5, 5]);
  expect(await invoke('live')).toBe('2');
});

test.each<readonly [string, Partial<FunctionDefinition>, string]>([
  [
    'more than one additional version',
    { aliases: { live: { version: '1', routing: [{ weights: { '2': 0.1, $LATEST: 0.1 } }] } } },
    'Number of items in AdditionalVersionWeights cannot be greater than 1',
  ],
  [
    'a weight above 1',
    { aliases: { live: { version: '1', routing: [{}, { weights: { '2': 1.5 } }] } } },
    'A weight must be from 0 to 1.',
  ],
  [
    'the same version twice',
    { aliases: { live: { version: '1', routing: [{ weights: { '1': 0.1 } }] } } },
    'Invalid function version 1. Function version 1 is already included in routing configuration.',
  ],
  [
    'weights with $LATEST',
    { aliases: { live: { version: '$LATEST', routing: [{ weights: { '1': 0.1 } }] } } },
    '$LATEST is not supported for an alias pointing to more than 1 version',
  ],
  ['a missing version', { aliases: { live: '7' } }, 'There is no version 7.'],
  ['an alias that looks like a version', { aliases: { '7': '2' } }, '7 is not a valid alias name.'],
  [
    'provisioned concurrency of $LATEST',
    { aliases: { live: '$LATEST' }, provisionedConcurrency: { live: { requested: 1 } } },
    'Provisioned Concurrency Configs cannot be applied to unpublished function versions.',
  ],
  [
    'provisioned concurrency of a missing alias',
    { provisionedConcurrency: { nope: { requested: 1 } } },
    'There is no alias or version nope.',
  ],
  [
    'provisioned concurrency of an alias and of its version',
    { aliases: { live: '1' }, provisionedConcurrency: { live: { requested: 1 }, '1': { requested: 1 } } },
    'Version is pointed by a Provisioned Concurrency alias',
  ],
])('a deployment is rejected with %s', async (_, definition, message) => {
  lambda.setFunction('own', own({ aliases: { before: '1' } }));
  expect(() => lambda.setFunction('own', own(definition))).toThrow(message);
  expect(() => lambda.updateFunction('own', own(definition), { lasts: { polls: 1 } })).toThrow(message);
  expect((await aliases()).names).toEqual(['before']);
});

test.each([
  ['GetAlias', () => alias('live'), ARN],
  ['ListAliases', () => aliases(), ARN],
  ['GetProvisionedConcurrencyConfig', () => provisioned('live'), `${ARN}:live`],
])('%s can be denied', async (operation, ask, resource) => {
  denial = { kind: 'no-identity-policy' };
  const error = await failureOf(ask());
  expect(error).toMatchObject({
    name: 'AccessDeniedException',
    message: `User: arn:aws:sts::123456789012:assumed-role/local-role/local-session is not authorized to perform: lambda:${operation} on resource: ${resource} because no identity-based policy allows the lambda:${operation} action`,
  });
  expect(error.$metadata.httpStatusCode).toBe(403);
});
