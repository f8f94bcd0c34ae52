import { LambdaClient, StopDurableExecutionCommand } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { SAMPLE_FUNCTIONS } from '../../packages/local-lambda/sample-functions.ts';
import {
  type Fault,
  type LambdaRequest,
  type LocalLambda,
  startLocalLambda,
} from '../../packages/local-lambda/server.ts';
import { signalTest } from '../signals.ts';
import { ECHO, type InvokeStep, invokeStep } from './step.ts';

const ORDER = SAMPLE_FUNCTIONS['durable-order'];
const denied = new Set<string | undefined>();
let lambda: LocalLambda;
let number = 0;

beforeAll(async () => {
  lambda = await startLocalLambda({
    functions: {
      // A second of the durable execution takes a tenth of one.
      order: { ...ORDER, durable: { executionTimeoutSeconds: 300, timeScale: 0.1 } },
      impatient: { ...ORDER, durable: { executionTimeoutSeconds: 1 } },
      long: { ...ORDER, durable: { executionTimeoutSeconds: 901 } },
      echo: { handler: ECHO, versions: { 1: {} } },
    },
    deny: ({ operation }) => (denied.has(operation) ? { kind: 'no-identity-policy' } : undefined),
  });
});
beforeEach(() => {
  lambda.reset();
  denied.clear();
  number += 1;
});
afterAll(() => lambda.close());

/** A name that no other test has. */
const name = (): string => `order-${number}`;
const texts = (step: { lines: readonly { text: string }[] }): string[] => step.lines.map(({ text }) => text);
const messages = (step: InvokeStep): string[] => step.annotations.map(({ message }) => message);
const started = () => lambda.durableExecutions('order');
const operations = (): (string | undefined)[] => lambda.requests.map(({ operation }) => operation);

/** Starts an execution with Event and follows it, unless the inputs say otherwise. */
function orderStep(
  event: unknown,
  inputs: Readonly<Record<string, string>> = {},
  options: Parameters<typeof invokeStep>[2] = {},
): Promise<InvokeStep> {
  return invokeStep(
    lambda,
    {
      function_name: 'order',
      qualifier: 'live',
      payload: JSON.stringify(event),
      invocation_type: 'Event',
      durable_execution_name: name(),
      wait_for_durable_execution: 'true',
      ...inputs,
    },
    options,
  );
}

const HISTORY = [
  'step validate-order started',
  'step validate-order succeeded',
  'step charge-payment started',
  'step charge-payment succeeded',
  'wait settlement started (1 s)',
  'wait settlement succeeded',
  'step ship-order started',
  'step ship-order succeeded',
].map((line) => `order:live: ${line}`);
const FAILED_QUESTION = 'order:live: could not read the durable execution';
const historyIn = (step: InvokeStep): string[] =>
  texts(step).filter((text) => text.startsWith('order:live: ') && !text.startsWith(FAILED_QUESTION));

describe('an execution of three steps and a wait', () => {
  const ANSWER = { orderId: 'A-7', paymentId: 'P-A-7', status: 'shipped' };

  test('started with Event ends succeeded with its response, and by the same name does not run again', async () => {
    const first = await orderStep({ orderId: 'A-7' });
    expect(first.exitCode).toBe(0);
    expect(first.outputs).toMatchObject({
      outcome: 'succeeded',
      status_code: '202',
      durable_execution_arn: expect.stringMatching(/:function:order:\d+\/durable-execution\/order-\d+\/.+$/),
    });
    expect(JSON.parse(first.outputs['response'] ?? '')).toEqual(ANSWER);
    expect(JSON.parse(first.outcomeLines[0] ?? '')).toMatchObject({ outcome: 'succeeded', response: ANSWER });
    expect(historyIn(first)).toEqual(HISTORY);
    expect(texts(first)).toContain(
      `order:live completed its durable execution (status: 202, response: ${first.outputs['response']?.length} bytes)`,
    );
    expect(started().map(({ status }) => status)).toEqual(['SUCCEEDED']);
    const ran = lambda.executions('order').length;

    const again = await orderStep({ orderId: 'A-7' });
    expect(again.exitCode).toBe(0);
    expect(again.outputs).toMatchObject({
      response: first.outputs['response'],
      durable_execution_arn: first.outputs['durable_execution_arn'],
    });
    expect(started()).toHaveLength(1);
    expect(lambda.executions('order')).toHaveLength(ran);
  });

  test('started with RequestResponse has its steps in the log too', async () => {
    const step = await orderStep({ orderId: 'A-7' }, { invocation_type: 'RequestResponse' });
    expect(JSON.parse(step.outputs['response'] ?? '')).toEqual(ANSWER);
    expect(step.outputs['status_code']).toBe('200');
    expect(historyIn(step)).toEqual(HISTORY);
  });

  test('is not followed where nobody wants to wait', async () => {
    const step = await orderStep({}, { wait_for_durable_execution: 'false' });
    await lambda.idle();
    expect(step.outputs).toMatchObject({ outcome: 'succeeded', response: '' });
    expect(step.outputs['durable_execution_arn']).not.toBe('');
    expect(operations()).not.toContain('GetDurableExecution');
  });

  test('tells each step once, although requests on the way are lost', async () => {
    const lost: Fault = { kind: 'reset', when: 'after' };
    const counts = new Map<string | undefined, number>();
    lambda.setFault(({ operation }: LambdaRequest) => {
      if (operation !== 'GetDurableExecution' && operation !== 'GetDurableExecutionHistory') return undefined;
      const count = (counts.get(operation) ?? 0) + 1;
      counts.set(operation, count);
      return count % 3 === 1 ? lost : undefined;
    });
    // Long enough for the beginning of the history to be read more than once.
    const step = await orderStep({ orderId: 'A-7', waitSeconds: 25 });
    expect(step.exitCode).toBe(0);
    expect(
      operations().filter((operation) => operation === 'GetDurableExecutionHistory').length,
    ).toBeGreaterThan(2);
    expect(historyIn(step)).toEqual(HISTORY.map((line) => line.replace('(1 s)', '(25 s)')));
    expect(texts(step)).toContainEqual(
      expect.stringMatching(/could not read the durable execution \(ECONNRESET\)\. Retrying in \d\.\d s\.$/),
    );
    expect(JSON.parse(step.outputs['response'] ?? '')).toEqual(ANSWER);
  });
});

describe('an execution that', () => {
  test('fails is a function error with its own error', async () => {
    const step = await orderStep({ orderId: 'A-7', fail: true });
    expect(step.exitCode).toBe(1);
    expect(step.outputs).toMatchObject({ outcome: 'function_error', function_error: 'FAILED' });
    expect(step.annotations.map(({ title }) => title)).toEqual(['Lambda Function Execution Error']);
    expect(messages(step)[0]).toContain('The card of order A-7 was declined.');
    expect(historyIn(step)).toContain('order:live: step charge-payment failed');
  });

  test('tries a step again says so', async () => {
    const step = await orderStep({ retries: 1 });
    expect(step.exitCode).toBe(0);
    expect(historyIn(step)).toContain('order:live: step charge-payment failed; retrying in 1 s');
  });

  test('times out is a function error', async () => {
    const step = await orderStep({ approval: true }, { function_name: 'impatient' });
    expect(step.outputs).toMatchObject({ outcome: 'function_error', function_error: 'TIMED_OUT' });
  });

  test('is stopped from outside is a function error', async () => {
    const client = new LambdaClient({
      endpoint: lambda.url,
      region: lambda.region,
      credentials: { accessKeyId: 'AKIAEXAMPLE000000000', secretAccessKey: 'secret' },
    });
    const step = await orderStep(
      { approval: true },
      {},
      {
        onStart: (child) => {
          child.stdout?.on('data', (chunk) => {
            const [{ arn } = { arn: '' }] = started();
            if (!String(chunk).includes('callback approval started')) return;
            void client.send(new StopDurableExecutionCommand({ DurableExecutionArn: arn }));
          });
        },
      },
    );
    client.destroy();
    expect(step.exitCode).toBe(1);
    expect(step.outputs).toMatchObject({ outcome: 'function_error', function_error: 'STOPPED' });
  });

  signalTest('goes on when the workflow is cancelled says so, with its ARN', async () => {
    const step = await orderStep(
      { approval: true },
      {},
      {
        onStart: (child) => {
          child.stdout?.on('data', (chunk) => {
            if (String(chunk).includes('callback approval started')) child.kill('SIGINT');
          });
        },
      },
    );
    expect(step.exitCode).toBe(1);
    const [{ arn, status } = { arn: '', status: '' }] = started();
    expect(status).toBe('RUNNING');
    expect(step.outputs).toMatchObject({ outcome: 'unknown', durable_execution_arn: arn });
    const [message = ''] = messages(step);
    expect(message).toContain(
      'Cancelled: the workflow was cancelled while the durable execution was running.',
    );
    expect(message).toContain(`continues on its own: ${arn}.`);
    expect(message).toContain(`aws lambda stop-durable-execution --durable-execution-arn '${arn}'`);
    expect(message).toContain(
      'Run this step again with the same durable_execution_name and payload to join it.',
    );
    expect(operations()).not.toContain('StopDurableExecution');
  });

  test('takes longer than timeout_seconds is unknown, and goes on', async () => {
    const step = await orderStep({ approval: true }, { timeout_seconds: '2' });
    expect(step.outputs['outcome']).toBe('unknown');
    expect(messages(step)[0]).toContain(
      'DeadlineExceeded: timed out while the durable execution was running.',
    );
    expect(started().map(({ status }) => status)).toEqual(['RUNNING']);
  });
});

describe('a lost answer', () => {
  test('is asked for again by name, and the execution is one', async () => {
    lambda.setFault(({ operation }, n) =>
      n === 0 && operation === 'Invoke' ? { kind: 'reset', when: 'after' } : undefined,
    );
    const step = await orderStep({ orderId: 'A-7' });
    expect(step.exitCode).toBe(0);
    expect(step.outputs['attempts']).toBe('2');
    expect(started()).toHaveLength(1);
  });

  test('of a function that is not durable is not, whatever the name', async () => {
    lambda.setFault(({ operation }) =>
      operation === 'Invoke' ? { kind: 'reset', when: 'after' } : undefined,
    );
    const step = await orderStep(
      { a: 1 },
      { function_name: 'echo', qualifier: '1', invocation_type: 'RequestResponse' },
    );
    expect(step.outputs).toMatchObject({ outcome: 'unknown', attempts: '1' });
    expect(messages(step)[0]).toContain(
      'not retried: the configuration does not show that the function is durable',
    );
    expect(lambda.executions('echo')).toHaveLength(1);
  });
});

describe('a mistake is explained:', () => {
  test('a name that was used with another payload', async () => {
    await orderStep({ orderId: 'A-7' });
    const step = await orderStep({ orderId: 'B-8' });
    expect(step.exitCode).toBe(1);
    expect(step.outputs['outcome']).toBe('not_invoked');
    expect(messages(step)[0]).toContain(
      'was started with another payload. Use another name, or the same payload.',
    );
  });

  test('no qualifier', async () => {
    const step = await orderStep({}, { qualifier: '' });
    expect(step.outputs['outcome']).toBe('not_invoked');
    expect(messages(step)[0]).toContain('A durable function needs a qualifier');
  });

  test('a synchronous invocation of one that may take too long', async () => {
    const step = await orderStep({}, { function_name: 'long', invocation_type: 'RequestResponse' });
    expect(step.outputs['outcome']).toBe('not_invoked');
    expect(messages(step)[0]).toContain('Set invocation_type: Event');
  });

  test('a function that is not durable', async () => {
    const step = await orderStep({}, { function_name: 'echo', qualifier: '1' });
    expect(step.exitCode).toBe(0);
    expect(step.annotations).toEqual([
      {
        level: 'warning',
        title: '',
        message:
          'wait_for_durable_execution has nothing to wait for: Lambda started no durable execution of echo:1. Check that the function is durable.',
      },
    ]);
  });
});

describe('where following is denied', () => {
  test('the outcome of an event is unknown, with the statement to add', async () => {
    denied.add('GetDurableExecution').add('GetDurableExecutionHistory');
    const step = await orderStep({});
    expect(step.outputs['outcome']).toBe('unknown');
    const error = step.annotations.find(({ level }) => level === 'error')?.message.split('\n') ?? [];
    const arn = 'arn:aws:lambda:us-east-1:123456789012:function:order';
    expect(JSON.parse(error.find((line) => line.startsWith('{')) ?? '{}')).toEqual({
      Effect: 'Allow',
      Action: ['lambda:GetDurableExecution', 'lambda:GetDurableExecutionHistory'],
      Resource: [arn, `${arn}:*`],
    });
  });

  test('a synchronous answer stands, and a warning says what is missing', async () => {
    denied.add('GetDurableExecution').add('GetDurableExecutionHistory');
    const step = await orderStep({ orderId: 'A-7' }, { invocation_type: 'RequestResponse' });
    expect(step.exitCode).toBe(0);
    expect(step.outputs['outcome']).toBe('succeeded');
    expect(step.annotations.map(({ level }) => level)).toEqual(['warning']);
    expect(messages(step)[0]).toContain(
      'To see them, allow lambda:GetDurableExecution and lambda:GetDurableExecutionHistory.',
    );
  });

  test('the history alone is missed, and the execution followed', async () => {
    denied.add('GetDurableExecutionHistory');
    const step = await orderStep({ orderId: 'A-7' });
    expect(step.exitCode).toBe(0);
    expect(step.outputs['outcome']).toBe('succeeded');
    expect(step.annotations.map(({ level }) => level)).toEqual(['warning']);
  });
});
