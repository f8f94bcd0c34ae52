import { Buffer } from 'node:buffer';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type LocalLambda, startLocalLambda } from '../../packages/local-lambda/server.ts';
import { ECHO, HANDLERS, invokeStep } from './step.ts';

// The same checks as in the acceptance tests of the Terraform provider's aws_lambda_invoke, for the action.

let lambda: LocalLambda;

beforeAll(async () => {
  lambda = await startLocalLambda({
    functions: {
      echo: {
        handler: ECHO,
        environment: { key3: 'value3' },
        versions: { 1: { environment: { key3: 'value3' } }, 2: { environment: { key3: 'newer' } } },
        aliases: { PROD: '1' },
      },
      context: { handler: `${HANDLERS}.contextOf` },
      logging: { handler: `${HANDLERS}.failing` },
      tenant: { handler: `${HANDLERS}.contextOf`, tenantIsolation: true },
      talkative: { handler: `${HANDLERS}.hostile` },
    },
  });
});
beforeEach(() => lambda.reset());
afterAll(() => lambda.close());

const KEYS = '{"key1":"value1","key2":"value2"}';

test('basic: the output has the response, byte for byte', async () => {
  const step = await invokeStep(lambda, { function_name: 'echo', payload: KEYS });
  expect(step.exitCode).toBe(0);
  expect(step.outputs['response']).toBe('{"key1":"value1","key2":"value2","key3":"value3"}');
  expect(step.outputs['outcome']).toBe('succeeded');
  expect(step.outputs['executed_version']).toBe('$LATEST');
  expect(step.stdout).toContain('Invoking echo in us-east-1 (RequestResponse)\n');
  expect(step.stdout).toContain('echo succeeded (status: 200, response: 49 bytes)\n');
  expect(lambda.executions('echo')).toHaveLength(1);
});

test.each([
  { how: 'the input', inputs: { function_name: 'echo', qualifier: '1' } },
  { how: 'the name', inputs: { function_name: 'echo:1' } },
  { how: 'an alias', inputs: { function_name: 'echo', qualifier: 'PROD' } },
  {
    how: 'an ARN',
    inputs: { function_name: 'arn:aws:lambda:us-east-1:123456789012:function:echo:1' },
  },
])('qualifier by $how: the published version responds', async ({ inputs }) => {
  const step = await invokeStep(lambda, { ...inputs, payload: KEYS });
  expect(step.exitCode).toBe(0);
  expect(step.outputs['response']).toBe('{"key1":"value1","key2":"value2","key3":"value3"}');
  expect(step.outputs['executed_version']).toBe('1');
});

describe('invocation types', () => {
  test('RequestResponse gives status 200', async () => {
    const step = await invokeStep(lambda, {
      function_name: 'echo',
      payload: KEYS,
      invocation_type: 'RequestResponse',
    });
    expect(step.outputs['status_code']).toBe('200');
  });

  test('Event gives status 202, and the function runs once', async () => {
    const step = await invokeStep(lambda, { function_name: 'echo', payload: KEYS, invocation_type: 'Event' });
    await lambda.idle();
    expect(step.exitCode).toBe(0);
    expect(step.outputs['status_code']).toBe('202');
    expect(step.outputs['response']).toBe('');
    expect(step.outputs['executed_version']).toBe('');
    expect(step.stdout).toContain('echo was invoked asynchronously (status: 202)\n');
    expect(lambda.executions('echo')).toHaveLength(1);
  });

  test.each([{ payload: KEYS }, {}])('DryRun gives status 204 and runs nothing', async (inputs) => {
    const step = await invokeStep(lambda, { ...inputs, function_name: 'echo', invocation_type: 'DryRun' });
    await lambda.idle();
    expect(step.exitCode).toBe(0);
    expect(step.outputs['status_code']).toBe('204');
    expect(step.stdout).toContain('echo can be invoked (status: 204)\n');
    expect(lambda.requests).toHaveLength(1);
    expect(lambda.executions()).toHaveLength(0);
  });
});

describe('log types', () => {
  test('None gives no log_result', async () => {
    const step = await invokeStep(lambda, { function_name: 'talkative', payload: '{}', log_type: 'None' });
    expect(step.outputs['log_result']).toBe('');
    expect(step.outputs['duration_ms']).toBe('');
    expect(step.lines.map(({ text }) => text)).not.toContain('Function log');
  });

  test('Tail gives the text that the function logged, and its figures', async () => {
    const step = await invokeStep(lambda, {
      function_name: 'logging',
      payload: '{"id":7}',
      log_type: 'Tail',
      fail_on_function_error: 'false',
    });
    expect(step.outputs['log_result']).toContain('INFO\tloading order 7\n');
    expect(step.outputs['log_result']).toContain(`START RequestId: ${step.outputs['request_id']} `);
    expect(Number(step.outputs['duration_ms'])).toBeGreaterThan(0);
    expect(Number(step.outputs['billed_duration_ms'])).toBeGreaterThanOrEqual(
      Number(step.outputs['duration_ms']),
    );
    expect(Number(step.outputs['init_duration_ms'])).toBeGreaterThan(0);
    expect(step.outputs['memory_size_mb']).toBe('128');
    expect(Number(step.outputs['max_memory_used_mb'])).toBeGreaterThan(0);
    expect(step.outputs['cold_starts']).toBe('1');
  });
});

describe('client context', () => {
  const document = '{"client":{"client_id":"test_client","app_version":"1.0.0"},"env":{"locale":"en_US"}}';

  test.each([
    { how: 'base64', text: Buffer.from(document).toString('base64') },
    { how: 'plain JSON', text: document },
    {
      how: 'base64 in lines',
      text: Buffer.from(document)
        .toString('base64')
        .replace(/(.{76})/g, '$1\n'),
    },
  ])("as $how arrives in the function's context", async ({ text }) => {
    const step = await invokeStep(lambda, { function_name: 'context', payload: '{}', client_context: text });
    expect(JSON.parse(step.outputs['response'] ?? '')).toEqual({
      clientContext: { client: { client_id: 'test_client', app_version: '1.0.0' }, env: { locale: 'en_US' } },
    });
  });
});

test('complex payload: nested objects are returned byte for byte', async () => {
  const step = await invokeStep(lambda, {
    function_name: 'echo',
    payload: '{"key1":{"subkey1":"subvalue1"},"key2":{"subkey2":"subvalue2","subkey3":{"a":"b"}}}',
  });
  expect(step.outputs['response']).toBe(
    '{"key1":{"subkey1":"subvalue1"},"key2":{"subkey2":"subvalue2","subkey3":{"a":"b"}},"key3":"value3"}',
  );
});

describe('tenant', () => {
  test('its ID arrives', async () => {
    const step = await invokeStep(lambda, { function_name: 'tenant', payload: '{}', tenant_id: 'tenant-1' });
    expect(JSON.parse(step.outputs['response'] ?? '')).toEqual({ tenantId: 'tenant-1' });
  });

  test("a tenant function called without one fails with AWS's message, and runs nothing", async () => {
    const step = await invokeStep(lambda, { function_name: 'tenant', payload: '{}' });
    expect(step.exitCode).toBe(1);
    expect(step.outputs['outcome']).toBe('not_invoked');
    expect(step.annotations).toHaveLength(1);
    expect(step.annotations[0]?.title).toBe('Failed to Invoke Lambda Function');
    expect(step.annotations[0]?.message).toContain(
      'The invoked function is enabled with tenancy configuration. Add a valid tenant ID in your request and try again.',
    );
    expect(lambda.executions('tenant')).toHaveLength(0);
  });
});
