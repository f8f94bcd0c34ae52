import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type LocalLambda, startLocalLambda } from '../../packages/local-lambda/server.ts';
import { signedBySdk } from '../sdk-signature.ts';
import { CODE_BLOCK, ECHO, HANDLERS, invokeStep } from './step.ts';

let lambda: LocalLambda;

beforeAll(async () => {
  lambda = await startLocalLambda({
    functions: {
      echo: { handler: ECHO },
      hostile: { handler: `${HANDLERS}.hostile` },
      'hostile-error': { handler: `${HANDLERS}.hostileError` },
      digest: { handler: `${HANDLERS}.digest`, timeoutSeconds: 20 },
      failing: { handler: `${HANDLERS}.failing` },
      crash: { handler: `${HANDLERS}.crash` },
      slow: { handler: `${HANDLERS}.slow`, timeoutSeconds: 0.3 },
      big: { handler: `${HANDLERS}.big` },
      tenant: { handler: ECHO, tenantIsolation: true },
    },
    deny: (request) => (request.functionName === 'forbidden' ? { kind: 'no-identity-policy' } : undefined),
  });
});
beforeEach(() => lambda.reset());
afterAll(() => lambda.close());

const messages = (step: { annotations: readonly { title: string; message: string }[] }): string[] =>
  step.annotations.map(({ title, message }) => `${title}\n${message}`);

describe('what is sent', () => {
  test('is one signed request with the unchanged payload and only the given parameters', async () => {
    const step = await invokeStep(lambda, { function_name: 'echo', payload: '{ "a" : 1.0 }' });
    expect(step.exitCode).toBe(0);
    expect(lambda.requests).toHaveLength(1);
    const [request] = lambda.requests;
    expect(request?.method).toBe('POST');
    expect(request?.path).toBe('/2015-03-31/functions/echo/invocations');
    expect(request?.query).toEqual({});
    expect(String(request?.body)).toBe('{ "a" : 1.0 }');
    expect(request?.headers['user-agent']).toMatch(
      /^aws-sdk-js\/[\d.]+ ua\/2\.1 os\/\w+#\S+ lang\/js md\/nodejs#[\d.]+ api\/lambda#[\d.]+ m\/[\w,]+ aws-lambda-invoke\/\d+\.\d+\.\d+$/,
    );
    expect(request?.headers['x-amz-client-context']).toBeUndefined();
    expect(request?.headers['x-amz-tenant-id']).toBeUndefined();
  });

  test.each([
    {
      what: 'an invocation with all headers and query parameters',
      inputs: {
        function_name: 'arn:aws:lambda:us-east-1:123456789012:function:echo',
        qualifier: '$LATEST',
        client_context: '{"custom":{"note":"a + b = c"}}',
        tenant_id: 'a tenant/with_signs:+=@',
        payload: '{"text":"ä漢😀"}',
      },
      operations: ['Invoke'],
    },
    {
      what: 'a state request and a stream',
      inputs: {
        function_name: 'echo',
        payload: '{}',
        wait_until_ready: 'true',
        qualifier: '$LATEST',
        response_stream: 'true',
      },
      operations: ['GetFunctionConfiguration', 'InvokeWithResponseStream'],
    },
  ])('is signed like the AWS SDK: $what', async ({ inputs, operations }) => {
    const credentials = {
      accessKeyId: 'ASIAIOSFODNN7EXAMPLE',
      secretAccessKey: 'a/secret+of/this+job',
      sessionToken: 'a/token+with=signs==',
    };
    await invokeStep(lambda, inputs, {
      env: {
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        AWS_SESSION_TOKEN: credentials.sessionToken,
      },
    });
    expect(lambda.requests.map(({ operation }) => operation)).toEqual(operations);
    for (const { headers, ...request } of lambda.requests) {
      const { authorization = '', 'x-amz-date': time = '' } = headers;
      const names = /SignedHeaders=([^,]*)/.exec(authorization)?.[1]?.split(';') ?? [];
      expect(names).toEqual(expect.arrayContaining(['host', 'x-amz-date', 'x-amz-security-token']));
      const signed = await signedBySdk(
        { ...request, headers: Object.fromEntries(names.map((name) => [name, headers[name] ?? ''])) },
        {
          credentials,
          region: 'us-east-1',
          date: new Date(time.replace(/(....)(..)(..T..)(..)(..Z)/, '$1-$2-$3:$4:$5')),
        },
      );
      expect(authorization).toBe(signed['authorization']);
    }
  });

  test('goes to the region in the ARN, whatever AWS_REGION is', async () => {
    await invokeStep(
      lambda,
      { function_name: 'arn:aws:lambda:us-east-1:123456789012:function:echo', payload: '{}' },
      { env: { AWS_REGION: 'eu-central-1' } },
    );
    expect(lambda.requests[0]?.headers['authorization']).toContain('/us-east-1/lambda/aws4_request');
  });

  test.each([
    ['AWS_DEFAULT_REGION', 'eu-north-1', { AWS_DEFAULT_REGION: 'eu-north-1' }],
    ['AWS_REGION', 'eu-west-1', { AWS_REGION: 'eu-west-1', AWS_DEFAULT_REGION: 'eu-north-1' }],
    ["the profile's region", 'sa-east-1', { AWS_CONFIG_FILE: 'config', AWS_DEFAULT_REGION: 'eu-north-1' }],
    ["the profile's region alone", 'sa-east-1', { AWS_CONFIG_FILE: 'config' }],
  ])('goes to the region from %s: %s', async (_, region, env) => {
    await invokeStep(
      lambda,
      { function_name: 'echo', payload: '{}' },
      { env: { AWS_REGION: '', ...env }, workspace: { config: '[default]\nregion = sa-east-1\n' } },
    );
    expect(lambda.requests[0]?.headers['authorization']).toContain(`/${region}/lambda/aws4_request`);
  });

  test.each([
    {
      what: 'the execution environment, like the SDK, if the job knows it',
      env: { AWS_EXECUTION_ENV: 'Runner of Ours/7' },
      said: / exec-env\/Runner-of-Ours\/7 .*aws-lambda-invoke\/\S+$/,
    },
    {
      what: 'the application, if the job knows it',
      env: { AWS_SDK_UA_APP_ID: 'nightly warm-up\n' },
      said: / app\/nightly-warm-up- aws-lambda-invoke\/\S+$/,
    },
    {
      what: 'the workflow run, for CloudTrail',
      env: { GITHUB_RUN_ID: '1658821493' },
      said: / aws-lambda-invoke\/\S+ run\/1658821493$/,
    },
  ])('has $what', async ({ env, said }) => {
    await invokeStep(lambda, { function_name: 'echo', payload: '{}' }, { env: { ...env } });
    expect(lambda.requests[0]?.headers['user-agent']).toMatch(said);
  });

  test('is not retried because of AWS_MAX_ATTEMPTS', async () => {
    lambda.setFault(() => ({ kind: 'reset', when: 'after' }));
    const step = await invokeStep(
      lambda,
      { function_name: 'echo', payload: '{}' },
      { env: { AWS_MAX_ATTEMPTS: '7', AWS_RETRY_MODE: 'adaptive' } },
    );
    expect(step.exitCode).toBe(1);
    expect(step.outputs['outcome']).toBe('unknown');
    expect(lambda.executions('echo')).toHaveLength(1);
    expect(messages(step)).toHaveLength(1);
    expect(messages(step)[0]).toContain('not known whether the function ran');
  });
});

describe('payload_file', () => {
  const document = (bytes: number): string => `{"text":"${'x'.repeat(bytes - 11)}"}`;

  test('of 6 MB arrives completely', async () => {
    const content = document(6_291_456);
    const step = await invokeStep(
      lambda,
      { function_name: 'digest', payload_file: 'events/large.json' },
      { workspace: { 'events/large.json': content } },
    );
    expect(content).toHaveLength(6_291_456);
    expect(step.outputs['response']).toBe(
      JSON.stringify({
        length: 6_291_445,
        sha256: createHash('sha256').update('x'.repeat(6_291_445)).digest('hex'),
      }),
    );
  });

  test('with one byte too many is rejected before it is sent', async () => {
    const step = await invokeStep(
      lambda,
      { function_name: 'digest', payload_file: 'large.json' },
      { workspace: { 'large.json': document(6_291_457) } },
    );
    expect(step.exitCode).toBe(1);
    expect(messages(step)).toEqual([
      expect.stringContaining('is 6,291,457 bytes; Lambda takes at most 6,291,456 for RequestResponse'),
    ]);
    expect(lambda.requests).toHaveLength(0);
  });
});

describe('invalid input', () => {
  test('is reported in one annotation, and nothing is sent', async () => {
    const step = await invokeStep(lambda, {
      function_name: 'echo',
      payload: '{"secret": Object}',
      invocation_type: 'async',
      summary: 'yes',
      region: 'Ireland',
    });
    expect(step.exitCode).toBe(1);
    expect(step.annotations).toHaveLength(1);
    const [annotation] = step.annotations;
    expect(annotation?.title).toBe('Invalid Input');
    expect(annotation?.message.split('\n')).toEqual([
      'invocation_type must be RequestResponse, Event or DryRun; got "async" (did you mean "Event"?).',
      'region must be the code of an AWS region, for example eu-west-1; got "Ireland".',
      expect.stringContaining('payload, line 1, column 12: '),
      'summary must be true or false; got "yes" (did you mean "true"?).',
    ]);
    expect(step.stdout).not.toContain('secret');
    expect(step.outputs).toEqual({ outcome: 'not_invoked' });
    expect(lambda.requests).toHaveLength(0);
  });

  test('that only has no effect gives a warning', async () => {
    const step = await invokeStep(lambda, {
      function_name: 'echo',
      payload: '{}',
      invocation_type: 'Event',
      log_type: 'Tail',
    });
    expect(step.exitCode).toBe(0);
    expect(step.annotations).toEqual([
      {
        level: 'warning',
        title: '',
        message:
          'log_type: Tail has no effect with invocation_type: Event; Lambda returns a log only for RequestResponse.',
      },
    ]);
    expect(lambda.requests[0]?.headers['x-amz-log-type']).not.toBe('Tail');
  });
});

describe('a function that fails', () => {
  test('fails the step with its type, message, own frames, request ID and log', async () => {
    const step = await invokeStep(lambda, {
      function_name: 'failing',
      payload: '{"id":7}',
      log_type: 'Tail',
    });
    expect(step.exitCode).toBe(1);
    expect(step.outputs['outcome']).toBe('function_error');
    expect(step.outputs['function_error']).toBe('Unhandled');
    expect(JSON.parse(step.outputs['response'] ?? '')).toMatchObject({
      errorType: 'TypeError',
      errorMessage: 'order 7 has no lines',
    });
    expect(step.annotations).toHaveLength(1);
    const [annotation] = step.annotations;
    expect(annotation?.level).toBe('error');
    expect(annotation?.title).toBe('Lambda Function Execution Error');
    const body = annotation?.message.split('\n') ?? [];
    expect(body[0]).toBe('TypeError: order 7 has no lines');
    expect(body[1]).toMatch(/^ {4}at fetchOrder \(.*functions\.mjs:\d+:\d+\)$/);
    expect(body[2]).toMatch(/^ {4}at .*failing \(.*functions\.mjs:\d+:\d+\)$/);
    expect(body.at(-2)).toBe(`Request ID: ${step.outputs['request_id']}`);
    expect(body.at(-1)).toMatch(/^Log: https:/);
    const log = step.lines.map(({ text }) => text);
    expect(log).toContain('Function log');
    expect(log.some((line) => line.endsWith('INFO\tloading order 7'))).toBe(true);
    expect(step.summary).toMatch(
      /^### ❌ `failing` failed: TypeError\n\n> \*\*`TypeError: order 7 has no lines`\*\*\\\n> `at fetchOrder /,
    );
    expect(step.outputs['failed']).toBe('1');
  });

  test('does not fail the step with fail_on_function_error: false, but is still reported', async () => {
    const step = await invokeStep(lambda, {
      function_name: 'failing',
      payload: '{"id":7}',
      fail_on_function_error: 'false',
    });
    expect(step.exitCode).toBe(0);
    expect(step.outputs['outcome']).toBe('function_error');
    expect(step.annotations.map(({ level }) => level)).toEqual(['warning']);
  });

  test.each([
    { name: 'crash', payload: '{}', error: 'Runtime.ExitError' },
    { name: 'slow', payload: '{}', error: 'Sandbox.Timedout' },
    { name: 'big', payload: '{"length":6291600}', error: 'Function.ResponseSizeTooLarge' },
  ])('with $error has that name', async ({ name, payload, error }) => {
    const step = await invokeStep(lambda, { function_name: name, payload });
    expect(step.exitCode).toBe(1);
    expect(messages(step)[0]).toContain(`Lambda Function Execution Error\n${error}: `);
  });
});

describe('hostile text', () => {
  test.each(['hostile', 'hostile-error'])('of the function %s gives no command', async (name) => {
    const step = await invokeStep(lambda, {
      function_name: name,
      payload: '{}',
      log_type: 'Tail',
      show_response: 'true',
      fail_on_function_error: 'false',
    });
    expect(step.exitCode).toBe(0);
    expect(step.masks).toEqual([]);
    expect(step.annotations.filter(({ level }) => level === 'error')).toEqual([]);
    expect(new Set(step.commands)).toEqual(
      new Set(
        name === 'hostile'
          ? ['group', 'stop-commands', 'endgroup']
          : ['group', 'stop-commands', 'endgroup', 'warning'],
      ),
    );
    expect(step.outputs['outcome']).toBe(name === 'hostile' ? 'succeeded' : 'function_error');
    expect(step.lines.map(({ text }) => text)).toContain(
      name === 'hostile' ? '::add-mask::a' : 'Function error',
    );
    // Outside of code, GitHub would notify the mentioned user.
    expect(
      step.summary.replace(CODE_BLOCK, '').replace(/(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)/g, ''),
    ).not.toContain('octocat');
  });
});

describe('an invocation that cannot start', () => {
  test.each([
    {
      what: 'an unknown function',
      inputs: { function_name: 'nope' },
      env: {},
      says: [
        'ResourceNotFoundException',
        'Function not found: arn:aws:lambda:us-east-1:123456789012:function:nope',
      ],
    },
    {
      what: 'a missing alias',
      inputs: { function_name: 'echo:live' },
      env: {},
      says: [
        'Lambda looked for echo:live in us-east-1, account 123456789012.',
        'aws lambda list-aliases --function-name echo --region us-east-1',
      ],
    },
    {
      what: 'a missing tenant',
      inputs: { function_name: 'tenant' },
      env: {},
      says: ['InvalidParameterValueException', 'Set tenant_id.'],
    },
    {
      what: 'a missing permission',
      inputs: { function_name: 'forbidden' },
      env: {},
      says: [
        'AccessDeniedException',
        'because no identity-based policy allows',
        '"Action":"lambda:InvokeFunction"',
      ],
    },
    {
      what: 'expired credentials',
      inputs: { function_name: 'echo' },
      env: { AWS_ACCESS_KEY_ID: 'AKIAEXPIRED0000000000' },
      says: ['ExpiredTokenException', 'role-duration-seconds'],
    },
    {
      what: 'unknown credentials',
      inputs: { function_name: 'echo' },
      env: { AWS_ACCESS_KEY_ID: 'AKIAUNKNOWN0000000000' },
      says: ['UnrecognizedClientException', 'AWS does not know'],
    },
    {
      what: 'no credentials',
      inputs: { function_name: 'echo' },
      env: { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' },
      says: ['aws-actions/configure-aws-credentials', 'permissions:\n  id-token: write'],
    },
    {
      what: 'no credentials on a pull request',
      inputs: { function_name: 'echo' },
      env: { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', GITHUB_EVENT_NAME: 'pull_request' },
      says: ['A pull request from a fork has no secrets and no OIDC token.'],
    },
    {
      what: 'no region',
      inputs: { function_name: 'echo' },
      env: { AWS_REGION: '' },
      says: ['No AWS region: Region is missing', 'Set the input region or AWS_REGION'],
    },
    {
      what: 'an endpoint that is down',
      inputs: { function_name: 'echo', retry: 'never' },
      env: { AWS_ENDPOINT_URL_LAMBDA: 'http://127.0.0.1:1' },
      says: ['ECONNREFUSED', 'AWS_ENDPOINT_URL_LAMBDA'],
    },
    {
      what: 'an endpoint for all services that is down',
      inputs: { function_name: 'echo', retry: 'never' },
      env: { AWS_ENDPOINT_URL_LAMBDA: '', AWS_ENDPOINT_URL: 'http://127.0.0.1:1' },
      says: ['ECONNREFUSED', 'Check the region, AWS_ENDPOINT_URL and'],
    },
  ])('because of $what has a specific message', async ({ inputs, env, says }) => {
    const step = await invokeStep(lambda, { ...inputs, payload: '{}' }, { env });
    expect(step.exitCode).toBe(1);
    expect(step.outputs['outcome']).toBe('not_invoked');
    expect(messages(step)).toHaveLength(1);
    for (const words of says) expect(messages(step)[0]).toContain(words);
    expect(messages(step)[0]).toMatch(/^Failed to Invoke Lambda Function\n/);
    expect(lambda.executions()).toHaveLength(0);
  });
});

test('the message on a pull request from a fork starts with the missing credentials', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'event-'));
  const event = path.join(folder, 'event.json');
  const head = { repo: { id: 2, fork: true } };
  writeFileSync(event, JSON.stringify({ pull_request: { head, base: { repo: { id: 1, fork: false } } } }));
  const env = { GITHUB_EVENT_NAME: 'pull_request', GITHUB_EVENT_PATH: event, AWS_SECRET_ACCESS_KEY: '' };
  const inputs = { function_name: 'echo', payload: '{}' };
  const without = await invokeStep(lambda, inputs, { env: { ...env, AWS_ACCESS_KEY_ID: '' } });
  const withHalf = await invokeStep(lambda, inputs, { env });
  rmSync(folder, { recursive: true });
  for (const step of [without, withHalf]) {
    expect(step.exitCode).toBe(1);
    expect(messages(step)[0]).toContain('This pull request is from a fork.');
    expect(messages(step)[0]).toContain('\nif: github.event.pull_request.head.repo.fork == false');
    expect(messages(step)[0]).not.toContain('id-token: write');
  }
  expect(lambda.requests).toEqual([]);
});

describe('the response', () => {
  test('is in the outputs, and in the log only with show_response', async () => {
    const hidden = await invokeStep(lambda, { function_name: 'echo', payload: '{"token":"hunter2"}' });
    const shown = await invokeStep(lambda, {
      function_name: 'echo',
      payload: '{"token":"hunter2"}',
      show_response: 'true',
    });
    expect(hidden.outputs['response']).toBe('{"token":"hunter2"}');
    expect(hidden.stdout).not.toContain('hunter2');
    expect(hidden.stdout).toContain('show_response: true');
    expect(shown.lines.map(({ text }) => text)).toContain('{"token":"hunter2"}');
  });

  test('is never in the summary, which summary: false leaves empty', async () => {
    const step = await invokeStep(lambda, { function_name: 'echo', payload: '{"token":"hunter2"}' });
    const silent = await invokeStep(lambda, { function_name: 'echo', payload: '{}', summary: 'false' });
    expect(step.summary).toMatch(/^### ✅ `echo` succeeded\n\nversion `\$LATEST` · /);
    expect(step.summary).not.toContain('hunter2');
    expect(silent.summary).toBe('');
    expect(silent.exitCode).toBe(0);
  });
});

test('the outcomes file contains the outcomes, one per line', async () => {
  const step = await invokeStep(lambda, { function_name: 'echo', payload: '{"a":1}' });
  const outcomes: unknown = JSON.parse(step.outputs['outcomes'] ?? '');
  expect(outcomes).toEqual([
    {
      index: 0,
      function_name: 'echo',
      region: 'us-east-1',
      invocation_type: 'RequestResponse',
      outcome: 'succeeded',
      started_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      elapsed_ms: expect.any(Number),
      status_code: 200,
      attempts: 1,
      executed_version: '$LATEST',
      request_id: step.outputs['request_id'],
      log_url: step.outputs['log_url'],
      response: { a: 1 },
    },
  ]);
  expect(step.outcomeLines.map((line) => JSON.parse(line))).toEqual(outcomes);
});
