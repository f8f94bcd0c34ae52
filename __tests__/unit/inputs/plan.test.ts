import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import { makePlan } from '../../../src/inputs/plan.ts';
import { InvalidInputError } from '../../../src/inputs/problems.ts';
import { createJob, inputs, invocationFor, planFor, problemsFor, SOURCES } from './factory.ts';

describe('a plan', () => {
  test('contains one complete invocation and the defaults of the step', async () => {
    expect(await planFor({})).toEqual({
      invocations: [
        {
          index: 0,
          functionName: 'my-function',
          reference: { name: 'my-function' },
          invocationType: 'RequestResponse',
          logType: 'None',
          keepsLog: true,
          payload: Buffer.from('{"action": "warmup"}'),
        },
      ],
      maxConcurrency: 10,
      policy: { timeoutMs: 960_000, retry: 'safe', retryMs: 180_000 },
      waitUntilReady: false,
      waitForEvent: false,
      waitForDurableExecution: false,
      onCancel: 'leave',
      stopOnFailure: false,
      responseStream: false,
      proxy: {},
      expressions: { expect: [], mask: [] },
      responseFile: undefined,
      failOnFunctionError: true,
      followLog: false,
      showResponse: false,
      writeSummary: true,
      warnings: [],
      notes: [],
    });
  });

  test('contains every given input', async () => {
    const plan = await planFor({
      function_name: '123456789012:function:my-function',
      payload: '[1]',
      qualifier: 'PROD',
      invocation_type: 'RequestResponse',
      log_type: 'Tail',
      client_context: 'e30=',
      tenant_id: 'tenant-1',
      durable_execution_name: 'order-7',
      region: 'eu-central-1',
      timeout_seconds: '30',
      retry: 'idempotent',
      retry_seconds: '0',
      stop_on_failure: 'true',
      wait_until_ready: 'true',
      wait_for_durable_execution: 'true',
      fail_on_function_error: 'false',
      expect: 'response',
      query: 'response',
      follow_log: 'true',
      show_response: 'true',
      mask: 'response',
      response_file: 'out/response.json',
      summary: 'false',
    });
    expect(plan).toEqual({
      invocations: [
        {
          index: 0,
          functionName: '123456789012:function:my-function',
          reference: { name: 'my-function', accountId: '123456789012' },
          qualifier: 'PROD',
          region: 'eu-central-1',
          invocationType: 'RequestResponse',
          logType: 'Tail',
          keepsLog: true,
          payload: Buffer.from('[1]'),
          clientContext: 'e30=',
          tenantId: 'tenant-1',
          durableExecutionName: 'order-7',
        },
      ],
      maxConcurrency: 10,
      policy: { timeoutMs: 30_000, retry: 'idempotent', retryMs: 0 },
      waitUntilReady: true,
      waitForEvent: false,
      waitForDurableExecution: true,
      onCancel: 'leave',
      stopOnFailure: true,
      responseStream: false,
      proxy: {},
      expressions: {
        expect: ['response'],
        query: 'response',
        mask: ['response'],
        search: expect.any(Function),
        parseTree: expect.any(Function),
      },
      responseFile: expect.stringMatching(/[/\\]workspace[/\\]out[/\\]response\.json$/),
      failOnFunctionError: false,
      followLog: true,
      showResponse: true,
      writeSummary: false,
      warnings: ['stop_on_failure has no effect with one invocation.'],
      notes: [],
    });
  });

  test('is frozen, including its lists and invocations', async () => {
    const { environment } = await createJob();
    const plan = await makePlan(inputs({}), environment, SOURCES);
    const lists = [plan.invocations, plan.warnings, plan.notes];
    const parts = [plan, ...lists, ...plan.invocations, plan.policy, plan.proxy];
    expect(parts.map((part) => Object.isFrozen(part))).toEqual(parts.map(() => true));
  });

  test('has no qualifier by default', async () => {
    expect(Object.keys(await invocationFor({}))).toEqual([
      'functionName',
      'reference',
      'invocationType',
      'logType',
      'keepsLog',
      'payload',
      'index',
    ]);
  });
});

describe('an input without effect', () => {
  test.each(['Event', 'DryRun'])('log_type: Tail gets a warning and is not sent with %s', async (type) => {
    const plan = await planFor({ invocation_type: type, log_type: 'Tail' });
    expect(plan.warnings).toEqual([
      `log_type: Tail has no effect with invocation_type: ${type}; Lambda returns a log only for RequestResponse.`,
    ]);
    expect(plan.invocations[0]?.logType).toBe('None');
  });

  test.each(['Event', 'DryRun'])('client_context gets a warning and is not sent with %s', async (type) => {
    const plan = await planFor({ invocation_type: type, client_context: '{"custom": {}}' });
    expect(plan.warnings).toEqual([
      `client_context has no effect with invocation_type: ${type}; it reaches a function only with RequestResponse.`,
    ]);
    expect(plan.invocations.map((invocation) => 'clientContext' in invocation)).toEqual([false]);
  });

  test('each gets its own warning', async () => {
    const plan = await planFor({ invocation_type: 'Event', log_type: 'Tail', client_context: '{}' });
    expect(plan.warnings).toEqual([
      expect.stringContaining('log_type: Tail'),
      expect.stringContaining('client_context'),
    ]);
  });

  test('gets no warning if it has an effect', async () => {
    const plan = await planFor({ log_type: 'Tail', client_context: '{}' });
    expect(plan.warnings).toEqual([]);
    expect(plan.invocations).toEqual([expect.objectContaining({ logType: 'Tail', clientContext: 'e30=' })]);
  });
});

describe('problems', () => {
  const everythingWrong = {
    function_name: 'my function',
    payload: '{"password": hunter2}',
    qualifier: 'not a qualifier',
    invocation_type: 'evnt',
    log_type: 'tale',
    client_context: 'hunter2',
    tenant_id: 'a,b',
    region: 'europe',
    timeout_seconds: '0',
    retry: 'always',
    retry_seconds: '-1',
    fail_on_function_error: 'yes',
    show_response: '1',
    summary: 'on',
  };

  test('are all reported together, one per line', async () => {
    const problems = await problemsFor(everythingWrong);
    expect(problems.map((problem) => problem.split(/[ ,]/)[0]).sort()).toEqual([
      'client_context',
      'fail_on_function_error',
      'function_name',
      'invocation_type',
      'log_type',
      'payload',
      'qualifier',
      'region',
      'retry',
      'retry_seconds',
      'show_response',
      'summary',
      'tenant_id',
      'timeout_seconds',
    ]);
  });

  test('are thrown as one InvalidInputError with all of them in its message', async () => {
    const { environment } = await createJob();
    const refused = makePlan(inputs({ region: 'europe', summary: 'on' }), environment, SOURCES);
    await expect(refused).rejects.toBeInstanceOf(InvalidInputError);
    await expect(refused).rejects.toMatchObject({
      name: 'InvalidInputError',
      message:
        'region must be the code of an AWS region, for example eu-west-1; got "europe".\n' +
        'summary must be true or false; got "on" (did you mean "true"?).',
    });
  });

  test('never quote the payload or the client context', async () => {
    expect((await problemsFor(everythingWrong)).filter((problem) => problem.includes('hunter2'))).toEqual([]);
  });

  test('quote a long value on one line, cut to 120 characters', async () => {
    const [problem] = await problemsFor({ log_type: `Tail\n${'x'.repeat(200)}` });
    expect(problem).toContain(`got "Tail\\n${'x'.repeat(115)}…"`);
    expect(problem).not.toContain('\n');
  });
});
