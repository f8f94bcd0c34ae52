import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { SAMPLE_FUNCTIONS } from '../sample-functions.ts';
import { type LocalLambda, startLocalLambda } from '../server.ts';

const run = promisify(execFile);

/** The major version of the aws command on the PATH, if it runs. */
function awsVersion(): number | undefined {
  try {
    const text = execFileSync('aws', ['--version'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return Number(/^aws-cli\/(\d+)\./.exec(text)?.[1]);
  } catch {
    return undefined;
  }
}

/** Whether the library of the aws command is available, for operations that the command does not support. */
function hasBotocore(): boolean {
  try {
    execFileSync('python3', ['-c', 'import botocore'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Whether the aws command supports an operation, because older versions lack some. */
function knows(service: string, operation: string): boolean {
  try {
    execFileSync('aws', [service, operation, '--generate-cli-skeleton'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

// The calls that AWS SAM CLI makes to find a test event, in the same order.
const READ_TEST_EVENT = `
import json, sys, botocore.session
client = botocore.session.get_session().create_client('schemas')
registry = 'lambda-testevent-schemas'
client.describe_registry(RegistryName=registry)
schema = client.describe_schema(RegistryName=registry, SchemaName=f'_{sys.argv[1]}-schema')
event = json.loads(schema['Content'])['components'].get('examples', {})[sys.argv[2]]
print(json.dumps({'event': event['value'], 'metadata': event.get('x-metadata', {})}))
`;

// The library verifies the checksums of the event stream while it reads.
const READ_STREAM = `
import json, sys, botocore.session
client = botocore.session.get_session().create_client('lambda')
response = client.invoke_with_response_stream(FunctionName=sys.argv[1], Payload=sys.argv[2], LogType='Tail')
chunks, complete = [], None
for event in response['EventStream']:
    if 'PayloadChunk' in event: chunks.append(event['PayloadChunk']['Payload'].decode())
    if 'InvokeComplete' in event: complete = event['InvokeComplete']
print(json.dumps({'version': response['ExecutedVersion'], 'text': ''.join(chunks), 'complete': complete}))
`;

// The library's paginator follows the tokens of a search. A stream is read until its token stays the same.
const READ_LOG = `
import json, sys, botocore.session
client = botocore.session.get_session().create_client('logs')
group, pattern = sys.argv[1], sys.argv[2]
pages = list(client.get_paginator('filter_log_events').paginate(logGroupName=group, filterPattern=pattern))
found = [event for page in pages for event in page['events']]
lines, token = [], None
while True:
    after = {} if token is None else {'nextToken': token}
    response = client.get_log_events(logGroupName=group, logStreamName=found[0]['logStreamName'], startFromHead=True, **after)
    lines += [event['message'] for event in response['events']]
    if response['nextForwardToken'] == token: break
    token = response['nextForwardToken']
print(json.dumps({'pages': len(pages), 'found': [event['message'] for event in found], 'lines': lines}))
`;

const version = awsVersion();
const suite = version === undefined ? describe.skip : describe;
const title =
  version === undefined
    ? 'aws command (skipped: there is none on the PATH)'
    : `aws command, version ${version}`;

suite(title, () => {
  let lambda: LocalLambda;
  let folder: string;

  const environment = () => ({
    PATH: process.env['PATH'],
    HOME: folder,
    AWS_CONFIG_FILE: path.join(folder, 'config'),
    AWS_SHARED_CREDENTIALS_FILE: path.join(folder, 'credentials'),
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_MAX_ATTEMPTS: '1',
    AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE000000000',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_REGION: lambda.region,
    AWS_DEFAULT_REGION: lambda.region,
    AWS_ENDPOINT_URL_LAMBDA: lambda.url,
    AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: lambda.url,
    AWS_ENDPOINT_URL_SCHEMAS: lambda.url,
    AWS_PAGER: '',
  });

  async function command(
    service: 'lambda' | 'logs' | 'schemas',
    parameters: readonly string[],
  ): Promise<unknown> {
    const { stdout } = await run('aws', [service, ...parameters], { env: environment() });
    return stdout === '' ? undefined : JSON.parse(stdout);
  }

  const aws = (...parameters: string[]): Promise<unknown> => command('lambda', parameters);

  /** Runs `aws lambda invoke`. Returns its output and the payload that it wrote. */
  async function invoke(
    functionName: string,
    ...options: string[]
  ): Promise<{ output: unknown; payload: string }> {
    const outfile = path.join(folder, 'out.json');
    await writeFile(outfile, '');
    // Version 2 expects payloads in base64 by default.
    const encoding = version === 1 ? [] : ['--cli-binary-format', 'raw-in-base64-out'];
    const output = await aws('invoke', '--function-name', functionName, ...encoding, ...options, outfile);
    return { output, payload: await readFile(outfile, 'utf8') };
  }

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'local-lambda-cli-'));
    await writeFile(path.join(folder, 'config'), '[default]\noutput = json\n');
    lambda = await startLocalLambda({ functions: SAMPLE_FUNCTIONS });
  });

  afterAll(async () => {
    await lambda.close();
    await rm(folder, { recursive: true });
  });

  beforeEach(() => lambda.reset());

  test('invokes a version through its alias and gets the payload and the log', async () => {
    const { output, payload } = await invoke(
      'echo',
      ...['--qualifier', 'live', '--payload', '{"key1":"größe"}', '--log-type', 'Tail'],
    );
    expect(output).toEqual({ StatusCode: 200, ExecutedVersion: '2', LogResult: expect.any(String) });
    expect(payload).toBe('{"key1":"größe","key3":"from version 2"}');
    const log = Buffer.from(String(Object(output).LogResult), 'base64').toString('utf8');
    const requestId = lambda.executions('echo')[0]?.requestId;
    expect(log).toContain(`START RequestId: ${requestId} Version: 2\n`);
    expect(log).toContain(`REPORT RequestId: ${requestId}\tDuration: `);
  });

  test('reports a function error', async () => {
    const { output, payload } = await invoke('throws');
    expect(output).toMatchObject({ StatusCode: 200, FunctionError: 'Unhandled' });
    expect(JSON.parse(payload)).toMatchObject({ errorType: 'OrderRejectedError' });
  });

  test('sends an Event and a DryRun', async () => {
    expect((await invoke('greeting', '--invocation-type', 'Event')).output).toEqual({ StatusCode: 202 });
    expect((await invoke('greeting', '--invocation-type', 'DryRun')).output).toEqual({ StatusCode: 204 });
    await lambda.idle();
    expect(lambda.executions('greeting')).toHaveLength(1);
  });

  test('passes the client context on', async () => {
    const encoded = Buffer.from('{"custom":{"build":"17"}}').toString('base64');
    const { payload } = await invoke(
      'arn:aws:lambda:us-east-1:123456789012:function:context',
      ...['--client-context', encoded],
    );
    expect(JSON.parse(payload)).toMatchObject({ clientContext: { custom: { build: '17' } } });
  });

  test.each([
    [
      'nope',
      [],
      /ResourceNotFoundException\).*Function not found: arn:aws:lambda:us-east-1:123456789012:function:nope/,
    ],
    ['throttled', [], /TooManyRequestsException\).*Rate Exceeded\./],
    ['echo', ['--payload', '{'], /InvalidRequestContentException\).*Could not parse request body into json/],
  ])('reports the error of %s', async (name, options, message) => {
    await expect(invoke(name, ...options)).rejects.toThrow(message);
  });

  test('reports a dropped connection', async () => {
    lambda.setFault(() => ({ kind: 'close', when: 'after' }));
    await expect(invoke('echo')).rejects.toThrow(/Connection was closed|RemoteDisconnected|closed/i);
    const sent = lambda.requests.length;
    expect(lambda.executions('echo')).toHaveLength(sent);
  });

  test('reads a function and waits for its update', async () => {
    expect(
      await aws('get-function-configuration', '--function-name', 'echo', '--qualifier', 'live'),
    ).toMatchObject({
      FunctionName: 'echo',
      FunctionArn: 'arn:aws:lambda:us-east-1:123456789012:function:echo:live',
      Version: '2',
      State: 'Active',
    });
    lambda.updateFunction('greeting', SAMPLE_FUNCTIONS.echo, { lasts: { polls: 1 } });
    const greeting = ['--function-name', 'greeting'];
    expect(await aws('get-function-configuration', ...greeting)).toMatchObject({
      LastUpdateStatus: 'InProgress',
    });
    await aws('wait', 'function-updated', ...greeting);
    expect((await invoke('greeting', '--payload', '{"a":1}')).payload).toBe('{"a":1}');
  });

  test('finds an invocation in the log and reads its stream', async () => {
    lambda.setFunction('greeting', SAMPLE_FUNCTIONS.greeting);
    await invoke('greeting', '--payload', '{"name":"Ada"}');
    const requestId = lambda.executions('greeting')[0]?.requestId;
    const group = ['--log-group-name', '/aws/lambda/greeting'];
    lambda.logs.setPaging({ events: 1, emptyPages: 1 });
    const found = await command('logs', [
      'filter-log-events',
      ...group,
      '--filter-pattern',
      `"${requestId}"`,
    ]);
    const events: { logStreamName: string; message: string }[] = Object(found).events;
    expect(events.map(({ message }) => message)).toEqual([
      `START RequestId: ${requestId} Version: $LATEST\n`,
      expect.stringMatching(/\tINFO\tGreeting Ada\n$/),
      `END RequestId: ${requestId}\n`,
      expect.stringMatching(/^REPORT RequestId: /),
    ]);
    lambda.logs.setPaging(undefined);
    const stream = ['--log-stream-name', events[0]?.logStreamName ?? '', '--start-from-head'];
    expect(await command('logs', ['get-log-events', ...group, ...stream])).toEqual({
      events: lambda.logs.written.map(({ timestamp, message, ingestionTime }) => ({
        timestamp,
        message,
        ingestionTime,
      })),
      nextForwardToken: expect.stringMatching(/^f\//),
      nextBackwardToken: expect.stringMatching(/^b\//),
    });
    await expect(
      command('logs', ['filter-log-events', '--log-group-name', '/aws/lambda/nope']),
    ).rejects.toThrow(/ResourceNotFoundException\).*The specified log group does not exist\./);
  });

  (hasBotocore() ? test : test.skip)(
    'reads the log by its library, whose paginators follow every token',
    async () => {
      lambda.setFunction('greeting', SAMPLE_FUNCTIONS.greeting);
      await invoke('greeting');
      const requestId = lambda.executions('greeting')[0]?.requestId;
      lambda.logs.setPaging({ events: 2, emptyPages: 2 });
      const parameters = ['-c', READ_LOG, '/aws/lambda/greeting', `"${requestId}"`];
      const response = JSON.parse((await run('python3', parameters, { env: environment() })).stdout);
      const written = lambda.logs.written.map(({ message }) => message);
      expect(response).toEqual({
        pages: 6,
        found: written.filter((message) => message.includes(requestId ?? '')),
        lines: written,
      });
    },
  );

  test('reads aliases and their provisioned concurrency', async () => {
    lambda.setFunction('deployed', {
      ...SAMPLE_FUNCTIONS.echo,
      aliases: { live: { version: '2', routing: [{ weights: { '1': 0.25 } }] }, previous: '1' },
      provisionedConcurrency: {
        live: { requested: 4, steps: [{ status: 'IN_PROGRESS', allocated: 3, available: 1 }] },
      },
    });
    const deployed = ['--function-name', 'deployed'];
    const live = {
      AliasArn: 'arn:aws:lambda:us-east-1:123456789012:function:deployed:live',
      Name: 'live',
      FunctionVersion: '2',
      Description: '',
      RoutingConfig: { AdditionalVersionWeights: { '1': 0.25 } },
      RevisionId: expect.any(String),
    };
    expect(await aws('get-alias', ...deployed, '--name', 'live')).toEqual(live);
    expect(await aws('list-aliases', ...deployed)).toEqual({
      Aliases: [live, expect.objectContaining({ Name: 'previous', FunctionVersion: '1' })],
    });
    const get = ['get-provisioned-concurrency-config', ...deployed, '--qualifier'];
    expect(await aws(...get, 'live')).toMatchObject({
      RequestedProvisionedConcurrentExecutions: 4,
      AllocatedProvisionedConcurrentExecutions: 3,
      AvailableProvisionedConcurrentExecutions: 1,
      Status: 'IN_PROGRESS',
    });
    await expect(aws(...get, 'previous')).rejects.toThrow(
      /\(ProvisionedConcurrencyConfigNotFoundException\).*No Provisioned Concurrency Config found for this function/,
    );
  });

  test('finds a test event', async () => {
    const registry = ['--registry-name', 'lambda-testevent-schemas'];
    const schema = await command('schemas', [
      'describe-schema',
      ...registry,
      '--schema-name',
      '_echo-schema',
    ]);
    expect(schema).toMatchObject({
      SchemaName: '_echo-schema',
      Type: 'OpenApi3',
      Content: expect.stringContaining('"order":{"value":{"key1":"from the test event"}'),
    });
  });

  (knows('lambda', 'stop-durable-execution') ? test : test.skip)('stops a durable execution', async () => {
    lambda.setFunction('durable', {
      ...SAMPLE_FUNCTIONS['durable-order'],
      handler: SAMPLE_FUNCTIONS.slow.handler,
    });
    const started = ['--qualifier', 'live', '--invocation-type', 'Event', '--payload', '{}'];
    const { output } = await invoke('durable', ...started);
    const execution = ['--durable-execution-arn', String(Object(output).DurableExecutionArn)];
    const reason = { ErrorType: 'Cancelled', ErrorMessage: 'by hand' };
    expect(await aws('stop-durable-execution', ...execution, '--error', JSON.stringify(reason))).toEqual({
      StopTimestamp: expect.anything(),
    });
    expect(await aws('get-durable-execution', ...execution)).toMatchObject({
      Status: 'STOPPED',
      Error: reason,
    });
  });

  (hasBotocore() ? test : test.skip)(
    'finds a test event by the calls of AWS SAM CLI, by its library',
    async () => {
      const read = ['-c', READ_TEST_EVENT, 'echo', 'order'];
      const { stdout } = await run('python3', read, { env: environment() });
      expect(JSON.parse(stdout)).toEqual({
        event: { key1: 'from the test event' },
        metadata: { invocationType: 'RequestResponse' },
      });
    },
  );

  (hasBotocore() ? test : test.skip)(
    'reads a stream, by its library: the command has no way to',
    async () => {
      const read = async (event: unknown): Promise<unknown> => {
        const parameters = ['-c', READ_STREAM, 'stream', JSON.stringify(event)];
        return JSON.parse((await run('python3', parameters, { env: environment() })).stdout);
      };
      expect(await read({ lines: 2 })).toEqual({
        version: '$LATEST',
        text: 'line 1\nline 2\n',
        complete: { LogResult: expect.any(String) },
      });
      expect(await read({ lines: 1, ending: 'throw' })).toEqual({
        version: '$LATEST',
        text: 'line 1\n',
        complete: {
          ErrorCode: 'RangeError',
          ErrorDetails: expect.stringContaining('The stream failed'),
          LogResult: expect.any(String),
        },
      });
    },
  );
});
