// At least one test for each promise of the README, with its name. The other suites have the details.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type LocalLambda, startLocalLambda, throttle } from '../../packages/local-lambda/server.ts';
import { signalTest } from '../signals.ts';
import { CODE_BLOCK, HANDLERS, invokeStep } from './step.ts';

let lambda: LocalLambda;
beforeAll(async () => {
  lambda = await startLocalLambda({
    functions: {
      migrate: { handler: `${HANDLERS}.contextOf` },
      orders: { handler: `${HANDLERS}.failing` },
      slow: { handler: `${HANDLERS}.slow`, timeoutSeconds: 60 },
      hostile: { handler: `${HANDLERS}.hostile` },
      secretive: { handler: `${HANDLERS}.secretive` },
    },
  });
});
beforeEach(() => lambda.reset());
afterAll(() => lambda.close());

describe('the README promises', () => {
  test('At most once: a connection that drops after the function ran is one execution, and unknown', async () => {
    lambda.setFault(() => ({ kind: 'reset', when: 'after' }));
    const step = await invokeStep(lambda, { function_name: 'migrate', payload: '{}' });
    expect(lambda.executions('migrate')).toHaveLength(1);
    expect(lambda.requests).toHaveLength(1);
    expect({ exitCode: step.exitCode, outcome: step.outputs['outcome'] }).toEqual({
      exitCode: 1,
      outcome: 'unknown',
    });
    expect(step.annotations[0]?.message).toContain('not known whether the function ran');
  });

  test('At most once: an invocation that did not run is retried', async () => {
    lambda.setFault((_, n) => (n === 0 ? throttle('ConcurrentInvocationLimitExceeded') : undefined));
    const step = await invokeStep(lambda, { function_name: 'migrate', payload: '{}' });
    expect(step.exitCode).toBe(0);
    expect(lambda.executions('migrate')).toHaveLength(1);
  });

  test.each([
    { what: 'a function that failed', inputs: { function_name: 'orders', payload: '{"id": 17}' }, ran: 1 },
    {
      what: 'an expectation that is not met',
      inputs: { function_name: 'migrate', payload: '{}', expect: 'response.none == `1`' },
      ran: 1,
    },
    {
      what: 'a misspelled input, before anything is invoked',
      inputs: { function_name: 'migrate', payload: '{}', expects: 'response.none == `1`' },
      ran: 0,
    },
  ])('Never a false green: $what fails the step', async ({ inputs, ran }) => {
    const step = await invokeStep(lambda, inputs);
    expect(step.exitCode).toBe(1);
    expect(lambda.executions()).toHaveLength(ran);
  });

  test('Never a blind red: annotation and summary have the error, its stack and the request ID, the log has the tail', async () => {
    const step = await invokeStep(lambda, {
      function_name: 'orders',
      payload: '{"id": 17}',
      log_type: 'Tail',
    });
    expect(step.exitCode).toBe(1);
    const [annotation] = step.annotations;
    expect(annotation?.title).toBe('Lambda Function Execution Error');
    expect(annotation?.message).toContain('TypeError: order 17 has no lines\n    at fetchOrder (');
    expect(annotation?.message).toContain(`Request ID: ${step.outputs['request_id']}`);
    expect(step.summary).toMatch(/^### ❌ `orders` failed: TypeError\n/);
    expect(step.summary).toContain('order 17 has no lines');
    expect(step.lines.map(({ text }) => text).join('\n')).toContain('loading order 17');
  });

  test('Nothing lost: outputs, outcomes file and summary are there when the function failed', async () => {
    const step = await invokeStep(lambda, { function_name: 'orders', payload: '{"id": 17}' });
    expect(step.exitCode).toBe(1);
    expect(step.outputs).toMatchObject({
      outcome: 'function_error',
      function_error: 'Unhandled',
      failed: '1',
    });
    expect(step.outcomeLines.map((line) => JSON.parse(line).outcome)).toEqual(['function_error']);
    expect(step.summary).toContain('failed');
  });

  signalTest(
    'Nothing lost: they are there when the workflow is cancelled, with what was done before',
    async () => {
      const step = await invokeStep(
        lambda,
        {
          max_concurrency: '1',
          invocations:
            '[{ function_name: migrate, payload: {} }, { function_name: slow, payload: { ms: 9000 } }]',
        },
        {
          onStart: (child) => {
            const poll = setInterval(() => {
              if (lambda.executions('slow').length === 0) return;
              clearInterval(poll);
              child.kill('SIGINT');
            }, 20);
          },
        },
      );
      expect(step.exitCode).toBe(1);
      expect(step.outputs).toMatchObject({ total: '2', succeeded: '1', failed: '1' });
      expect(step.outcomeLines.map((line) => JSON.parse(line).outcome)).toEqual(['succeeded', 'unknown']);
      expect(step.summary).toContain('may have run');
    },
  );

  test('Nothing leaks: the log and the response of a function are neither a command nor Markdown', async () => {
    const step = await invokeStep(lambda, {
      function_name: 'hostile',
      payload: '{}',
      log_type: 'Tail',
      show_response: 'true',
    });
    expect(step.exitCode).toBe(0);
    expect({ annotations: step.annotations, masks: step.masks }).toEqual({ annotations: [], masks: [] });
    expect(step.outputs['outcome']).toBe('succeeded');
    expect(step.lines.map(({ text }) => text)).toContain('::error::x');
    expect(step.summary).toContain('::error::x');
    expect(step.summary.replace(CODE_BLOCK, '')).not.toContain('error');
  });

  test('Nothing leaks: a response is not shown by default, and a masked value never', async () => {
    const [token, key] = ['hunter2-and-more', 'first line\nsecond line'];
    const inputs = { function_name: 'secretive', payload: JSON.stringify({ token, key, pin: 4711 }) };
    const quiet = await invokeStep(lambda, inputs);
    expect(quiet.stdout + quiet.summary).not.toContain(token);
    const masked = await invokeStep(lambda, { ...inputs, show_response: 'true', mask: 'response.token' });
    expect(masked.masks).toContain(token);
    expect(masked.stdout.replace(`::add-mask::${token}`, '')).not.toContain(token);
    expect(masked.summary + masked.outcomeLines.join('')).not.toContain(token);
  });
});
