import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  CloudWatchLogsClient,
  CloudWatchLogsServiceException,
  type FilteredLogEvent,
  FilterLogEventsCommand,
  type FilterLogEventsCommandInput,
  GetLogEventsCommand,
  type GetLogEventsCommandInput,
  type GetLogEventsCommandOutput,
} from '@aws-sdk/client-cloudwatch-logs';
import {
  GetFunctionConfigurationCommand,
  InvokeCommand,
  type InvokeCommandInput,
  type InvokeCommandOutput,
  type LambdaClient,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { until } from '../../../__tests__/until.ts';
import { SAMPLE_FUNCTIONS } from '../sample-functions.ts';
import { type Denial, LOGS_THROTTLE, type LocalLambda, startLocalLambda } from '../server.ts';
import { clientOf } from './client.ts';

let lambda: LocalLambda;
let client: LambdaClient;
let logs: CloudWatchLogsClient;
let folder: string;
let denial: Denial | undefined;
/** How far the clock of the logs is ahead of this machine's. */
let ahead = 0;

const GREETING = '/aws/lambda/greeting';

function invoke(FunctionName: string, input: Partial<InvokeCommandInput> = {}): Promise<InvokeCommandOutput> {
  return client.send(new InvokeCommand({ FunctionName, ...input }));
}

const idOf = (output: InvokeCommandOutput): string => output.$metadata.requestId ?? '';

/** Every event that a search finds, over all of its pages. */
async function search(
  logGroupName: string,
  input: Partial<FilterLogEventsCommandInput> = {},
): Promise<FilteredLogEvent[]> {
  const found: FilteredLogEvent[] = [];
  let nextToken: string | undefined;
  for (let page = 0; page < 1_000; page += 1) {
    const answer = await logs.send(new FilterLogEventsCommand({ logGroupName, ...input, nextToken }));
    found.push(...(answer.events ?? []));
    nextToken = answer.nextToken;
    if (nextToken === undefined) return found;
  }
  throw new Error('The search has no end.');
}

const messagesOf = (events: readonly { message?: string | undefined }[] = []): string[] =>
  events.map(({ message }) => message ?? '');

const read = (input: GetLogEventsCommandInput): Promise<GetLogEventsCommandOutput> =>
  logs.send(new GetLogEventsCommand({ startFromHead: true, ...input }));

async function failureOf(promise: Promise<unknown>): Promise<CloudWatchLogsServiceException> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof CloudWatchLogsServiceException) return error;
  throw new Error(`Expected an error of the service, got ${String(error)}`, { cause: error });
}

/** Deploys a handler with this code. */
async function deploy(name: string, code: string, definition = {}): Promise<void> {
  const file = path.join(folder, `${name}-${Math.random()}.mjs`);
  await writeFile(file, code);
  lambda.setFunction(name, { handler: `${file}.handler`, ...definition });
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'local-lambda-logs-'));
  lambda = await startLocalLambda({
    functions: SAMPLE_FUNCTIONS,
    asyncRetryDelaysMs: [0, 0],
    now: () => Date.now() + ahead,
    deny: () => denial,
  });
  client = clientOf(lambda);
  logs = new CloudWatchLogsClient({
    endpoint: lambda.url,
    region: lambda.region,
    maxAttempts: 1,
    credentials: { accessKeyId: 'AKIAEXAMPLE000000000', secretAccessKey: 'secret' },
  });
});

afterAll(async () => {
  client.destroy();
  logs.destroy();
  await lambda.close();
  await rm(folder, { recursive: true });
});

beforeEach(() => {
  lambda.reset();
  denial = undefined;
  ahead = 0;
});

/** The one stream in which an id is found. */
async function streamOf(logGroupName: string, id: string): Promise<string> {
  const [event] = await search(logGroupName, { filterPattern: `"${id}"` });
  if (event?.logStreamName === undefined) throw new Error(`Nothing in ${logGroupName} has ${id}.`);
  return event.logStreamName;
}

describe('what a function logs', () => {
  test('is in its log group, from START to REPORT, in one stream', async () => {
    const id = idOf(await invoke('greeting', { Payload: '{"name":"Ada"}' }));
    const events = await search(GREETING, { filterPattern: `"${id}"` });
    expect(messagesOf(events)).toEqual([
      `START RequestId: ${id} Version: $LATEST\n`,
      expect.stringMatching(new RegExp(`^\\S+\\t${id}\\tINFO\\tGreeting Ada\\n$`)),
      `END RequestId: ${id}\n`,
      expect.stringMatching(new RegExp(`^REPORT RequestId: ${id}\\tDuration: .*\\t\\n$`)),
    ]);
    expect(new Set(events.map(({ logStreamName }) => logStreamName)).size).toBe(1);
    expect(events[0]?.logStreamName).toMatch(/^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/);
  });

  test('GetLogEvents reads the same stream, and gives the same token back at its end', async () => {
    const id = idOf(await invoke('greeting'));
    const stream = { logGroupName: GREETING, logStreamName: await streamOf(GREETING, id) };
    const whole = await read(stream);
    expect(messagesOf(whole.events).filter((message) => message.includes(id))).toHaveLength(4);
    expect(whole.nextForwardToken).toMatch(/^f\/\d{56}\/s$/);
    const end = await read({ ...stream, nextToken: whole.nextForwardToken });
    expect(end).toMatchObject({ events: [], nextForwardToken: whole.nextForwardToken });
    const second = idOf(await invoke('greeting'));
    const next = await read({ ...stream, nextToken: whole.nextForwardToken });
    expect(messagesOf(next.events)[0]).toBe(`START RequestId: ${second} Version: $LATEST\n`);
    expect(next.events).toHaveLength(4);
  });
});

describe('while the handler runs', () => {
  test('its lines can be read, after START and before REPORT', async () => {
    await deploy(
      'two-steps',
      `import { existsSync } from 'node:fs';
       import { setTimeout as sleep } from 'node:timers/promises';
       export const handler = async ({ gate }) => {
         console.log('step 1');
         process.stdout.write('raw output\\nand a line without an end');
         while (!existsSync(gate)) await sleep(5);
         console.log('step 2');
       };`,
      { timeoutSeconds: 60 },
    );
    const gate = path.join(folder, 'gate');
    const running = invoke('two-steps', { Payload: JSON.stringify({ gate }) });
    await until(() => messagesOf(lambda.logs.written).includes('raw output\n'));
    const found = await search('/aws/lambda/two-steps');
    expect(messagesOf(found).slice(1)).toEqual([
      expect.stringMatching(/^START RequestId: /),
      expect.stringMatching(/\tINFO\tstep 1\n$/),
      'raw output\n',
    ]);
    await writeFile(gate, '');
    await running;
    expect(messagesOf(await search('/aws/lambda/two-steps')).slice(4)).toEqual([
      expect.stringMatching(/\tINFO\tstep 2\n$/),
      'and a line without an end',
      expect.stringMatching(/^END RequestId: /),
      expect.stringMatching(/^REPORT RequestId: /),
    ]);
  });
});

describe('what CloudWatch refuses', () => {
  test('a log group and a stream that do not exist yet', async () => {
    const group = await failureOf(search('/aws/lambda/never-ran'));
    expect([group.name, group.message, group.$metadata.httpStatusCode]).toEqual([
      'ResourceNotFoundException',
      'The specified log group does not exist.',
      400,
    ]);
    lambda.logs.createGroup('/aws/lambda/never-ran');
    expect(await search('/aws/lambda/never-ran')).toEqual([]);
    const stream = await failureOf(read({ logGroupName: '/aws/lambda/never-ran', logStreamName: 'none' }));
    expect([stream.name, stream.message]).toEqual([
      'ResourceNotFoundException',
      'The specified log stream does not exist.',
    ]);
  });

  test('a request that IAM denies, in the words of IAM', async () => {
    denial = { kind: 'no-identity-policy' };
    const who = 'arn:aws:sts::123456789012:assumed-role/local-role/local-session';
    const group = 'arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/greeting:log-stream:';
    const searching = await failureOf(search(GREETING));
    expect([searching.name, searching.$metadata.httpStatusCode]).toEqual(['AccessDeniedException', 400]);
    expect(searching.message).toBe(
      `User: ${who} is not authorized to perform: logs:FilterLogEvents on resource: ${group} because no identity-based policy allows the logs:FilterLogEvents action`,
    );
    const reading = await failureOf(read({ logGroupName: GREETING, logStreamName: 'stream' }));
    expect(reading.message).toBe(
      `User: ${who} is not authorized to perform: logs:GetLogEvents on resource: ${group}stream because no identity-based policy allows the logs:GetLogEvents action`,
    );
  });

  test('too many requests', async () => {
    lambda.setFault(({ operation }, n) =>
      operation === 'FilterLogEvents' && n < 2 ? LOGS_THROTTLE : undefined,
    );
    for (const _twice of [1, 2]) {
      expect(await failureOf(search(GREETING))).toMatchObject({
        name: 'ThrottlingException',
        message: 'Rate exceeded',
        $metadata: { httpStatusCode: 400 },
      });
    }
    lambda.logs.createGroup(GREETING);
    expect(await search(GREETING)).toEqual([]);
  });
});

describe('the configuration', () => {
  test('names the log group and the format, and the levels of a log in JSON', async () => {
    const configuration = async (FunctionName: string) =>
      (await client.send(new GetFunctionConfigurationCommand({ FunctionName }))).LoggingConfig;
    expect(await configuration('greeting')).toEqual({ LogFormat: 'Text', LogGroup: GREETING });
    expect(await configuration('json-log')).toEqual({
      LogFormat: 'JSON',
      ApplicationLogLevel: 'INFO',
      SystemLogLevel: 'INFO',
      LogGroup: '/aws/lambda/json-log',
    });
    lambda.setFunction('quiet', {
      ...SAMPLE_FUNCTIONS['json-log'],
      logGroup: 'shared',
      systemLogLevel: 'WARN',
      applicationLogLevel: 'DEBUG',
    });
    expect(await configuration('quiet')).toEqual({
      LogFormat: 'JSON',
      ApplicationLogLevel: 'DEBUG',
      SystemLogLevel: 'WARN',
      LogGroup: 'shared',
    });
  });
});

describe('the request id of a caller', () => {
  const CALLERS = '0b0a3a5e-7f0c-4a8e-9d0e-3f1f6c5f2b11';

  async function invokeAs(requestId: string): Promise<InvokeCommandOutput> {
    const command = new InvokeCommand({ FunctionName: 'greeting' });
    command.middlewareStack.add(
      (next) => (args) => {
        Object.assign(Object(args.request).headers, { 'x-amzn-RequestId': requestId });
        return next(args);
      },
      // After the signature, as the header is not signed.
      { step: 'finalizeRequest', priority: 'low', name: 'requestId' },
    );
    return client.send(command);
  }

  test.each([
    ['honor', CALLERS, CALLERS],
    ['ignore', 'own', 'own'],
    ['reflect', CALLERS, 'own'],
  ] as const)(
    '%s: the answer shows one, and START has the one that the environment got',
    async (rule, shown, ran) => {
      lambda.setRequestIds(() => rule);
      const answered = idOf(await invokeAs(CALLERS));
      const [execution] = lambda.executions();
      const ownId = execution?.requestId ?? '';
      const named = { [CALLERS]: CALLERS, own: ownId };
      expect(answered).toBe(named[shown]);
      expect(ownId === CALLERS).toBe(ran === CALLERS);
      expect(messagesOf(await search(GREETING))[0]).toBe(`START RequestId: ${ownId} Version: $LATEST\n`);
    },
  );

  test.each([
    ['rejected', 'reject', CALLERS],
    ['no UUID', 'honor', 'build-17'],
  ] as const)('%s: 400, and nothing runs', async (_name, rule, id) => {
    lambda.setRequestIds(() => rule);
    await expect(invokeAs(id)).rejects.toMatchObject({
      name: 'InvalidRequestContentException',
      $metadata: { httpStatusCode: 400, requestId: expect.not.stringContaining(id) },
    });
    expect(lambda.executions()).toEqual([]);
  });

  test('is honored again: it is no idempotency key', async () => {
    await invokeAs(CALLERS);
    await invokeAs(CALLERS);
    expect(lambda.executions().map(({ requestId }) => requestId)).toEqual([CALLERS, CALLERS]);
    expect(await search(GREETING, { filterPattern: `START "${CALLERS}"` })).toHaveLength(2);
  });
});
