import { setTimeout as sleep } from 'node:timers/promises';
import { LambdaClient, StopDurableExecutionCommand } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { SAMPLE_FUNCTIONS } from '../../packages/local-lambda/sample-functions.ts';
import {
  type Fault,
  type LambdaRequest,
  type LocalLambda,
  startLocalLambda,
} from '../../packages/local-lambda/server.ts';
import { makeJobFolder } from '../../packages/local-runner/run-step.ts';
import { signalTest } from '../signals.ts';
import { ECHO, type InvokeStep, invokeStep } from './step.ts';

const ORDER = SAMPLE_FUNCTIONS['durable-order'];
const denied = new Set<string | undefined>();
let lambda: LocalLambda;
let number = 0;

beforeAll(async () => {
  lambda = await startLocalLambda({
    functions: {
      // One second of the durable execution takes 0.1 s.
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

/** A unique execution name. */
const name = (): string => `order-${number}`;
const texts = (step: { lines: readonly { text: string }[] }): string[] => step.lines.map(({ text }) => text);
const messages = (step: InvokeStep): string[] => step.annotations.map(({ message }) => message);
const started = () => lambda.durableExecutions('order');
const operations = (): (string | undefined)[] => lambda.requests.map(({ operation }) => operation);

/** Starts an execution with Event and follows it by default. */
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
  const RESPONSE = { orderId: 'A-7', paymentId: 'P-A-7', status: 'shipped' };

  test('started with Event succeeds with its response, and does not run again with the same name', async () => {
    const first = await orderStep({ orderId: 'A-7' });
    expect(first.exitCode).toBe(0);
    expect(first.outputs).toMatchObject({
      outcome: 'succeeded',
      status_code: '202',
      durable_execution_arn: expect.stringMatching(/:function:order:\d+\/durable-execution\/order-\d+\/.+$/),
    });
    expect(JSON.parse(first.outputs['response'] ?? '')).toEqual(RESPONSE);
    expect(JSON.parse(first.outcomeLines[0] ?? '')).toMatchObject({
      outcome: 'succeeded',
      response: RESPONSE,
    });
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

  test('started with RequestResponse also has its steps in the log', async () => {
    const step = await orderStep({ orderId: 'A-7' }, { invocation_type: 'RequestResponse' });
    expect(JSON.parse(step.outputs['response'] ?? '')).toEqual(RESPONSE);
    expect(step.outputs['status_code']).toBe('200');
    expect(historyIn(step)).toEqual(HISTORY);
  });

  test('is not followed without the wait', async () => {
    const step = await orderStep({}, { wait_for_durable_execution: 'false' });
    await lambda.idle();
    expect(step.outputs).toMatchObject({ outcome: 'succeeded', response: '' });
    expect(step.outputs['durable_execution_arn']).not.toBe('');
    expect(operations()).not.toContain('GetDurableExecution');
  });

  test('is not taken from a journal by a step that follows it, if an earlier one only started it', async () => {
    const job = makeJobFolder();
    const inputs = { journal: 'journal.jsonl' };
    await orderStep({}, { ...inputs, wait_for_durable_execution: 'false' }, { job });
    const following = await orderStep({}, inputs, { job });
    const starting = await orderStep({}, { ...inputs, wait_for_durable_execution: 'false' }, { job });
    await lambda.idle();
    job.dispose();
    expect([following.exitCode, following.outputs['outcome']]).toEqual([1, 'unknown']);
    expect([starting.exitCode, starting.outputs['resumed']]).toEqual([0, '1']);
    expect(operations().filter((operation) => operation === 'Invoke')).toHaveLength(1);
  });

  test('is taken from a journal if an earlier step followed it to its end', async () => {
    const job = makeJobFolder();
    const first = await orderStep({}, { journal: 'journal.jsonl' }, { job });
    const second = await orderStep({}, { journal: 'journal.jsonl' }, { job });
    job.dispose();
    expect([second.exitCode, second.outputs['resumed']]).toEqual([0, '1']);
    expect(second.outputs['response']).toMatch(/shipped/);
    expect(second.outputs['response']).toBe(first.outputs['response']);
  });

  test('reports each step once, even if requests are lost', async () => {
    const lost: Fault = { kind: 'reset', when: 'after' };
    const counts = new Map<string | undefined, number>();
    lambda.setFault(({ operation }: LambdaRequest) => {
      if (operation !== 'GetDurableExecution' && operation !== 'GetDurableExecutionHistory') return undefined;
      const count = (counts.get(operation) ?? 0) + 1;
      counts.set(operation, count);
      return count % 3 === 1 ? lost : undefined;
    });
    // Long enough to read the start of the history more than once.
    const step = await orderStep({ orderId: 'A-7', waitSeconds: 25 });
    expect(step.exitCode).toBe(0);
    expect(
      operations().filter((operation) => operation === 'GetDurableExecutionHistory').length,
    ).toBeGreaterThan(2);
    expect(historyIn(step)).toEqual(HISTORY.map((line) => line.replace('(1 s)', '(25 s)')));
    expect(texts(step)).toContainEqual(
      expect.stringMatching(/could not read the durable execution \(ECONNRESET\)\. Retrying in \d\.\d s\.$/),
    );
    expect(JSON.parse(step.outputs['response'] ?? '')).toEqual(RESPONSE);
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

  test('retries a step reports it', async () => {
    const step = await orderStep({ retries: 1 });
    expect(step.exitCode).toBe(0);
    expect(historyIn(step)).toContain('order:live: step charge-payment failed; retrying in 1 s');
  });

  test('times out is a function error', async () => {
    const step = await orderStep({ approval: true }, { function_name: 'impatient' });
    expect(step.outputs).toMatchObject({ outcome: 'function_error', function_error: 'TIMED_OUT' });
  });

  test('is stopped by a request is a function error', async () => {
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

  signalTest('continues after the workflow is canceled is reported with its ARN', async () => {
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

  test('takes longer than timeout_seconds is unknown and continues', async () => {
    const step = await orderStep({ approval: true }, { timeout_seconds: '2' });
    expect(step.outputs['outcome']).toBe('unknown');
    expect(messages(step)[0]).toContain(
      'DeadlineExceeded: timed out while the durable execution was running.',
    );
    expect(started().map(({ status }) => status)).toEqual(['RUNNING']);
  });
});

describe('on_cancel: stop', () => {
  const STOP = { on_cancel: 'stop' };
  const RUN = {
    GITHUB_SERVER_URL: 'https://github.example',
    GITHUB_REPOSITORY: 'octo-org/octo-repo',
    GITHUB_RUN_ID: '4711',
  };
  const stops = () => lambda.requests.filter(({ operation }) => operation === 'StopDurableExecution');
  const statuses = (): string[] => started().map(({ status }) => status);

  /** Cancels the step when its log has so many lines with this text. */
  const cancelAt = (text: string, count = 1): Parameters<typeof invokeStep>[2] => {
    let child: Parameters<NonNullable<NonNullable<Parameters<typeof invokeStep>[2]>['onStart']>>[0];
    let seen = 0;
    return {
      env: RUN,
      onStart: (started) => {
        child = started;
      },
      onLine: (line) => {
        seen += line.text.includes(text) ? 1 : 0;
        if (seen === count && line.text.includes(text)) child.kill('SIGINT');
      },
    };
  };
  const WAITING = 'callback approval started';

  signalTest('stops the execution when the workflow is cancelled, with the address of the run', async () => {
    const step = await orderStep({ approval: true }, STOP, cancelAt(WAITING));
    expect(step.exitCode).toBe(1);
    expect(statuses()).toEqual(['STOPPED']);
    const [stop, ...others] = stops();
    expect(others).toEqual([]);
    expect(JSON.parse(String(stop?.body))).toEqual({
      ErrorType: 'StoppedByWorkflow',
      ErrorMessage:
        'The workflow run was cancelled: https://github.example/octo-org/octo-repo/actions/runs/4711',
    });
    const [{ arn } = { arn: '' }] = started();
    expect(step.outputs).toMatchObject({ outcome: 'unknown', durable_execution_arn: arn });
    expect(messages(step)[0]?.split('\n').slice(0, 3)).toEqual([
      `order:live: Cancelled: the workflow was cancelled while the durable execution was running. The durable execution was stopped, which does not undo what it has done: ${arn}.`,
      `To see how far it came: aws lambda get-durable-execution --durable-execution-arn '${arn}'`,
      'To start another execution, use another durable_execution_name: with this name, Lambda returns the stopped execution.',
    ]);
  });

  test('stops it when timeout_seconds is over', async () => {
    const step = await orderStep({ approval: true }, { ...STOP, timeout_seconds: '2' }, { env: RUN });
    expect(step.outputs['outcome']).toBe('unknown');
    expect(statuses()).toEqual(['STOPPED']);
    expect(String(stops()[0]?.body)).toContain(
      'timeout_seconds was over in the workflow run: https://github.example/octo-org/octo-repo/actions/runs/4711',
    );
    expect(messages(step)[0]).toContain('The durable execution was stopped');
  });

  signalTest('stops one without a name, which no other step can have started', async () => {
    await orderStep({ approval: true }, { ...STOP, durable_execution_name: '' }, cancelAt(WAITING));
    expect(statuses()).toEqual(['STOPPED']);
  });

  signalTest('stops each execution of a list, with one request', async () => {
    const entries = [1, 2, 3].map((n) => ({ durable_execution_name: `${name()}-${n}` }));
    const step = await orderStep(
      { approval: true },
      { ...STOP, durable_execution_name: '', invocations: JSON.stringify(entries) },
      cancelAt(WAITING, 3),
    );
    expect(step.exitCode).toBe(1);
    expect(statuses()).toEqual(['STOPPED', 'STOPPED', 'STOPPED']);
    expect(stops()).toHaveLength(3);
  });

  signalTest('does not stop one that it joined by its name', async () => {
    await orderStep({ approval: true }, { wait_for_durable_execution: 'false' });
    // An execution that began within a second of the step counts as the step's own.
    await sleep(1_500);
    const step = await orderStep({ approval: true }, STOP, cancelAt(WAITING));
    expect(statuses()).toEqual(['RUNNING']);
    expect(stops()).toEqual([]);
    const [message = ''] = messages(step);
    expect(message).toContain('was started before this step, so it was not stopped and continues on its own');
    expect(message).toContain("To stop it: aws lambda stop-durable-execution --durable-execution-arn '");
  });

  signalTest('stops one whose first response was lost', async () => {
    let isLost = false;
    lambda.setFault(({ operation }) => {
      if (operation !== 'Invoke' || isLost) return undefined;
      isLost = true;
      return { kind: 'reset', when: 'after' };
    });
    const step = await orderStep({ approval: true }, STOP, cancelAt(WAITING));
    expect(step.outputs['attempts']).toBe('2');
    expect(statuses()).toEqual(['STOPPED']);
  });

  signalTest('says how to stop it by hand, with the statement, where the permission is missing', async () => {
    denied.add('StopDurableExecution');
    const step = await orderStep({ approval: true }, STOP, cancelAt(WAITING));
    expect(statuses()).toEqual(['RUNNING']);
    expect(step.outputs['outcome']).toBe('unknown');
    const [{ arn } = { arn: '' }] = started();
    const [what, , statement, byHand] =
      step.annotations.find(({ level }) => level === 'warning')?.message.split('\n') ?? [];
    expect(what).toBe(
      'on_cancel could not stop the durable execution of order:live (AccessDeniedException).',
    );
    const owner = 'arn:aws:lambda:us-east-1:123456789012:function:order';
    expect(JSON.parse(statement ?? '')).toEqual({
      Effect: 'Allow',
      Action: ['lambda:StopDurableExecution'],
      Resource: [owner, `${owner}:*`],
    });
    const command = `aws lambda stop-durable-execution --durable-execution-arn '${arn}'`;
    expect(byHand).toBe(`To stop it: ${command}`);
    const error = step.annotations.find(({ level }) => level === 'error')?.message ?? '';
    expect(error).toContain('The durable execution could not be stopped and continues on its own');
    expect(error).toContain(command);
  });

  signalTest('gives up after 3 s where Lambda does not respond, and the report is written', async () => {
    lambda.setFault(({ operation }) =>
      operation === 'StopDurableExecution' ? { kind: 'stall', when: 'before' } : undefined,
    );
    const step = await orderStep({ approval: true }, STOP, cancelAt(WAITING));
    expect(step.signal).toBeNull();
    expect(step.outputs['outcome']).toBe('unknown');
    expect(step.annotations.map(({ level }) => level)).toEqual(['warning', 'error']);
    expect(stops()).toHaveLength(1);
  });

  test.each([
    [{ wait_for_durable_execution: 'false' }, 'has no effect without wait_for_durable_execution: true'],
    [{ invocation_type: 'RequestResponse' }, 'has no effect with invocation_type: RequestResponse'],
  ])('warns where it can do nothing: %j', async (inputs, warned) => {
    const step = await orderStep({ orderId: 'A-7' }, { ...STOP, ...inputs });
    expect(step.exitCode).toBe(0);
    expect(messages(step)).toEqual([expect.stringContaining(`on_cancel: stop ${warned}`)]);
  });
});

describe('a lost response', () => {
  test('is retried by name, with one execution', async () => {
    lambda.setFault(({ operation }, n) =>
      n === 0 && operation === 'Invoke' ? { kind: 'reset', when: 'after' } : undefined,
    );
    const step = await orderStep({ orderId: 'A-7' });
    expect(step.exitCode).toBe(0);
    expect(step.outputs['attempts']).toBe('2');
    expect(started()).toHaveLength(1);
  });

  test('of a function that is not durable is not retried, whatever the name', async () => {
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
  test('a name that was used with a different payload', async () => {
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

  test('a synchronous invocation of an execution that can take too long', async () => {
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

describe('if following is denied,', () => {
  test('the outcome of an Event is unknown, with the statement to add', async () => {
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

  test('a synchronous response counts, and a warning names the missing permission', async () => {
    denied.add('GetDurableExecution').add('GetDurableExecutionHistory');
    const step = await orderStep({ orderId: 'A-7' }, { invocation_type: 'RequestResponse' });
    expect(step.exitCode).toBe(0);
    expect(step.outputs['outcome']).toBe('succeeded');
    expect(step.annotations.map(({ level }) => level)).toEqual(['warning']);
    expect(messages(step)[0]).toContain(
      'To see them, allow lambda:GetDurableExecution and lambda:GetDurableExecutionHistory.',
    );
  });

  test('only the history is missing, and the execution is followed', async () => {
    denied.add('GetDurableExecutionHistory');
    const step = await orderStep({ orderId: 'A-7' });
    expect(step.exitCode).toBe(0);
    expect(step.outputs['outcome']).toBe('succeeded');
    expect(step.annotations.map(({ level }) => level)).toEqual(['warning']);
  });
});
