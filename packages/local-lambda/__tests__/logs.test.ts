import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
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
  GetFunctionEventInvokeConfigCommand,
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
/** How far the clock of the logs is ahead of the system clock. */
let ahead = 0;
let clock = Date.now;

/** A handler that logs a step, waits for a file, and logs another step. */
const GATED = `import { existsSync } from 'node:fs';
  import { setTimeout as sleep } from 'node:timers/promises';
  export const handler = async ({ gate }) => {
    console.log('step 1');
    process.stdout.write('raw output\\nand a line without an end');
    while (!existsSync(gate)) await sleep(5);
    console.log('step 2');
  };`;

const GREETING = '/aws/lambda/greeting';

function invoke(FunctionName: string, input: Partial<InvokeCommandInput> = {}): Promise<InvokeCommandOutput> {
  return client.send(new InvokeCommand({ FunctionName, ...input }));
}

const idOf = (output: InvokeCommandOutput): string => output.$metadata.requestId ?? '';

/** All events that a search finds, on all its pages. */
async function search(
  logGroupName: string,
  input: Partial<FilterLogEventsCommandInput> = {},
): Promise<FilteredLogEvent[]> {
  const found: FilteredLogEvent[] = [];
  let { nextToken } = input;
  for (let page = 0; page < 1_000; page += 1) {
    const response = await logs.send(new FilterLogEventsCommand({ logGroupName, ...input, nextToken }));
    found.push(...(response.events ?? []));
    nextToken = response.nextToken;
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
    eventAgeScale: 0.001,
    now: () => clock() + ahead,
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
  clock = Date.now;
});

/** The only stream that contains an ID. */
async function streamOf(logGroupName: string, id: string): Promise<string> {
  const [event] = await search(logGroupName, { filterPattern: `"${id}"` });
  if (event?.logStreamName === undefined) throw new Error(`Nothing in ${logGroupName} has ${id}.`);
  return event.logStreamName;
}

describe('the log of a function', () => {
  test('is in one stream of its log group, from START to REPORT', async () => {
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

  test('is also returned by GetLogEvents, with the same token again at its end', async () => {
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

describe('while a handler runs,', () => {
  test('its lines can be read after START, without a REPORT', async () => {
    await deploy('two-steps', GATED, { timeoutSeconds: 60 });
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

test('a line that goes on and on is cut into events before its end', async () => {
  await deploy(
    'endless',
    `import { existsSync } from 'node:fs';
     import { setTimeout as sleep } from 'node:timers/promises';
     export const handler = async ({ gate }) => {
       for (const _of of [1, 2, 3]) process.stdout.write('a'.repeat(400_000));
       while (!existsSync(gate)) await sleep(5);
     };`,
    { timeoutSeconds: 60 },
  );
  const gate = path.join(folder, 'endless');
  const running = invoke('endless', { Payload: JSON.stringify({ gate }) });
  const sizes = () => lambda.logs.written.map(({ message }) => message.length).filter((size) => size > 1_000);
  await until(() => sizes().length === 2);
  expect(sizes()).toEqual([1_048_550, 151_450]);
  await writeFile(gate, '');
  await running;
  expect(sizes()).toHaveLength(2);
});

describe('CloudWatch rejects', () => {
  test('a log group and a stream that do not exist', async () => {
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

test('requests over the rate of their operation, until the second is over', async () => {
  const stream = { logGroupName: 'group', logStreamName: 'stream' };
  lambda.logs.write({ logGroup: 'group', logStream: 'stream', message: 'a line' });
  // The clock does not advance, so that nothing depends on how long a request takes.
  const now = Date.now();
  clock = () => now;
  lambda.logs.setRates({ FilterLogEvents: 2, GetLogEvents: 1 });
  const named = (promise: Promise<unknown>) =>
    promise.then(
      () => 'taken',
      ({ name }) => name,
    );
  const ask = async () => [
    await named(search('group')),
    await named(search('group')),
    await named(search('group')),
    await named(read(stream)),
    await named(read(stream)),
  ];
  const limited = ['taken', 'taken', 'ThrottlingException', 'taken', 'ThrottlingException'];
  expect(await ask()).toEqual(limited);
  clock = () => now + 1_000;
  expect(await ask()).toEqual(limited);
});

describe('two functions in a custom log group', () => {
  test('write one stream each, with the function and version in its name', async () => {
    for (const name of ['first', 'second']) {
      lambda.setFunction(name, {
        ...SAMPLE_FUNCTIONS.context,
        logGroup: '/team/shared',
        versions: { '1': {} },
      });
    }
    const outputs = [await invoke('first'), await invoke('second', { Qualifier: '1' })];
    const streams = await Promise.all(outputs.map((output) => streamOf('/team/shared', idOf(output))));
    expect(streams).toEqual([
      expect.stringMatching(/^\d{4}\/\d\d\/\d\d\/first\[\$LATEST\]\[[0-9a-f]{32}\]$/),
      expect.stringMatching(/^\d{4}\/\d\d\/\d\d\/second\[1\]\[[0-9a-f]{32}\]$/),
    ]);
    const contexts = outputs.map(({ Payload }) => JSON.parse(Payload?.transformToString() ?? ''));
    expect(contexts.map(({ logStreamName }) => logStreamName)).toEqual(streams);
    expect(contexts.map(({ logGroupName }) => logGroupName)).toEqual(['/team/shared', '/team/shared']);
    const [first = '', second = ''] = streams;
    const ofSecond = await search('/team/shared', { logStreamNames: [second] });
    expect(new Set(ofSecond.map(({ logStreamName }) => logStreamName))).toEqual(new Set([second]));
    const prefix = first.slice(0, first.indexOf('['));
    const ofFirst = await search('/team/shared', { logStreamNamePrefix: prefix });
    expect(new Set(ofFirst.map(({ logStreamName }) => logStreamName))).toEqual(new Set([first]));
    expect(await search('/aws/lambda/first').catch(({ name }) => name)).toBe('ResourceNotFoundException');
  });
});

test('an environment writes one stream for its whole life, and two environments write two', async () => {
  await deploy('gated', GATED, { timeoutSeconds: 60 });
  const gate = path.join(folder, 'both');
  const both = [1, 2].map(() => invoke('gated', { Payload: JSON.stringify({ gate }) }));
  await until(() => lambda.executions('gated').length === 2);
  await writeFile(gate, '');
  const ids = (await Promise.all(both)).map(idOf);
  const again = idOf(await invoke('gated', { Payload: JSON.stringify({ gate }) }));
  const [first, second, third] = await Promise.all(
    [...ids, again].map((id) => streamOf('/aws/lambda/gated', id)),
  );
  expect(first).not.toBe(second);
  expect([first, second]).toContain(third);
});

describe('requests on Lambda Managed Instances', () => {
  test('are interleaved in one stream, each with its own START and report', async () => {
    await deploy('managed', GATED, { timeoutSeconds: 60, managedInstances: true, logFormat: 'JSON' });
    const gate = path.join(folder, 'managed');
    const both = [1, 2].map(() => invoke('managed', { Payload: JSON.stringify({ gate }) }));
    await until(() => lambda.logs.written.filter(({ message }) => message.includes('step 1')).length === 2);
    await writeFile(gate, '');
    const ids = (await Promise.all(both)).map(idOf);
    const events = await search('/aws/lambda/managed');
    expect(new Set(events.map(({ logStreamName }) => logStreamName)).size).toBe(1);
    const records = messagesOf(events)
      .filter((message) => message.startsWith('{'))
      .map((message) => JSON.parse(message));
    const starts = records.flatMap(({ type }, index) => (type === 'platform.start' ? [index] : []));
    const reports = records.flatMap(({ type }, index) => (type === 'platform.report' ? [index] : []));
    expect(Math.max(...starts)).toBeLessThan(Math.min(...reports));
    expect(reports.map((index) => records[index].record.requestId).sort()).toEqual(ids.sort());
    expect(records[reports[0] ?? 0].record.metrics).toEqual({ durationMs: expect.any(Number) });
    const { CapacityProviderConfig } = await client.send(
      new GetFunctionConfigurationCommand({ FunctionName: 'managed' }),
    );
    expect(CapacityProviderConfig?.LambdaManagedInstancesCapacityProviderConfig).toEqual({
      CapacityProviderArn: 'arn:aws:lambda:us-east-1:123456789012:capacity-provider:local',
    });
  });
});

describe('the status of an invocation', () => {
  const endOf = async (name: string) => {
    const id = idOf(await invoke(name, { Payload: '{}' }));
    return messagesOf(await search(`/aws/lambda/${name}`, { filterPattern: `"${id}"` }));
  };

  test('is in the REPORT of a text log, except for thrown errors', async () => {
    expect((await endOf('timeout')).slice(-3)).toEqual([
      expect.stringMatching(/ Task timed out after 1\.00 seconds\n\n$/),
      expect.stringMatching(/^END /),
      expect.stringMatching(/^REPORT .*\tStatus: timeout\t\n$/),
    ]);
    expect((await endOf('crash')).slice(-3)).toEqual([
      expect.stringMatching(/ Error: Runtime exited without providing a reason\nRuntime\.ExitError\n$/),
      expect.stringMatching(/^END /),
      expect.stringMatching(/^REPORT .*\tStatus: error\tError Type: Runtime\.ExitError\t\n$/),
    ]);
    const thrown = await endOf('throws');
    expect(thrown.filter((message) => message.includes('\tERROR\tInvoke Error \t'))).toHaveLength(1);
    expect(thrown.at(-1)).toMatch(/^REPORT /);
    expect(thrown.at(-1)).not.toContain('Status:');
  });

  test.each([
    ['greeting', 'success', undefined],
    ['throws', 'error', 'OrderRejectedError'],
    ['timeout', 'timeout', undefined],
    ['crash', 'failure', 'Runtime.ExitError'],
  ] as const)('is in the report of a JSON log: %s, %s', async (sample, status, errorType) => {
    const name = `json-${sample}`;
    lambda.setFunction(name, { ...SAMPLE_FUNCTIONS[sample], logFormat: 'JSON', systemLogLevel: 'DEBUG' });
    const events = (await endOf(name)).map((message) => JSON.parse(message));
    const platform = events.filter(({ type }) => type !== undefined);
    expect(platform.map(({ type }) => type)).toEqual([
      'platform.start',
      'platform.runtimeDone',
      'platform.report',
    ]);
    expect(platform.map(({ record }) => record.status)).toEqual([undefined, status, status]);
    expect(platform[2].record.errorType).toBe(errorType);
  });
});

describe('log settings', () => {
  test('SystemLogLevel WARN omits START and the reports of successes', async () => {
    const quiet = { logFormat: 'JSON', systemLogLevel: 'WARN' } as const;
    lambda.setFunction('quiet', { ...SAMPLE_FUNCTIONS.greeting, ...quiet });
    lambda.setFunction('quiet-throws', { ...SAMPLE_FUNCTIONS.throws, ...quiet });
    await invoke('quiet');
    await invoke('quiet-throws');
    // In JSON a message is the object, without a line break.
    for (const { message } of lambda.logs.written) expect(message).toBe(message.trim());
    const kinds = async (name: string) =>
      messagesOf(await search(`/aws/lambda/${name}`))
        .map((message) => JSON.parse(message))
        .map(({ type, level }) => type ?? level);
    expect(await kinds('quiet')).toEqual(['INFO']);
    expect(await kinds('quiet-throws')).toEqual(['ERROR', 'platform.runtimeDone', 'platform.report']);
  });

  test('ApplicationLogLevel keeps only console calls at that level and above', async () => {
    const code =
      "export const handler = async () => { console.debug('d'); console.log('i'); console.warn('w'); };";
    const levels = async (definition: object) => {
      await deploy('leveled', code, { logFormat: 'JSON', ...definition });
      const id = idOf(await invoke('leveled'));
      const events = await search('/aws/lambda/leveled', { filterPattern: `"${id}" level` });
      return messagesOf(events).map((message) => JSON.parse(message).level);
    };
    expect(await levels({ applicationLogLevel: 'DEBUG' })).toEqual(['DEBUG', 'INFO', 'WARN']);
    expect(await levels({})).toEqual(['INFO', 'WARN']);
    expect(await levels({ applicationLogLevel: 'ERROR' })).toEqual([]);
  });

  test('a role without permission to write logs leaves CloudWatch empty and the log tail complete', async () => {
    lambda.setFunction('mute', { ...SAMPLE_FUNCTIONS.greeting, mayWriteLogs: false });
    const { LogResult } = await invoke('mute', { LogType: 'Tail' });
    expect(Buffer.from(LogResult ?? '', 'base64').toString('utf8')).toContain('Greeting world');
    expect(await failureOf(search('/aws/lambda/mute'))).toMatchObject({ name: 'ResourceNotFoundException' });
  });

  test('one console call is one event, and a line over 1 MB is several', async () => {
    await deploy(
      'lines',
      "export const handler = async () => { console.log('a\\nb'); process.stdout.write('x' + 'é'.repeat(600_000) + '\\n'); };",
    );
    const id = idOf(await invoke('lines'));
    const { logGroupName, logStreamName } = {
      logGroupName: '/aws/lambda/lines',
      logStreamName: await streamOf('/aws/lambda/lines', id),
    };
    const first = await read({ logGroupName, logStreamName, limit: 3 });
    expect(messagesOf(first.events)[2]).toMatch(/\tINFO\ta\nb\n$/);
    // A page has at most 1 MB, and each half of the line fills one page.
    const second = await read({ logGroupName, logStreamName, nextToken: first.nextForwardToken });
    const third = await read({ logGroupName, logStreamName, nextToken: second.nextForwardToken });
    expect(second.events).toHaveLength(1);
    const halves = messagesOf([...(second.events ?? []), ...(third.events ?? [])]).slice(0, 2);
    expect(halves.map((half) => Buffer.byteLength(half))).toEqual([1_048_549, 151_453]);
    expect(halves.join('')).toBe(`x${'é'.repeat(600_000)}\n`);
  });
});

describe('delivery', () => {
  const write = (message: string, logStream = 'stream') =>
    lambda.logs.write({ logGroup: 'group', logStream, message, timestamp: 1_000 + Number(message) });
  const stream = { logGroupName: 'group', logStreamName: 'stream' };

  test('an event can be read when its delay is over on the clock of the logs', async () => {
    lambda.logs.setDelivery((_event, n) => ({ delayMs: n * 60_000 }));
    const id = idOf(await invoke('slow', { Payload: '{"ms":0}' }));
    const seen: number[] = [];
    for (let minute = 0; minute < 6; minute += 1) {
      ahead = minute * 60_000 + 10_000;
      seen.push((await search('/aws/lambda/slow')).length);
    }
    expect(seen).toEqual([1, 2, 3, 4, 5, 5]);
    const [start] = await search('/aws/lambda/slow', { filterPattern: `START "${id}"` });
    expect((start?.ingestionTime ?? 0) - (start?.timestamp ?? 0)).toBe(60_000);
  });

  test('a group and a stream exist when their first event has arrived', async () => {
    lambda.logs.setDelivery(() => ({ delayMs: 60_000 }));
    write('1');
    const names = async () => [
      await search('group').catch(({ message }) => message),
      await read(stream).catch(({ message }) => message),
    ];
    expect(await names()).toEqual(Array(2).fill('The specified log group does not exist.'));
    lambda.logs.setDelivery(undefined);
    write('2', 'another');
    expect((await names())[1]).toBe('The specified log stream does not exist.');
    ahead = 61_000;
    expect(messagesOf((await read(stream)).events)).toEqual(['1']);
  });

  test('a late event is sorted by its timestamp, so a reader past it never sees it', async () => {
    lambda.logs.setDelivery(({ message }) => ({ delayMs: message === '2' ? 90_000 : 0 }));
    for (const message of ['1', '2', '3']) write(message);
    const { nextForwardToken } = await read(stream);
    ahead = 91_000;
    write('4');
    expect(messagesOf((await read({ ...stream, nextToken: nextForwardToken })).events)).toEqual(['4']);
    expect(messagesOf((await read(stream)).events)).toEqual(['1', '2', '3', '4']);
    expect(messagesOf(await search('group'))).toEqual(['1', '2', '3', '4']);
  });

  test('an event can have another timestamp or never arrive', async () => {
    lambda.logs.setDelivery(({ message }) =>
      message === '3' ? { timestamp: 500 } : { lost: message === '2' },
    );
    for (const message of ['1', '2', '3']) write(message);
    const { events } = await read(stream);
    expect(events).toEqual([
      { timestamp: 500, message: '3', ingestionTime: expect.any(Number) },
      { timestamp: 1_001, message: '1', ingestionTime: expect.any(Number) },
    ]);
    expect(lambda.logs.written.map(({ message }) => message)).toEqual(['1', '3']);
  });
});

describe('pages', () => {
  const stream = { logGroupName: 'group', logStreamName: 'stream' };
  const writeMany = (count: number) => {
    for (let n = 0; n < count; n += 1) {
      const message = `event ${n}${n % 10 === 0 ? ' tenth' : ''}`;
      lambda.logs.write({ logGroup: 'group', logStream: 'stream', message, timestamp: 1_000 + n });
    }
  };

  /** The sizes of a stream's pages, from its head to its current end. */
  async function pageSizes(limit: number): Promise<number[]> {
    const sizes: number[] = [];
    let nextToken: string | undefined;
    for (let page = 0; page < 100; page += 1) {
      const response = await read({ ...stream, limit, nextToken });
      if (response.nextForwardToken === nextToken) return sizes;
      sizes.push(response.events?.length ?? 0);
      nextToken = response.nextForwardToken;
    }
    throw new Error('The stream has no end.');
  }

  /** The sizes of the pages of a search. */
  async function searchSizes(input: Partial<FilterLogEventsCommandInput> = {}): Promise<number[]> {
    const sizes: number[] = [];
    let nextToken: string | undefined;
    for (let page = 0; page < 100; page += 1) {
      const response = await logs.send(
        new FilterLogEventsCommand({ logGroupName: 'group', ...input, nextToken }),
      );
      sizes.push(response.events?.length ?? 0);
      nextToken = response.nextToken;
      if (nextToken === undefined) return sizes;
    }
    throw new Error('The search has no end.');
  }

  test('have at most the requested size or the server limit', async () => {
    writeMany(25);
    expect(await pageSizes(10)).toEqual([10, 10, 5]);
    expect(await searchSizes({ limit: 10 })).toEqual([10, 10, 5]);
    lambda.logs.setPaging({ events: 8 });
    expect(await pageSizes(10_000)).toEqual([8, 8, 8, 1]);
    expect(await searchSizes()).toEqual([8, 8, 8, 1]);
  });

  test('can be empty and still have a token', async () => {
    writeMany(15);
    lambda.logs.setPaging({ emptyPages: 2, events: 10 });
    expect(await searchSizes()).toEqual([0, 0, 10, 0, 0, 5]);
    expect(await pageSizes(10)).toEqual([0, 0, 10, 0, 0, 5]);
  });

  test('of a search have only matches among the scanned events', async () => {
    writeMany(25);
    lambda.logs.setPaging({ searched: 6 });
    expect(await searchSizes({ filterPattern: 'tenth' })).toEqual([1, 1, 0, 1, 0]);
    expect(messagesOf(await search('group', { filterPattern: 'tenth' }))).toEqual([
      'event 0 tenth',
      'event 10 tenth',
      'event 20 tenth',
    ]);
  });

  test('go backward from the end, unless the request starts from the head', async () => {
    writeMany(5);
    const last = await read({ ...stream, startFromHead: undefined, limit: 2 });
    expect(messagesOf(last.events)).toEqual(['event 3', 'event 4']);
    const before = await read({
      ...stream,
      startFromHead: undefined,
      limit: 4,
      nextToken: last.nextBackwardToken,
    });
    expect(messagesOf(before.events)).toEqual(['event 0 tenth', 'event 1', 'event 2']);
    const start = await read({ ...stream, startFromHead: undefined, nextToken: before.nextBackwardToken });
    expect(start).toMatchObject({ events: [], nextBackwardToken: before.nextBackwardToken });
    const token = { ...stream, startFromHead: false, nextToken: last.nextForwardToken };
    expect(await failureOf(read(token))).toMatchObject({ name: 'InvalidParameterException' });
  });

  test('cover a time range: a search includes its end, a read does not', async () => {
    writeMany(5);
    const time = { startTime: 1_001, endTime: 1_003 };
    expect(messagesOf(await search('group', time))).toEqual(['event 1', 'event 2', 'event 3']);
    expect(messagesOf((await read({ ...stream, ...time })).events)).toEqual(['event 1', 'event 2']);
    expect(messagesOf((await read({ ...stream, ...time, startFromHead: false })).events)).toEqual([
      'event 1',
      'event 2',
    ]);
  });

  test.each([
    ['a limit of 0', { limit: 0 }, /Value '0' at 'limit' failed to satisfy constraint/],
    ['a limit over 10,000', { limit: 10_001 }, /less than or equal to 10000/],
    ['a token of another kind', { nextToken: 'no-token' }, /The specified nextToken is invalid/],
    ['a group by name and by ARN', { logGroupIdentifier: 'group' }, /logGroupIdentifier/],
  ])('are rejected for %s', async (_name, input, message) => {
    writeMany(1);
    for (const error of [
      await failureOf(search('group', input)),
      await failureOf(read({ ...stream, ...input })),
    ]) {
      expect([error.name, error.message]).toEqual([
        'InvalidParameterException',
        expect.stringMatching(message),
      ]);
    }
  });

  test('can be requested by the ARN of the group', async () => {
    writeMany(1);
    const arn = 'arn:aws:logs:us-east-1:123456789012:log-group:group';
    const byArn = { logGroupName: undefined, logGroupIdentifier: `${arn}:*` };
    expect(messagesOf(await search('group', byArn))).toEqual(['event 0 tenth']);
    expect(lambda.requests.at(-1)).toMatchObject({ operation: 'FilterLogEvents', logGroup: 'group' });
  });
});

describe('a filter pattern', () => {
  const UUID = '0b0a3a5e-7f0c-4a8e-9d0e-3f1f6c5f2b11';
  const MESSAGES = [
    `START RequestId: ${UUID} Version: 1\n`,
    `{"type":"platform.start","record":{"requestId":"${UUID}"}}`,
    'an "odd" line with ERROR in it',
  ];

  test.each([
    ['nothing', '', [0, 1, 2]],
    ['a quoted ID, in text and in JSON', `"${UUID}"`, [0, 1]],
    ['several terms, all of them', `START "${UUID}"`, [0]],
    ['any of several', '?START ?ERROR', [0, 2]],
    ['an excluded term', `"${UUID}" -START`, [1]],
    ['escaped quotes', '"\\"odd\\""', [2]],
    ['another case', 'error', []],
  ])('matches %s', async (_name, filterPattern, expected) => {
    MESSAGES.forEach((message, n) => {
      lambda.logs.write({ logGroup: 'group', logStream: 'stream', message, timestamp: n });
    });
    const found = messagesOf(await search('group', { filterPattern }));
    expect(found.map((message) => MESSAGES.indexOf(message))).toEqual(expected);
  });

  test('must quote terms that are not single words', async () => {
    lambda.logs.createGroup('group');
    expect(await failureOf(search('group', { filterPattern: UUID }))).toMatchObject({
      name: 'InvalidParameterException',
      message: 'Invalid filter pattern',
    });
  });
});

describe('an event', () => {
  const configOf = (FunctionName: string, Qualifier?: string) =>
    client.send(new GetFunctionEventInvokeConfigCommand({ FunctionName, Qualifier }));
  const send = async (name: string, Qualifier?: string): Promise<string> => {
    const id = idOf(await invoke(name, { InvocationType: 'Event', Qualifier }));
    await lambda.idle();
    return id;
  };

  test('that fails has a START for each of its three attempts, with one request ID', async () => {
    const id = await send('throws');
    expect(await search('/aws/lambda/throws', { filterPattern: `START "${id}"` })).toHaveLength(3);
    expect(lambda.executions().map(({ requestId }) => requestId)).toEqual([id, id, id]);
  });

  test('is retried as often as its function and qualifier configure', async () => {
    lambda.setFunction('configured', {
      ...SAMPLE_FUNCTIONS.throws,
      versions: { '1': {} },
      aliases: { live: '1' },
      eventInvokeConfigs: {
        $LATEST: { maximumRetryAttempts: 0, maximumEventAgeSeconds: 60 },
        live: { maximumRetryAttempts: 1 },
      },
    });
    expect(await configOf('configured')).toMatchObject({
      FunctionArn: 'arn:aws:lambda:us-east-1:123456789012:function:configured:$LATEST',
      MaximumRetryAttempts: 0,
      MaximumEventAgeInSeconds: 60,
      LastModified: expect.any(Date),
    });
    expect((await configOf('configured', 'live')).MaximumRetryAttempts).toBe(1);
    for (const [qualifier, attempts] of [
      [undefined, 1],
      ['live', 2],
      ['1', 3],
    ] as const) {
      const id = await send('configured', qualifier);
      expect(lambda.executions().filter(({ requestId }) => requestId === id)).toHaveLength(attempts);
    }
  });

  test('that fails when it is too old is not tried again', async () => {
    await deploy(
      'slow-to-fail',
      `import { setTimeout as sleep } from 'node:timers/promises';
       export const handler = async () => { await sleep(200); throw new Error('too late'); };`,
      // 100 ms, by the scale of these tests.
      { eventInvokeConfigs: { $LATEST: { maximumEventAgeSeconds: 100 } } },
    );
    const id = await send('slow-to-fail');
    expect(lambda.executions().map(({ requestId }) => requestId)).toEqual([id]);
  });

  test('has the defaults without a configuration (404)', async () => {
    await expect(configOf('throws')).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message:
        "The function arn:aws:lambda:us-east-1:123456789012:function:throws:$LATEST doesn't have an EventInvokeConfig",
      $metadata: { httpStatusCode: 404 },
    });
  });

  test('that is throttled runs when there is capacity, or never if it expires first', async () => {
    lambda.setFunction('busy', { ...SAMPLE_FUNCTIONS.echo, reservedConcurrency: 0 });
    const throttled = await send('busy');
    expect(lambda.executions()).toEqual([]);
    lambda.setFunction('busy', SAMPLE_FUNCTIONS.echo);
    await until(() => lambda.executions().length === 1);
    await lambda.idle();
    expect(await search('/aws/lambda/busy', { filterPattern: `START "${throttled}"` })).toHaveLength(1);

    // One second of an event's age takes one millisecond here.
    const config = { $LATEST: { maximumEventAgeSeconds: 1 } };
    lambda.setFunction('busy', {
      ...SAMPLE_FUNCTIONS.echo,
      reservedConcurrency: 0,
      eventInvokeConfigs: config,
    });
    const expired = await send('busy');
    await sleep(50);
    lambda.setFunction('busy', SAMPLE_FUNCTIONS.echo);
    const later = await send('busy');
    expect(lambda.executions().map(({ requestId }) => requestId)).toEqual([throttled, later]);
    expect(await search('/aws/lambda/busy', { filterPattern: `"${expired}"` })).toEqual([]);
  });
});

describe('the configuration', () => {
  test('has the log group, the format, and the levels of a JSON log', async () => {
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

describe('the request ID of a caller', () => {
  const CALLERS = '0b0a3a5e-7f0c-4a8e-9d0e-3f1f6c5f2b11';

  async function invokeAs(requestId: string): Promise<InvokeCommandOutput> {
    const command = new InvokeCommand({ FunctionName: 'greeting' });
    command.middlewareStack.add(
      (next) => (args) => {
        Object.assign(Object(args.request).headers, { 'x-amzn-RequestId': requestId });
        return next(args);
      },
      // Added after the signature, because the header is not signed.
      { step: 'finalizeRequest', priority: 'low', name: 'requestId' },
    );
    return client.send(command);
  }

  test.each([
    ['honor', CALLERS, CALLERS],
    ['ignore', 'own', 'own'],
    ['reflect', CALLERS, 'own'],
  ] as const)(
    '%s: the response has one ID, and START has the ID of the environment',
    async (rule, shown, ran) => {
      lambda.setRequestIds(() => rule);
      const responded = idOf(await invokeAs(CALLERS));
      const [execution] = lambda.executions();
      const ownId = execution?.requestId ?? '';
      const named = { [CALLERS]: CALLERS, own: ownId };
      expect(responded).toBe(named[shown]);
      expect(ownId === CALLERS).toBe(ran === CALLERS);
      expect(messagesOf(await search(GREETING))[0]).toBe(`START RequestId: ${ownId} Version: $LATEST\n`);
    },
  );

  test.each([
    ['rejected', 'reject', CALLERS],
    ['not a UUID', 'honor', 'build-17'],
  ] as const)('%s: gets a 400, and nothing runs', async (_name, rule, id) => {
    lambda.setRequestIds(() => rule);
    await expect(invokeAs(id)).rejects.toMatchObject({
      name: 'InvalidRequestContentException',
      $metadata: { httpStatusCode: 400, requestId: expect.not.stringContaining(id) },
    });
    expect(lambda.executions()).toEqual([]);
  });

  test('is honored again, because it is not an idempotency key', async () => {
    await invokeAs(CALLERS);
    await invokeAs(CALLERS);
    expect(lambda.executions().map(({ requestId }) => requestId)).toEqual([CALLERS, CALLERS]);
    expect(await search(GREETING, { filterPattern: `START "${CALLERS}"` })).toHaveLength(2);
  });
});
