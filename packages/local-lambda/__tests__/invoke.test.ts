import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  GetFunctionConfigurationCommand,
  InvokeCommand,
  type InvokeCommandInput,
  type InvokeCommandOutput,
  type LambdaClient,
  LambdaServiceException,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { signalTest } from '../../../__tests__/signals.ts';
import { SAMPLE_FUNCTIONS } from '../sample-functions.ts';
import {
  type Denial,
  type Fault,
  type FunctionDefinition,
  type LocalLambda,
  type LocalLambdaOptions,
  startLocalLambda,
} from '../server.ts';
import { clientOf, failureOf } from './client.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

let lambda: LocalLambda;
let client: LambdaClient;
let folder: string;
let denial: Denial | undefined;

function invoke(FunctionName: string, input: Partial<InvokeCommandInput> = {}): Promise<InvokeCommandOutput> {
  return client.send(new InvokeCommand({ FunctionName, ...input }));
}

const textOf = ({ Payload }: InvokeCommandOutput): string => Payload?.transformToString() ?? '';
const responseOf = (output: InvokeCommandOutput): unknown => JSON.parse(textOf(output));
const logOf = ({ LogResult }: InvokeCommandOutput): string =>
  Buffer.from(LogResult ?? '', 'base64').toString('utf8');
const idOf = (output: InvokeCommandOutput): string => output.$metadata.requestId ?? '';
const run = (name: string, event: unknown = {}): Promise<InvokeCommandOutput> =>
  invoke(name, { LogType: 'Tail', Payload: JSON.stringify(event) });

async function networkErrorOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof LambdaServiceException) throw new Error(`Expected no response, got ${error.name}`);
  if (!(error instanceof Error)) throw new Error('Expected an error.');
  return error.message;
}

/** Writes a handler for one test and returns its handler string. */
async function handlerFile(file: string, code: string): Promise<string> {
  await writeFile(path.join(folder, file), code);
  return `${path.join(folder, file)}.handler`;
}

async function withServer(
  options: LocalLambdaOptions,
  body: (server: LocalLambda, sdk: LambdaClient) => Promise<void>,
): Promise<void> {
  const server = await startLocalLambda(options);
  const sdk = clientOf(server);
  try {
    await body(server, sdk);
  } finally {
    sdk.destroy();
    await server.close();
  }
}

async function deployed(definition: FunctionDefinition, event: unknown = {}): Promise<InvokeCommandOutput> {
  lambda.setFunction('own', definition);
  return run('own', event);
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'local-lambda-'));
  lambda = await startLocalLambda({
    functions: { ...SAMPLE_FUNCTIONS, own: SAMPLE_FUNCTIONS.echo },
    asyncRetryDelaysMs: [0, 10],
    deny: () => denial,
  });
  client = clientOf(lambda);
});

afterAll(async () => {
  client.destroy();
  await lambda.close();
  await rm(folder, { recursive: true });
});

beforeEach(() => {
  lambda.reset();
  denial = undefined;
});

describe('the three invocation types', () => {
  test('RequestResponse responds with the return value of the handler', async () => {
    const output = await invoke('echo', { Payload: '{"key1":"value1","n":1.0}' });
    expect(output.StatusCode).toBe(200);
    expect(output.FunctionError).toBeUndefined();
    expect(output.ExecutedVersion).toBe('$LATEST');
    expect(output.LogResult).toBeUndefined();
    expect(textOf(output)).toBe('{"key1":"value1","n":1}');
    expect(idOf(output)).toMatch(UUID);
  });

  test('a missing payload is an empty object, and a missing return value is null', async () => {
    expect(textOf(await invoke('echo'))).toBe('{}');
    const handler = await handlerFile('nothing.mjs', 'export const handler = async () => {};');
    expect(textOf(await deployed({ handler }))).toBe('null');
  });

  test('Event responds with 202 immediately and runs once afterwards', async () => {
    const startedAt = Date.now();
    const output = await invoke('slow', { InvocationType: 'Event', Payload: '{"ms":300}' });
    expect(Date.now() - startedAt).toBeLessThan(250);
    expect(output.StatusCode).toBe(202);
    expect(textOf(output)).toBe('');
    expect(output.ExecutedVersion).toBeUndefined();
    await lambda.idle();
    expect(Date.now() - startedAt).toBeGreaterThan(299);
    expect(lambda.executions('slow').map(({ requestId }) => requestId)).toEqual([idOf(output)]);
  });

  test('a failing Event runs three times with one request ID', async () => {
    const output = await invoke('throws', { InvocationType: 'Event' });
    await lambda.idle();
    expect(lambda.executions().map(({ requestId }) => requestId)).toEqual(Array(3).fill(idOf(output)));
  });

  test('the delays between attempts can be set', async () => {
    await withServer(
      { functions: { throws: SAMPLE_FUNCTIONS.throws }, asyncRetryDelaysMs: [300, 60_000] },
      async (server, sdk) => {
        await sdk.send(new InvokeCommand({ FunctionName: 'throws', InvocationType: 'Event' }));
        await server.idle();
        const [first, second, ...more] = server.executions().map(({ startedAt }) => startedAt);
        expect(Number(second) - Number(first)).toBeGreaterThanOrEqual(300);
        expect(more).toEqual([]);
      },
    );
  });

  test('DryRun runs nothing and checks neither the payload nor the capacity', async () => {
    const output = await invoke('throttled', { InvocationType: 'DryRun', Payload: 'no JSON' });
    expect(output.StatusCode).toBe(204);
    expect(output.Payload ?? undefined).toBeUndefined();
    await lambda.idle();
    expect(lambda.executions()).toEqual([]);
    const missing = await failureOf(invoke('nope', { InvocationType: 'DryRun' }));
    expect(missing.name).toBe('ResourceNotFoundException');
  });

  test('an unknown type is rejected', async () => {
    const error = await failureOf(invoke('echo', { InvocationType: JSON.parse('"event"') }));
    expect(error.name).toBe('ValidationException');
    expect(error.message).toBe(
      "1 validation error detected: Value 'event' at 'invocationType' failed to satisfy constraint: Member must satisfy enum value set: [RequestResponse, Event, DryRun]",
    );
  });
});

describe('the function name', () => {
  const arn = 'arn:aws:lambda:us-east-1:123456789012:function:echo';

  test.each([
    ['name', 'echo', undefined, '$LATEST', undefined],
    ['name and version', 'echo:1', undefined, '1', 'from version 1'],
    ['name and alias', 'echo:live', undefined, '2', 'from version 2'],
    ['ARN', arn, undefined, '$LATEST', undefined],
    ['ARN with alias', `${arn}:previous`, undefined, '1', 'from version 1'],
    ['ARN with $LATEST', `${arn}:$LATEST`, undefined, '$LATEST', undefined],
    ['partial ARN', '123456789012:function:echo', undefined, '$LATEST', undefined],
    ['partial ARN with version', '123456789012:function:echo:2', undefined, '2', 'from version 2'],
    ['Qualifier', 'echo', 'live', '2', 'from version 2'],
    ['the same qualifier twice', 'echo:live', 'live', '2', 'from version 2'],
  ])('%s', async (_title, name, Qualifier, version, key3) => {
    const output = await invoke(name, { Payload: '{"key1":"a"}', ...(Qualifier && { Qualifier }) });
    expect(output.ExecutedVersion).toBe(version);
    expect(responseOf(output)).toEqual(key3 === undefined ? { key1: 'a' } : { key1: 'a', key3 });
    expect(lambda.executions().map((execution) => execution.version)).toEqual([version]);
  });

  test('two different qualifiers are rejected', async () => {
    const error = await failureOf(invoke('echo:1', { Qualifier: '2' }));
    expect(error.name).toBe('InvalidParameterValueException');
    expect(error.message).toBe(
      'The derived qualifier from the function name does not match the specified qualifier.',
    );
  });

  test.each([
    ['nope', undefined, `${arn.replace('echo', 'nope')}`],
    ['echo', 'canary', `${arn}:canary`],
    ['echo:7', undefined, `${arn}:7`],
  ])('%s with qualifier %s is not found', async (name, Qualifier, missing) => {
    const error = await failureOf(invoke(name, { ...(Qualifier && { Qualifier }) }));
    expect(error.name).toBe('ResourceNotFoundException');
    expect(error.$metadata.httpStatusCode).toBe(404);
    expect(error.message).toBe(`Function not found: ${missing}`);
  });

  test('an ARN of another region is not reachable, and one of another account is not allowed', async () => {
    const elsewhere = await failureOf(invoke(arn.replace('us-east-1', 'eu-west-1')));
    expect(elsewhere.name).toBe('ResourceNotFoundException');
    expect(elsewhere.message).toBe(
      "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
    );
    const foreign = await failureOf(invoke(arn.replace('123456789012', '999999999999')));
    expect(foreign.name).toBe('AccessDeniedException');
  });

  test('names and qualifiers that do not match their patterns are rejected with all problems in one message', async () => {
    const error = await failureOf(invoke('my function', { Qualifier: 'a b', TenantId: 'a#b' }));
    expect(error.name).toBe('ValidationException');
    expect(error.$metadata.httpStatusCode).toBe(400);
    expect(error.message).toMatch(
      /^3 validation errors detected: Value 'my function' at 'functionName' failed/,
    );
    expect(error.message).toContain(
      "Value 'a b' at 'qualifier' failed to satisfy constraint: Member must satisfy regular expression pattern: \\$(LATEST(\\.PUBLISHED)?)|[a-zA-Z0-9-_$]+",
    );
    const long = await failureOf(invoke('a'.repeat(65)));
    expect(long.message).toContain('Member must have length less than or equal to 64');
    const durable = await failureOf(invoke('echo', { DurableExecutionName: 'a'.repeat(65) }));
    expect(durable.message).toContain(
      "at 'durableExecutionName' failed to satisfy constraint: Member must have length",
    );
    expect((await invoke('echo', { DurableExecutionName: 'order-17_b' })).StatusCode).toBe(200);
  });

  test('ARNs contain the partition of the region', async () => {
    await withServer(
      { functions: { context: SAMPLE_FUNCTIONS.context }, region: 'cn-north-1', accountId: '210987654321' },
      async (server, sdk) => {
        const output = await sdk.send(new InvokeCommand({ FunctionName: 'context' }));
        expect(responseOf(output)).toMatchObject({
          invokedFunctionArn: 'arn:aws-cn:lambda:cn-north-1:210987654321:function:context',
        });
        expect(server.region).toBe('cn-north-1');
      },
    );
  });
});

describe('the handler', () => {
  test('gets its context', async () => {
    const ClientContext = Buffer.from('{"client":{"app_title":"größe"},"custom":{"a":1}}').toString('base64');
    const output = await invoke('context', { ClientContext, Qualifier: '$LATEST' });
    expect(responseOf(output)).toEqual({
      functionName: 'context',
      functionVersion: '$LATEST',
      invokedFunctionArn: 'arn:aws:lambda:us-east-1:123456789012:function:context:$LATEST',
      memoryLimitInMB: '256',
      awsRequestId: idOf(output),
      logGroupName: '/aws/lambda/context',
      logStreamName: expect.stringMatching(/^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/),
      clientContext: { client: { app_title: 'größe' }, custom: { a: 1 } },
      tenantId: null,
      remainingTimeInMillis: expect.any(Number),
    });
    expect(responseOf(output)).toHaveProperty('remainingTimeInMillis', expect.any(Number));
    const { remainingTimeInMillis } = Object(responseOf(output));
    expect(remainingTimeInMillis).toBeGreaterThan(9_000);
    expect(remainingTimeInMillis).toBeLessThanOrEqual(10_000);
  });

  test('gets no client context that is too long or not a JSON object', async () => {
    for (const ClientContext of [
      '%%%',
      Buffer.from('[1]').toString('base64'),
      Buffer.from('{').toString('base64'),
    ]) {
      const error = await failureOf(invoke('context', { ClientContext }));
      expect(error.name).toBe('InvalidRequestContentException');
      expect(error.message).toBe('Client context must be a valid Base64-encoded JSON object.');
    }
    const encode = (length: number) =>
      Buffer.from(JSON.stringify({ a: 'x'.repeat(length) })).toString('base64');
    expect((await invoke('context', { ClientContext: encode(2_676) })).StatusCode).toBe(200);
    const tooLong = await failureOf(invoke('context', { ClientContext: encode(2_700) }));
    expect(tooLong.$metadata.httpStatusCode).toBe(400);
  });

  test('gets an environment as on Lambda, with its own variables and none of this process', async () => {
    process.env['LOCAL_LAMBDA_TEST_SECRET'] = 'must not be seen';
    process.env['AWS_SESSION_TOKEN'] = 'must not be seen';
    try {
      const handler = await handlerFile(
        'variables.mjs',
        'export const handler = async () => ({ ...process.env, cwd: process.cwd() });',
      );
      const seen = Object(
        responseOf(await deployed({ handler, environment: { STAGE: 'test' }, memorySize: 512 })),
      );
      expect(seen).toMatchObject({
        STAGE: 'test',
        _HANDLER: 'variables.handler',
        LAMBDA_TASK_ROOT: folder,
        AWS_REGION: 'us-east-1',
        AWS_LAMBDA_FUNCTION_NAME: 'own',
        AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
      });
      expect(JSON.stringify(seen)).not.toContain('must not be seen');
      for (const name of ['HOME', 'NODE_COMPILE_CACHE']) expect(Object.keys(seen)).not.toContain(name);
    } finally {
      delete process.env['LOCAL_LAMBDA_TEST_SECRET'];
      delete process.env['AWS_SESSION_TOKEN'];
    }
  });

  test('can use CommonJS, nested defaults, callbacks and plain returns', async () => {
    const commonJs = await handlerFile('common.cjs', 'exports.handler = async () => "common";');
    expect(responseOf(await deployed({ handler: commonJs }))).toBe('common');
    const plain = await handlerFile('plain.mjs', 'export const handler = () => "plain";');
    expect(responseOf(await deployed({ handler: plain }))).toBe('plain');
    expect(responseOf(await run('callback'))).toEqual({ called: true });
    expect(responseOf(await run('callback', { error: 'no' }))).toMatchObject({
      errorType: 'Error',
      errorMessage: 'no',
    });
    const never = await handlerFile('never.mjs', 'export const handler = (event, context, callback) => {};');
    expect(textOf(await deployed({ handler: never }))).toBe('null');
  });

  test('waits for the event loop after a callback, unless told not to', async () => {
    const code = (flag: boolean) => `export const handler = (event, context, callback) => {
      context.callbackWaitsForEmptyEventLoop = ${flag};
      setTimeout(() => {}, 400);
      callback(null, 'done');
    };`;
    const waiting = performance.now();
    await deployed({ handler: await handlerFile('waits.mjs', code(true)) });
    expect(performance.now() - waiting).toBeGreaterThanOrEqual(400);
    const output = await deployed({ handler: await handlerFile('hurries.mjs', code(false)) });
    expect(Number(/\tDuration: ([\d.]+) ms/.exec(logOf(output))?.[1])).toBeLessThan(200);
  });

  test('does not share its environment between tenants', async () => {
    const of = async (TenantId: string) => responseOf(await invoke('tenant', { TenantId }));
    expect(await of('blue')).toEqual({ tenantId: 'blue', tenants: ['blue'] });
    expect(await of('green')).toEqual({ tenantId: 'green', tenants: ['green'] });
    expect(await of('blue')).toEqual({ tenantId: 'blue', tenants: ['blue'] });
    const environments = lambda.executions('tenant').map(({ environmentId }) => environmentId);
    expect(environments[0]).toBe(environments[2]);
    expect(environments[0]).not.toBe(environments[1]);
    expect(lambda.executions('tenant').map(({ tenantId }) => tenantId)).toEqual(['blue', 'green', 'blue']);
    expect((await failureOf(invoke('tenant'))).message).toBe(
      'The invoked function is enabled with tenancy configuration. Add a valid tenant ID in your request and try again.',
    );
    expect((await failureOf(invoke('echo', { TenantId: 'blue' }))).message).toBe(
      'The invoked function is not enabled with tenancy configuration. Remove the tenant ID from your request and try again.',
    );
  });
});

describe('execution environments', () => {
  test('are reused when idle, not when busy', async () => {
    const gate = path.join(folder, 'gate');
    const handler = await handlerFile(
      'gated.mjs',
      `import { existsSync } from 'node:fs';
      export const handler = async ({ waits }) => {
        while (waits && !existsSync(${JSON.stringify(gate)})) await new Promise((done) => setTimeout(done, 5));
      };`,
    );
    lambda.setFunction('own', { handler, timeoutSeconds: 30 });
    const first = await run('own');
    const second = await run('own');
    expect(logOf(first)).toContain('INIT_START');
    expect(logOf(first)).toMatch(/\tInit Duration: [\d.]+ ms\t/);
    expect(logOf(second)).not.toContain('Init Duration');
    const waiting = [run('own', { waits: true }), run('own', { waits: true })];
    // Neither invocation ends before both run.
    while (lambda.executions('own').length < 4) await new Promise((done) => setTimeout(done, 5));
    await writeFile(gate, '');
    await Promise.all(waiting);
    const executions = lambda.executions('own');
    expect(executions.map(({ coldStart }) => coldStart)).toEqual([true, false, false, true]);
    const [one, two, three, four] = executions.map(({ environmentId }) => environmentId);
    expect([two, three]).toEqual([one, one]);
    expect(four).not.toBe(one);
  });

  test('are not reused after a deployment', async () => {
    const version = (text: string) =>
      handlerFile(`${text}.mjs`, `export const handler = async () => '${text}';`);
    expect(responseOf(await deployed({ handler: await version('old') }))).toBe('old');
    const output = await deployed({ handler: await version('new') });
    expect(responseOf(output)).toBe('new');
    expect(logOf(output)).toContain('INIT_START');
  });

  test('are not reused if they were busy during a deployment', async () => {
    const handler = await handlerFile(
      'staged.mjs',
      'export const handler = async (event) => { await new Promise((done) => setTimeout(done, event.ms)); return process.env.STAGE; };',
    );
    lambda.setFunction('own', { handler, environment: { STAGE: 'old' } });
    const running = run('own', { ms: 400 });
    while (lambda.executions('own').length === 0) await new Promise((done) => setTimeout(done, 5));
    expect(responseOf(await deployed({ handler, environment: { STAGE: 'new' } }, { ms: 1 }))).toBe('new');
    expect(responseOf(await running)).toBe('old');
    expect(responseOf(await run('own', { ms: 1 }))).toBe('new');
  });

  test('stay warm after a reset, which clears the counts', async () => {
    await run('greeting');
    expect(lambda.executions()).toHaveLength(1);
    expect(lambda.requests).toHaveLength(1);
    lambda.reset();
    expect(lambda.executions()).toEqual([]);
    expect(lambda.requests).toEqual([]);
    expect(logOf(await run('greeting'))).not.toContain('INIT_START');
  });

  test('are limited by reserved concurrency, but an Event is accepted', async () => {
    const error = await failureOf(invoke('throttled'));
    expect(error.name).toBe('TooManyRequestsException');
    expect(error.$metadata.httpStatusCode).toBe(429);
    expect(error).toMatchObject({ Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded' });
    expect(error.message).toBe('Rate Exceeded.');
    expect((await invoke('throttled', { InvocationType: 'Event' })).StatusCode).toBe(202);
    await lambda.idle();
    expect(lambda.executions('throttled')).toEqual([]);
    lambda.setFunction('throttled', { ...SAMPLE_FUNCTIONS.throttled, reservedConcurrency: 1 });
    while (lambda.executions('throttled').length === 0) await new Promise((done) => setTimeout(done, 5));
    await lambda.idle();
  });

  test('are also limited by the account', async () => {
    await withServer({ functions: SAMPLE_FUNCTIONS, concurrencyLimit: 1 }, async (server, sdk) => {
      const send = (FunctionName: string, Payload: string) =>
        sdk.send(new InvokeCommand({ FunctionName, Payload }));
      const first = send('slow', '{"ms":300}');
      while (server.executions().length === 0) await new Promise((done) => setTimeout(done, 5));
      expect(await failureOf(send('echo', '{}'))).toMatchObject({
        Reason: 'ConcurrentInvocationLimitExceeded',
      });
      await first;
      expect((await send('echo', '{}')).StatusCode).toBe(200);
    });
  });

  test('continue when the client disconnects', async () => {
    await run('slow', { ms: 1 });
    lambda.reset();
    const abort = new AbortController();
    const sent = client.send(new InvokeCommand({ FunctionName: 'slow', Payload: '{"ms":400}' }), {
      abortSignal: abort.signal,
    });
    while (lambda.executions('slow').length === 0) await new Promise((done) => setTimeout(done, 5));
    abort.abort();
    await expect(sent).rejects.toThrow('aborted');
    await lambda.idle();
    const [execution] = lambda.executions('slow');
    const reports = lambda.logs.written.filter(({ message }) => message.startsWith('REPORT'));
    expect(reports.map(({ message }) => message)).toEqual([
      expect.stringContaining(execution?.requestId ?? 'none'),
    ]);
    expect(logOf(await run('slow', { ms: 1 }))).not.toContain('INIT_START');
  });

  test('end when the server closes, even while they run', async () => {
    let pid = 0;
    const handler = await handlerFile(
      'pid.mjs',
      'export const handler = async (event) => { if (event.wait) await new Promise((done) => setTimeout(done, 60000)); return process.pid; };',
    );
    await withServer({ functions: { pid: { handler, timeoutSeconds: 100 } } }, async (server, sdk) => {
      pid = Number(responseOf(await sdk.send(new InvokeCommand({ FunctionName: 'pid' }))));
      expect(() => process.kill(pid, 0)).not.toThrow();
      sdk.send(new InvokeCommand({ FunctionName: 'pid', Payload: '{"wait":true}' })).catch(() => undefined);
      while (server.executions().length < 2) await new Promise((done) => setTimeout(done, 5));
    });
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });
});

describe('the log', () => {
  test('has START, the lines of the handler, END and REPORT with measured figures as text', async () => {
    const output = await run('greeting', { name: 'Ada' });
    const id = idOf(output);
    const warm = await run('greeting', { name: 'Grace\nHopper' });
    const lines = logOf(warm).split('\n');
    expect(lines).toEqual([
      `START RequestId: ${idOf(warm)} Version: $LATEST`,
      expect.stringMatching(
        new RegExp(
          `^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z\t${idOf(warm)}\tINFO\tGreeting Grace$`,
        ),
      ),
      'Hopper',
      `END RequestId: ${idOf(warm)}`,
      expect.stringMatching(
        new RegExp(
          `^REPORT RequestId: ${idOf(warm)}\tDuration: \\d+\\.\\d\\d ms\tBilled Duration: \\d+ ms\tMemory Size: 128 MB\tMax Memory Used: \\d+ MB\t$`,
        ),
      ),
      '',
    ]);
    expect(id).not.toBe(idOf(warm));
    expect(lambda.executions().map(({ requestId }) => requestId)).toEqual([id, idOf(warm)]);
    const slow = logOf(await run('slow', { ms: 120 }));
    const duration = Number(/\tDuration: ([\d.]+) ms/.exec(slow)?.[1]);
    expect(duration).toBeGreaterThanOrEqual(119);
    expect(duration).toBeLessThan(400);
    expect(Number(/Max Memory Used: (\d+) MB/.exec(slow)?.[1])).toBeGreaterThan(20);
  });

  test('has a billed duration that includes the init phase', async () => {
    lambda.setFunction('greeting', { ...SAMPLE_FUNCTIONS.greeting });
    const log = logOf(await run('greeting'));
    const figure = (name: string) => Number(new RegExp(`\t${name}: ([\\d.]+) ms`).exec(log)?.[1]);
    expect(log.startsWith('INIT_START Runtime Version: nodejs:24')).toBe(true);
    expect(figure('Init Duration')).toBeGreaterThan(5);
    const billed = Math.ceil(figure('Duration') + figure('Init Duration'));
    expect(Math.abs(figure('Billed Duration') - billed)).toBeLessThanOrEqual(1);
  });

  test('has platform records and console output as JSON', async () => {
    lambda.setFunction('json-log', { ...SAMPLE_FUNCTIONS['json-log'] });
    const output = await run('json-log');
    const records = logOf(output)
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(records.map(({ type, level }) => type ?? level)).toEqual([
      'platform.initStart',
      'platform.start',
      'INFO',
      'platform.report',
    ]);
    expect(records[2]).toMatchObject({ message: 'Greeting world', requestId: idOf(output) });
    expect(records[3].record).toEqual({
      requestId: idOf(output),
      status: 'success',
      metrics: {
        durationMs: expect.any(Number),
        billedDurationMs: expect.any(Number),
        memorySizeMB: 128,
        maxMemoryUsedMB: expect.any(Number),
        initDurationMs: expect.any(Number),
      },
    });
    const failed = await deployed({ ...SAMPLE_FUNCTIONS.throws, logFormat: 'JSON' });
    expect(logOf(failed)).toContain('"status":"error","errorType":"OrderRejectedError"');
    expect(logOf(failed)).toMatch(/"level":"ERROR".*"errorMessage":"Order 17 has no items"/);
  });

  test('has a tail of exactly 4,096 bytes, even if it starts inside a character', async () => {
    const handler = await handlerFile(
      'talks.mjs',
      "export const handler = async () => { for (let i = 0; i < 500; i++) process.stdout.write('é'.repeat(100)); };",
    );
    const output = await deployed({ handler });
    const tail = Buffer.from(output.LogResult ?? '', 'base64');
    expect(tail.length).toBe(4_096);
    expect(tail.toString('utf8')).toMatch(/^[\ufffdé]é+END RequestId: /);
    expect(tail.toString('utf8').trimEnd().split('\n')).toHaveLength(2);
  });

  test('keeps the order of console and raw output', async () => {
    const handler = await handlerFile(
      'order.mjs',
      `import { writeSync } from 'node:fs';
       export const handler = async () => {
         for (let i = 0; i < 20; i++) { console.log('a' + i); process.stdout.write('b' + i + '\\n'); }
         for (let i = 0; i < 20; i++) { console.error('c' + i); process.stderr.write('d' + i + '\\n'); }
         console.warn(new Map([['a', 1]]));
         writeSync(1, 'past the runtime\\n');
       };`,
    );
    const log = logOf(await deployed({ handler }));
    const numbered = log.match(/(?<=\t|^)[a-d]\d+$/gm);
    const pairs = (one: string, other: string) =>
      Array.from({ length: 20 }, (_value, index) => [`${one}${index}`, `${other}${index}`]).flat();
    expect(numbered).toEqual([...pairs('a', 'b'), ...pairs('c', 'd')]);
    expect(log).toMatch(/\tINFO\ta0\n.*\tERROR\tc0\n.*\tWARN\tMap\(1\) \{ 'a' => 1 \}\n/s);
    expect(log).toMatch(/past the runtime\n.*REPORT/s);
  });

  test('is returned only if a synchronous invocation requests it, unless the function refuses or refers elsewhere', async () => {
    expect((await invoke('echo', { LogType: 'Tail', InvocationType: 'Event' })).LogResult).toBeUndefined();
    lambda.setFunction('own', { ...SAMPLE_FUNCTIONS.echo, tailLogsUnsupported: true });
    const error = await failureOf(run('own'));
    expect(error.name).toBe('InvalidParameterValueException');
    expect(error.message).toMatch(/^Tail logs are not supported/);
    expect(lambda.executions('own')).toEqual([]);
    expect((await invoke('own')).StatusCode).toBe(200);
    const logDestination = { logGroup: '/custom/group', logStreamName: 'stream' };
    expect(JSON.parse(logOf(await deployed({ ...SAMPLE_FUNCTIONS.echo, logDestination })))).toEqual(
      logDestination,
    );
  });

  test('keeps hostile text unchanged', async () => {
    const log = logOf(await run('hostile-log'));
    expect(log).toContain('\n::error title=Forged::This is no annotation\n');
    expect(log).toContain('\r::error::after it');
  });
});

describe('function errors', () => {
  test('a thrown error has its type, message and trace in the response and in the log', async () => {
    const output = await run('throws', { message: 'no stock' });
    expect(output.StatusCode).toBe(200);
    expect(output.FunctionError).toBe('Unhandled');
    expect(output.ExecutedVersion).toBe('$LATEST');
    expect(responseOf(output)).toEqual({
      errorType: 'OrderRejectedError',
      errorMessage: 'no stock',
      trace: expect.arrayContaining([
        'OrderRejectedError: no stock',
        expect.stringMatching(/^ +at .*throws\.mjs/),
      ]),
    });
    const line = logOf(output)
      .split('\n')
      .find((text) => text.includes('Invoke Error'));
    expect(line).toContain(`\t${idOf(output)}\tERROR\tInvoke Error \t{"errorType":"OrderRejectedError"`);
    expect(JSON.parse(line?.slice(line.indexOf('{')) ?? '')).toMatchObject({
      errorMessage: 'no stock',
      code: 'ORDER_REJECTED',
      stack: expect.arrayContaining(['OrderRejectedError: no stock']),
    });
  });

  test.each([
    ['string', { errorType: 'string', errorMessage: 'only a string', trace: [] }],
    ['number', { errorType: 'number', errorMessage: '42', trace: [] }],
    ['null', { errorType: 'object', errorMessage: 'null', trace: [] }],
    ['undefined', { errorType: 'undefined', errorMessage: 'undefined', trace: [] }],
    ['object', { errorType: 'object', errorMessage: '[object Object]', trace: [] }],
  ])('thrown: %s', async (value, expected) => {
    const output = await run('throws', { value });
    expect(output.FunctionError).toBe('Unhandled');
    expect(responseOf(output)).toEqual(expected);
  });

  test('a handled and an unhandled rejection', async () => {
    const rejected = await run('rejection');
    expect(responseOf(rejected)).toMatchObject({
      errorType: 'RangeError',
      errorMessage: 'rejected after a while',
    });
    expect(logOf(rejected)).toContain(`\t${idOf(rejected)}\tERROR\tInvoke Error \t{"errorType":"RangeError"`);
    expect(logOf(rejected)).not.toContain('Status:');
    const unhandled = await run('rejection', { unhandled: true });
    expect(unhandled.FunctionError).toBe('Unhandled');
    expect(responseOf(unhandled)).toMatchObject({
      errorType: 'Runtime.UnhandledPromiseRejection',
      errorMessage: 'Error: nobody waits for this',
    });
    expect(logOf(await run('rejection'))).toContain('INIT_START');
  });

  test('a timeout ends the handler and its environment', async () => {
    const output = await deployed({ ...SAMPLE_FUNCTIONS.timeout, timeoutSeconds: 0.5 });
    expect(output.FunctionError).toBe('Unhandled');
    expect(responseOf(output)).toEqual({
      errorType: 'Sandbox.Timedout',
      errorMessage: `RequestId: ${idOf(output)} Error: Task timed out after 0.50 seconds`,
    });
    expect(logOf(output)).toContain('INFO\tgoing to sleep');
    expect(logOf(output)).toMatch(
      /\tMax Memory Used: [1-9]\d* MB\tInit Duration: [\d.]+ ms\tStatus: timeout\t\n$/,
    );
    expect(logOf(await run('own', { ms: 1 }))).toContain('INIT_START');
  });

  // Without /proc, the last figure from the process is used.
  (process.platform === 'linux' ? test : test.skip)(
    'a timeout counts the memory used until then',
    async () => {
      const handler = await handlerFile(
        'hungry.mjs',
        'export const handler = () => { const kept = Buffer.alloc(100e6, 1); return new Promise((done) => setTimeout(done, 9e5, kept)); };',
      );
      const log = logOf(await deployed({ handler, timeoutSeconds: 2 }));
      expect(Number(/Max Memory Used: (\d+) MB/.exec(log)?.[1])).toBeGreaterThan(100);
    },
  );

  test('a timeout ends even a handler that blocks', async () => {
    const handler = await handlerFile('blocks.mjs', 'export const handler = async () => { for (;;); };');
    const output = await deployed({ handler, timeoutSeconds: 0.3 });
    expect(responseOf(output)).toMatchObject({ errorType: 'Sandbox.Timedout' });
  });

  test.each([
    [{ exit: 0 }, 'Runtime exited without providing a reason'],
    [{ exit: 127 }, 'Runtime exited with error: exit status 127'],
    [{ signal: 'SIGKILL' }, 'Runtime exited with error: signal: killed'],
    [{ signal: 'SIGSEGV' }, 'Runtime exited with error: signal: segmentation fault'],
  ])('a crash: %j', async (event, reason) => {
    const output = await run('crash', event);
    expect(output.FunctionError).toBe('Unhandled');
    const errorMessage = `RequestId: ${idOf(output)} Error: ${reason}`;
    expect(responseOf(output)).toEqual({ errorType: 'Runtime.ExitError', errorMessage });
    expect(logOf(output)).toContain(`last words\n${errorMessage}\nRuntime.ExitError\nEND RequestId`);
    expect(logOf(output)).toMatch(/\tStatus: error\tError Type: Runtime\.ExitError\t\n$/);
    expect(lambda.executions('crash')).toHaveLength(1);
  });

  test('a promise that can no longer be settled ends the process', async () => {
    const handler = await handlerFile('stuck.mjs', 'export const handler = () => new Promise(() => {});');
    expect(responseOf(await deployed({ handler }))).toMatchObject({
      errorType: 'Runtime.ExitError',
      errorMessage: expect.stringMatching(/Runtime exited without providing a reason$/),
    });
  });

  test('leftover code of one invocation does not settle the next', async () => {
    const handler = await handlerFile(
      'leftover.mjs',
      `let settleFirst;
       export const handler = (event, context) => {
         if (event.first) {
           context.succeed('first');
           return new Promise((resolve, reject) => { settleFirst = () => { reject(new Error('late')); }; });
         }
         settleFirst();
         return new Promise((resolve) => setTimeout(resolve, 50, 'second'));
       };`,
    );
    expect(responseOf(await deployed({ handler }, { first: true }))).toBe('first');
    expect(responseOf(await run('own'))).toBe('second');
  });

  test('out of memory', async () => {
    const output = await run('out-of-memory');
    expect(responseOf(output)).toEqual({
      errorType: 'Runtime.OutOfMemory',
      errorMessage: `RequestId: ${idOf(output)} Error: Runtime exited with error: signal: killed`,
    });
    expect(logOf(output)).toMatch(
      /Memory Size: 64 MB\tMax Memory Used: 64 MB\t.*Status: error\tError Type: Runtime\.OutOfMemory\t\n$/,
    );
  });

  test('a response at the limit succeeds, and one more byte fails', async () => {
    const output = await run('oversized', { bytes: 6_291_556 });
    expect(output.FunctionError).toBeUndefined();
    expect(output.Payload?.length).toBe(6_291_556);
    const tooLarge = await run('oversized', { bytes: 6_291_557 });
    expect(tooLarge.FunctionError).toBe('Unhandled');
    expect(responseOf(tooLarge)).toEqual({
      errorMessage: 'Response payload size exceeded maximum allowed payload size (6291556 bytes).',
      errorType: 'Function.ResponseSizeTooLarge',
    });
  });

  test('a return value that cannot be serialized', async () => {
    const output = await run('unserializable');
    expect(responseOf(output)).toMatchObject({
      errorType: 'Runtime.JSONStringifyError',
      errorMessage: 'Unable to stringify response body',
    });
  });

  test('code that does not load is initialized twice, and the handler never starts', async () => {
    const missing = await run('missing-module');
    expect(missing.FunctionError).toBe('Unhandled');
    expect(responseOf(missing)).toMatchObject({
      errorType: 'Runtime.ImportModuleError',
      errorMessage: expect.stringMatching(/^Error: Cannot find module .*no-such-module\.mjs/),
    });
    expect(logOf(missing)).toMatch(
      /INIT_REPORT Init Duration: [\d.]+ ms\tPhase: invoke\tStatus: error\tError Type: Runtime\.ImportModuleError\t\nSTART /,
    );
    expect(logOf(missing)).toMatch(/\tStatus: error\tError Type: Runtime\.ImportModuleError\t\n$/);
    expect(responseOf(await run('missing-export'))).toMatchObject({
      errorType: 'Runtime.HandlerNotFound',
      errorMessage: 'echo.handlerMissing is undefined or not exported',
    });
    const needs = await handlerFile(
      'needs.cjs',
      "require('no-such-dependency'); exports.handler = async () => {};",
    );
    expect(responseOf(await deployed({ handler: needs }))).toMatchObject({
      errorType: 'Runtime.ImportModuleError',
      errorMessage: expect.stringMatching(/^Error: Cannot find module 'no-such-dependency'\nRequire stack:/),
    });
    const syntax = await handlerFile('syntax.mjs', 'export const handler = async () => {');
    expect(responseOf(await deployed({ handler: syntax }))).toMatchObject({
      errorType: 'Runtime.UserCodeSyntaxError',
      errorMessage: expect.stringMatching(/^SyntaxError: /),
    });
    const throwing = await handlerFile(
      'throwing.mjs',
      "console.log('loading'); throw new TypeError('no table');",
    );
    const output = await deployed({ handler: throwing });
    expect(responseOf(output)).toMatchObject({ errorType: 'TypeError', errorMessage: 'no table' });
    expect(logOf(output).match(/INFO\tloading\n/g)).toHaveLength(2);
    expect(logOf(output)).toContain('Phase: init\tStatus: error\tError Type: Runtime.Unknown\t\n');
    expect(lambda.executions()).toEqual([]);
  });
});

describe('payloads', () => {
  test('of 6 MB arrive completely, and quickly', async () => {
    const event = JSON.stringify({ text: 'x'.repeat(6_291_456 - '{"text":""}'.length) });
    expect(Buffer.byteLength(event)).toBe(6_291_456);
    await run('digest');
    const startedAt = performance.now();
    const output = await invoke('digest', { Payload: event });
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    expect(responseOf(output)).toEqual({
      bytes: 6_291_456,
      sha256: createHash('sha256').update(event).digest('hex'),
      invocations: 2,
    });
    const error = await failureOf(invoke('digest', { Payload: `${event} ` }));
    expect(error.$metadata.httpStatusCode).toBe(413);
    expect(error.message).toBe(
      '6291457 byte payload is too large for the RequestResponse invocation type (limit 6291456 bytes)',
    );
  });

  test('of an Event can have 1 MB', async () => {
    const event = JSON.stringify('x'.repeat(1_048_576 - 2));
    const accepted = await invoke('digest', { InvocationType: 'Event', Payload: event });
    expect(accepted.StatusCode).toBe(202);
    const error = await failureOf(invoke('digest', { InvocationType: 'Event', Payload: `${event} ` }));
    expect(error.name).toBe('RequestEntityTooLargeException');
    expect(error.message).toBe(
      '1048577 byte payload is too large for the Event invocation type (limit 1048576 bytes)',
    );
    await lambda.idle();
    expect(lambda.executions('digest')).toHaveLength(1);
  });

  const expectedValue =
    "expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')";
  const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');

  // The first four messages are recorded, and so are the positions in the first and the third.
  test.each<[string | Uint8Array, string, string]>([
    [bytes('\x9b+-'), `Unexpected character ((CTRL-CHAR, code 155)): ${expectedValue}`, 'line: 1, column: 2'],
    [bytes('"\xe2-"'), 'Invalid UTF-8 middle byte 0x2d', 'line: 1, column: 4'],
    [
      bytes('1\x84'),
      'Unexpected character ((CTRL-CHAR, code 132)): Expected space separating root-level values',
      'line: 1, column: 3',
    ],
    [
      `{"question": "Which school has the asset with Tag "162`,
      "Unexpected character ('1' (code 49)): was expecting comma to separate Object entries",
      'line: 1, column: 53',
    ],
    ['{"a":}', `Unexpected character ('}' (code 125)): ${expectedValue}`, 'line: 1, column: 7'],
    ['[1,]', `Unexpected character (']' (code 93)): ${expectedValue}`, 'line: 1, column: 5'],
    [
      '[1 2]',
      "Unexpected character ('2' (code 50)): was expecting comma to separate Array entries",
      'line: 1, column: 5',
    ],
    [
      '{"a":1,}',
      "Unexpected character ('}' (code 125)): was expecting double-quote to start field name",
      'line: 1, column: 9',
    ],
    [
      '{"a" 1}',
      "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value",
      'line: 1, column: 7',
    ],
    [
      '"a\nb"',
      'Illegal unquoted character ((CTRL-CHAR, code 10)): has to be escaped using backslash to be included in string value',
      'line: 2, column: 1',
    ],
    ['"\\x"', "Unrecognized character escape 'x' (code 120)", 'line: 1, column: 4'],
    [
      '-x',
      "Unexpected character ('x' (code 120)) in numeric value: expected digit (0-9) to follow minus sign, for valid numeric value",
      'line: 1, column: 3',
    ],
    [
      'nope',
      `Unrecognized token 'nope': was ${expectedValue.replace('expected a valid value', 'expecting')}`,
      'line: 1, column: 5',
    ],
    ['{"a":\n 1', 'Unexpected end-of-input', 'line: 2, column: 3'],
    ['"a', 'Unexpected end-of-input: was expecting closing quote for a string value', 'line: 1, column: 3'],
  ])('that are not JSON are rejected in the words of the service: %j', async (Payload, problem, place) => {
    const error = await failureOf(invoke('echo', { Payload }));
    expect(error.name).toBe('InvalidRequestContentException');
    expect(error.message).toBe(
      `Could not parse request body into json: Could not parse payload into json: ${problem}\n at [Source: REDACTED (\`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION\` disabled); ${place}]`,
    );
    const event = await failureOf(invoke('echo', { Payload, InvocationType: 'Event' }));
    expect(event.name).toBe('InvalidRequestContentException');
    expect(lambda.executions()).toEqual([]);
  });
});

describe('access', () => {
  test('a denial has the words of IAM for the qualified resource, even if the function does not exist', async () => {
    const principal = 'arn:aws:sts::123456789012:assumed-role/deploy/session';
    denial = { kind: 'no-identity-policy', principal };
    const error = await failureOf(invoke('nope', { Qualifier: 'live', InvocationType: 'DryRun' }));
    expect(error.name).toBe('AccessDeniedException');
    expect(error.$metadata.httpStatusCode).toBe(403);
    expect(error.message).toBe(
      `User: ${principal} is not authorized to perform: lambda:InvokeFunction on resource: arn:aws:lambda:us-east-1:123456789012:function:nope:live because no identity-based policy allows the lambda:InvokeFunction action`,
    );
    denial = { kind: 'explicit-deny-identity' };
    expect((await failureOf(invoke('echo'))).message).toMatch(
      /function:echo with an explicit deny in an identity-based policy$/,
    );
    expect(lambda.executions()).toEqual([]);
  });

  test('operations are allowed and denied separately, by the names of their actions', async () => {
    await withServer(
      {
        functions: SAMPLE_FUNCTIONS,
        deny: ({ operation }) =>
          operation === 'GetFunctionConfiguration' ? { kind: 'no-identity-policy' } : undefined,
      },
      async (server, sdk) => {
        expect((await sdk.send(new InvokeCommand({ FunctionName: 'echo' }))).StatusCode).toBe(200);
        const configuration = new GetFunctionConfigurationCommand({ FunctionName: 'echo:live' });
        expect((await failureOf(sdk.send(configuration))).message).toBe(
          'User: arn:aws:sts::123456789012:assumed-role/local-role/local-session is not authorized to perform: lambda:GetFunctionConfiguration on resource: arn:aws:lambda:us-east-1:123456789012:function:echo:live because no identity-based policy allows the lambda:GetFunctionConfiguration action',
        );
        expect(server.requests).toHaveLength(2);
      },
    );
  });

  test.each([
    [
      'AKIAEXPIRED0000000000',
      'ExpiredTokenException',
      'The security token included in the request is expired',
    ],
    [
      'AKIAUNKNOWN0000000000',
      'UnrecognizedClientException',
      'The security token included in the request is invalid.',
    ],
  ])('access key %s', async (accessKeyId, name, message) => {
    const sdk = clientOf(lambda, accessKeyId);
    const error = await failureOf(sdk.send(new InvokeCommand({ FunctionName: 'echo' })));
    expect(error.name).toBe(name);
    expect(error.message).toBe(message);
    expect(error.$metadata.httpStatusCode).toBe(403);
    sdk.destroy();
  });

  test('a client of another region is rejected', async () => {
    const sdk = clientOf({ ...lambda, region: 'eu-west-1' });
    const error = await failureOf(sdk.send(new InvokeCommand({ FunctionName: 'echo' })));
    expect(error.name).toBe('InvalidSignatureException');
    sdk.destroy();
  });

  const basicTime = (date: Date): string => date.toISOString().replace(/[-:]|\.\d+/g, '');
  const time = basicTime(new Date());
  const day = time.slice(0, 8);
  const scope = `${day}/us-east-1/lambda/aws4_request`;
  const signature = 'a'.repeat(64);
  const valid = `AWS4-HMAC-SHA256 Credential=AKIA/${scope}, SignedHeaders=host;x-amz-date, Signature=${signature}`;

  test.each([
    ['none', undefined, 'MissingAuthenticationTokenException'],
    ['another scheme', 'Bearer abc', 'IncompleteSignatureException'],
    ['no signature', valid.replace(/, Signature.*/, ''), 'IncompleteSignatureException'],
    ['a short credential', valid.replace('/aws4_request', ''), 'IncompleteSignatureException'],
    ['a signature that is not a SHA-256', valid.replace(signature, 'abc'), 'InvalidSignatureException'],
    ['host not signed', valid.replace('host;', ''), 'InvalidSignatureException'],
    [
      'a signed header that is absent',
      valid.replace('host;', 'host;x-amz-tenant-id;'),
      'InvalidSignatureException',
    ],
    ['another service', valid.replace('/lambda/', '/s3/'), 'InvalidSignatureException'],
    ['another day', valid.replace(day, '20260101'), 'InvalidSignatureException'],
    ['a valid signature', valid, null],
  ])('authorization: %s', async (_title, authorization, type) => {
    const response = await fetch(`${lambda.url}/2015-03-31/functions/echo/invocations`, {
      method: 'POST',
      headers: { 'x-amz-date': time, ...(authorization && { authorization }) },
      body: '{}',
    });
    expect(response.headers.get('x-amzn-errortype')).toBe(type);
    expect(response.status).toBe(type === null ? 200 : 403);
    expect(response.headers.get('x-amzn-requestid')).toMatch(UUID);
    if (authorization === undefined) {
      expect(await response.json()).toEqual({ message: 'Missing Authentication Token' });
    }
  });

  test.each([
    [-6, /^Signature expired: \w+ is now earlier than \w+ \(\w+ - 5 min\.\)$/],
    [-4, undefined],
    [4, undefined],
    [6, /^Signature not yet current: \w+ is still later than \w+ \(\w+ \+ 5 min\.\)$/],
  ])('a signature that is %i minutes off is accepted only within 5 minutes', async (minutes, message) => {
    const signedAt = basicTime(new Date(Date.now() + minutes * 60_000));
    const response = await fetch(`${lambda.url}/2015-03-31/functions/echo/invocations`, {
      method: 'POST',
      headers: { 'x-amz-date': signedAt, authorization: valid.replace(day, signedAt.slice(0, 8)) },
      body: '{}',
    });
    const told: unknown = await response.json();
    expect(response.status).toBe(message === undefined ? 200 : 403);
    if (message !== undefined) expect(told).toEqual({ message: expect.stringMatching(message) });
  });

  test('an unknown path is not an operation', async () => {
    const response = await fetch(`${lambda.url}/2015-03-31/elsewhere`, {
      headers: { 'x-amz-date': time, authorization: valid },
    });
    expect(response.status).toBe(404);
    expect(response.headers.get('x-amzn-errortype')).toBe('UnknownOperationException');
  });
});

describe('faults', () => {
  const nextHas = (fault: Fault) => lambda.setFault((_request, n) => (n === 0 ? fault : undefined));
  const count = () => lambda.executions('digest').length;
  const event = { Payload: '{"a":1}' };

  /** How a response ends for a bare socket: a normal end or a reset. */
  function endOfConnection(): Promise<string> {
    return new Promise((resolve) => {
      const socket = net.connect(Number(new URL(lambda.url).port), '127.0.0.1');
      let received = '';
      socket.on('data', (chunk) => {
        received += chunk.toString();
      });
      socket.on('end', () => {
        socket.end();
        resolve(`end after ${received.length} bytes`);
      });
      socket.on('error', (error) => resolve('code' in error ? String(error.code) : error.message));
      socket.write(
        'POST /2015-03-31/functions/digest/invocations HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n{}',
      );
    });
  }

  test.each([
    ['reset', 'before', 0, 'read ECONNRESET'],
    ['reset', 'after', 1, 'read ECONNRESET'],
    ['close', 'before', 0, 'socket hang up'],
    ['close', 'after', 1, 'socket hang up'],
  ] as const)('%s %s the handler', async (kind, when, executions, message) => {
    nextHas({ kind, when });
    expect(await networkErrorOf(invoke('digest', event))).toContain(message);
    await lambda.idle();
    expect(count()).toBe(executions);
    expect((await invoke('digest', event)).StatusCode).toBe(200);
    expect(count()).toBe(executions + 1);
  });

  test('a reset and a close are different on the socket', async () => {
    nextHas({ kind: 'reset', when: 'before' });
    expect(await endOfConnection()).toBe('ECONNRESET');
    nextHas({ kind: 'close', when: 'before' });
    expect(await endOfConnection()).toBe('end after 0 bytes');
  });

  test.each([
    ['before', 0],
    ['after', 1],
  ] as const)('stall %s the handler', async (when, executions) => {
    nextHas({ kind: 'stall', when });
    const abortSignal = AbortSignal.timeout(400);
    await expect(
      client.send(new InvokeCommand({ FunctionName: 'digest' }), { abortSignal }),
    ).rejects.toThrow();
    await lambda.idle();
    expect(count()).toBe(executions);
  });

  test.each([
    ['before', 0],
    ['after', 1],
  ] as const)('an error %s the handler', async (when, executions) => {
    nextHas({
      kind: 'error',
      when,
      status: 429,
      type: 'TooManyRequestsException',
      message: 'Slow down',
      reason: 'CallerRateLimitExceeded',
      headers: { 'retry-after': '7' },
    });
    const error = await failureOf(invoke('digest', event));
    expect(error).toMatchObject({
      name: 'TooManyRequestsException',
      message: 'Slow down',
      Reason: 'CallerRateLimitExceeded',
      retryAfterSeconds: '7',
    });
    expect(error.$metadata).toMatchObject({ httpStatusCode: 429, requestId: expect.stringMatching(UUID) });
    expect(count()).toBe(executions);
    nextHas({ kind: 'error', when, status: 500, type: 'ServiceException', message: 'Sorry' });
    expect(await failureOf(invoke('digest', event))).toMatchObject({
      name: 'ServiceException',
      message: 'Sorry',
    });
  });

  test('any response', async () => {
    nextHas({
      kind: 'raw',
      when: 'before',
      status: 502,
      headers: { 'content-type': 'text/html' },
      body: '<html>Bad Gateway</html>',
    });
    const response = await fetch(`${lambda.url}/2015-03-31/functions/digest/invocations`, { method: 'POST' });
    expect(response.status).toBe(502);
    expect(response.headers.get('content-type')).toBe('text/html');
    expect(await response.text()).toBe('<html>Bad Gateway</html>');
    expect(count()).toBe(0);
  });

  test('a truncated body', async () => {
    nextHas({ kind: 'truncate', bytes: 10 });
    expect(await networkErrorOf(invoke('digest', event))).toMatch(/ECONNRESET|aborted/);
    expect(count()).toBe(1);
  });

  test.each(['before', 'after'] as const)('a delay %s the handler', async (when) => {
    await run('digest');
    lambda.reset();
    nextHas({ kind: 'delay', when, ms: 250 });
    const startedAt = Date.now();
    expect((await invoke('digest', event)).StatusCode).toBe(200);
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(245);
    const started = Number(lambda.executions('digest')[0]?.startedAt) - startedAt;
    if (when === 'before') expect(started).toBeGreaterThanOrEqual(245);
    else expect(started).toBeLessThan(200);
  });

  test('a slow body', async () => {
    nextHas({ kind: 'slow-body', chunkBytes: 20, delayMs: 50 });
    const startedAt = Date.now();
    expect(responseOf(await invoke('digest', event))).toMatchObject({ bytes: 7 });
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(195);
  });

  test('a response without a request ID', async () => {
    nextHas({ kind: 'omit-request-id' });
    expect((await invoke('digest', event)).$metadata.requestId).toBeUndefined();
    expect((await invoke('digest', event)).$metadata.requestId).toMatch(UUID);
  });

  test('a fault can affect only one operation', async () => {
    lambda.setFault(({ operation }) =>
      operation === 'GetFunctionConfiguration' ? { kind: 'reset', when: 'before' } : undefined,
    );
    expect((await invoke('digest', event)).StatusCode).toBe(200);
    const configuration = new GetFunctionConfigurationCommand({ FunctionName: 'digest' });
    expect(await networkErrorOf(client.send(configuration))).toContain('ECONNRESET');
    lambda.setFault(undefined);
    expect(await client.send(configuration)).toMatchObject({ FunctionName: 'digest', State: 'Active' });
  });

  test('the chooser gets the request and its number', async () => {
    const seen: unknown[] = [];
    lambda.setFault((request, n) => {
      seen.push([
        n,
        request.functionName,
        request.qualifier,
        request.invocationType,
        request.body.toString(),
      ]);
      return undefined;
    });
    await invoke('echo:live', { ...event, InvocationType: 'DryRun' });
    await invoke('digest');
    expect(seen).toEqual([
      [0, 'echo', 'live', 'DryRun', '{"a":1}'],
      [1, 'digest', undefined, 'RequestResponse', ''],
    ]);
    expect(lambda.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /2015-03-31/functions/echo%3Alive/invocations',
      'POST /2015-03-31/functions/digest/invocations',
    ]);
  });
});

signalTest('the command serves the samples, prints how to use them, and exits cleanly', async () => {
  const main = fileURLToPath(new URL('../main.ts', import.meta.url));
  const server = spawn(process.execPath, [main], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(server, 'exit');
  try {
    let printed = '';
    for await (const chunk of server.stdout) {
      printed += chunk;
      if (printed.includes('AWS_SECRET_ACCESS_KEY')) break;
    }
    const endpoint = /^export AWS_ENDPOINT_URL_LAMBDA=(http:\/\/127\.0\.0\.1:\d+)$/m.exec(printed)?.[1];
    const region = /^export AWS_REGION=(\S+)$/m.exec(printed)?.[1];
    if (endpoint === undefined || region === undefined) throw new Error(`Not what was expected: ${printed}`);
    const sdk = clientOf({ ...lambda, url: endpoint, region });
    const output = await sdk.send(new InvokeCommand({ FunctionName: 'greeting', Payload: '{"name":"Ada"}' }));
    expect(responseOf(output)).toEqual({ message: 'Hello, Ada!' });
    sdk.destroy();
    server.kill('SIGTERM');
    const late = setTimeout(() => server.kill('SIGKILL'), 5_000);
    expect(await ended).toEqual([0, null]);
    clearTimeout(late);
  } finally {
    server.kill('SIGKILL');
  }
});

test('the server listens on loopback only', async () => {
  expect(new URL(lambda.url).hostname).toBe('127.0.0.1');
  await expect(startLocalLambda({ functions: {}, port: Number(new URL(lambda.url).port) })).rejects.toThrow(
    'EADDRINUSE',
  );
});
