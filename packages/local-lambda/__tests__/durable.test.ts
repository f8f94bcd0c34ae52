import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import {
  type Event,
  GetDurableExecutionCommand,
  GetDurableExecutionHistoryCommand,
  type GetDurableExecutionHistoryRequest,
  InvokeCommand,
  type InvokeCommandInput,
  type InvokeCommandOutput,
  type LambdaClient,
  StopDurableExecutionCommand,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { SAMPLE_FUNCTIONS } from '../sample-functions.ts';
import {
  type Denial,
  type FunctionDefinition,
  type LocalLambda,
  startLocalLambda,
  throttle,
} from '../server.ts';
import { clientOf, failureOf } from './client.ts';

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const ENDED_ARN =
  'arn:aws:lambda:us-east-1:123456789012:function:steps:1/durable-execution/no-such-name/00000000-0000-0000-0000-000000000000';

let lambda: LocalLambda;
let client: LambdaClient;
let folder: string;
let runs: string;
let denial: ((operation: string | undefined) => Denial | undefined) | undefined;

/** A durable function for which one second takes 50 ms. */
function durable(name: string, definition: Partial<FunctionDefinition> = {}): FunctionDefinition {
  return {
    handler: path.join(import.meta.dirname, `handlers/durable.mjs.${name}`),
    environment: { RUNS: runs },
    timeoutSeconds: 10,
    versions: { '1': {}, '2': {} },
    aliases: { live: '1' },
    durable: { executionTimeoutSeconds: 60, timeScale: 0.05 },
    ...definition,
  };
}

function invoke(FunctionName: string, event: unknown, input: Partial<InvokeCommandInput> = {}) {
  return client.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(event), ...input }));
}

/** Starts an execution in the background and returns its ARN. */
async function startEvent(FunctionName: string, event: unknown, input: Partial<InvokeCommandInput> = {}) {
  const { DurableExecutionArn } = await invoke(FunctionName, event, { InvocationType: 'Event', ...input });
  if (DurableExecutionArn === undefined) throw new Error(`${FunctionName} is not durable.`);
  return DurableExecutionArn;
}

const responseOf = ({ Payload }: InvokeCommandOutput): unknown =>
  JSON.parse(Payload?.transformToString() ?? '');
const describeExecution = (DurableExecutionArn: string | undefined) =>
  client.send(new GetDurableExecutionCommand({ DurableExecutionArn }));
const historyPage = (input: GetDurableExecutionHistoryRequest) =>
  client.send(new GetDurableExecutionHistoryCommand(input));

async function historyOf(DurableExecutionArn: string | undefined): Promise<Event[]> {
  const { Events = [] } = await historyPage({ DurableExecutionArn, IncludeExecutionData: true });
  return Events;
}

const typesOf = (events: readonly Event[]): (string | undefined)[] =>
  events.map(({ EventType }) => EventType);

async function eventOf(arn: string | undefined, type: string): Promise<Event> {
  const event = (await historyOf(arn)).find(({ EventType }) => EventType === type);
  if (event === undefined) throw new Error(`The history has no ${type}.`);
  return event;
}

/** Polls until a value exists. Only for values that are certain to appear. */
async function eventually<Value>(look: () => Promise<Value | undefined>): Promise<Value> {
  for (;;) {
    const value = await look();
    if (value !== undefined) return value;
    await sleep(10);
  }
}

async function callbackIdOf(arn: string): Promise<string> {
  return await eventually(async () => {
    const event = (await historyOf(arn)).find(({ EventType }) => EventType === 'CallbackStarted');
    return event?.CallbackStartedDetails?.CallbackId;
  });
}

/** Waits until an execution ends and returns its description. */
async function endOf(DurableExecutionArn: string) {
  return await eventually(async () => {
    const execution = await describeExecution(DurableExecutionArn);
    return execution.Status === 'RUNNING' ? undefined : execution;
  });
}

const openGate = () => writeFile(`${runs}.gate`, '');
const stepRuns = async (): Promise<string[]> => (await readFile(runs, 'utf8')).split('\n').filter(Boolean);

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'local-lambda-durable-'));
  runs = path.join(folder, 'runs');
  lambda = await startLocalLambda({
    functions: {
      ...SAMPLE_FUNCTIONS,
      steps: durable('steps'),
      flaky: durable('flaky'),
      callback: durable('callback'),
      nested: durable('nested'),
      gated: durable('gated'),
      crashing: durable('crashing'),
      initializing: durable('handler', {
        handler: path.join(import.meta.dirname, 'handlers/initializing.mjs.handler'),
      }),
      many: durable('many'),
      large: durable('large', { memorySize: 512 }),
      silent: durable('silent'),
      responding: durable('responding'),
      bare: durable('bare'),
      'real-time': durable('steps', { durable: { executionTimeoutSeconds: 60 } }),
    },
    durableRetryDelaysMs: [10, 20],
    deny: ({ operation }) => denial?.(operation),
  });
  client = clientOf(lambda);
});

afterAll(async () => {
  client.destroy();
  await lambda.close();
  await rm(folder, { recursive: true });
});

beforeEach(async () => {
  lambda.reset();
  denial = undefined;
  await writeFile(runs, '');
  await rm(`${runs}.gate`, { force: true });
});

describe('an execution', () => {
  test('is awaited by a synchronous invocation, even across a suspension', async () => {
    const startedAt = performance.now();
    const output = await invoke('real-time:live', { value: 4 }, { DurableExecutionName: 'order-4' });
    expect(performance.now() - startedAt).toBeGreaterThan(1_000);
    expect(output).toMatchObject({ StatusCode: 200, ExecutedVersion: '1' });
    expect(output.FunctionError).toBeUndefined();
    expect(output.DurableExecutionArn).toMatch(
      new RegExp(
        `^arn:aws:lambda:us-east-1:123456789012:function:real-time:1/durable-execution/order-4/${UUID}$`,
      ),
    );
    expect(responseOf(output)).toEqual({ value: 9 });
    expect(await stepRuns()).toEqual(['first', 'second', 'third']);
    expect(lambda.executions('real-time')).toMatchObject([
      { requestId: output.$metadata.requestId, version: '1' },
      { version: '1' },
    ]);
    expect(lambda.durableExecutions('real-time')).toMatchObject([
      { arn: output.DurableExecutionArn, name: 'order-4', status: 'SUCCEEDED', invocations: 2 },
    ]);
  });

  test('continues in the background after an Event', async () => {
    const output = await invoke('gated:2', { order: 7 }, { InvocationType: 'Event' });
    expect(output.StatusCode).toBe(202);
    expect([output.ExecutedVersion, output.FunctionError]).toEqual([undefined, undefined]);
    const running = await describeExecution(output.DurableExecutionArn);
    expect(running).toMatchObject({ Status: 'RUNNING', InputPayload: '{"order":7}' });
    expect([running.Result, running.EndTimestamp]).toEqual([undefined, undefined]);
    await openGate();
    await lambda.idle();
    const execution = await describeExecution(output.DurableExecutionArn);
    expect(execution).toMatchObject({
      DurableExecutionArn: output.DurableExecutionArn,
      FunctionArn: 'arn:aws:lambda:us-east-1:123456789012:function:gated:2',
      Version: '2',
      Status: 'SUCCEEDED',
      Result: '"through"',
      ExecutionDataIncluded: true,
      DurableConfig: { ExecutionTimeout: 60, RetentionPeriodInDays: 14 },
    });
    expect(execution.EndTimestamp?.getTime()).toBeGreaterThan(
      execution.StartTimestamp?.getTime() ?? Infinity,
    );
  });

  test('has a history of numbered events', async () => {
    const { DurableExecutionArn } = await invoke(
      'steps:1',
      { waitSeconds: 20 },
      { DurableExecutionName: 'told' },
    );
    const events = await historyOf(DurableExecutionArn);
    expect(typesOf(events)).toEqual([
      'ExecutionStarted',
      'StepStarted',
      'StepSucceeded',
      'StepStarted',
      'StepSucceeded',
      'WaitStarted',
      'InvocationCompleted',
      'WaitSucceeded',
      'StepStarted',
      'StepSucceeded',
      'InvocationCompleted',
      'ExecutionSucceeded',
    ]);
    expect(events.map(({ EventId }) => EventId)).toEqual(events.map((_, index) => index + 1));
    expect(events.map(({ Name = '' }) => Name).join(' ')).toBe(
      'told first first second second pause  pause third third  told',
    );
    expect(events[0]).toMatchObject({
      ExecutionStartedDetails: {
        Input: { Payload: '{"waitSeconds":20}', Truncated: false },
        ExecutionTimeout: 60,
      },
    });
    expect(events[4]).toMatchObject({
      SubType: 'Step',
      StepSucceededDetails: { Result: { Payload: '2' }, RetryDetails: { CurrentAttempt: 1 } },
    });
    expect(events[5]).toMatchObject({ WaitStartedDetails: { Duration: 20 } });
    const requestIds = lambda.executions('steps').map(({ requestId }) => requestId);
    expect([events[6], events[10]].map((event) => event?.InvocationCompletedDetails?.RequestId)).toEqual(
      requestIds,
    );
    expect(events.at(-1)).toMatchObject({
      ExecutionSucceededDetails: { Result: { Payload: '{"value":3}' } },
    });
  });

  test('fails with the error of its handler', async () => {
    const output = await invoke('flaky:1', { failures: 5 });
    expect(output).toMatchObject({ StatusCode: 200, FunctionError: 'Unhandled', ExecutedVersion: '1' });
    expect(responseOf(output)).toMatchObject({ errorType: 'StepError', errorMessage: 'attempt 3 failed' });
    const execution = await describeExecution(output.DurableExecutionArn);
    expect(execution).toMatchObject({
      Status: 'FAILED',
      Error: { ErrorType: 'StepError', ErrorMessage: 'attempt 3 failed' },
    });
    expect(execution.Result).toBeUndefined();
    expect(await eventOf(output.DurableExecutionArn, 'ExecutionFailed')).toMatchObject({
      ExecutionFailedDetails: { Error: { Payload: { ErrorMessage: 'attempt 3 failed' } } },
    });
  });

  test('retries a step, suspended until the delay has passed', async () => {
    const output = await invoke('flaky:1', { failures: 2 });
    expect(responseOf(output)).toBe(3);
    expect(await stepRuns()).toEqual(['attempt 1', 'attempt 2', 'attempt 3']);
    expect(lambda.executions('flaky')).toHaveLength(3);
    const failed = (await historyOf(output.DurableExecutionArn)).filter(
      ({ EventType }) => EventType === 'StepFailed',
    );
    expect(failed.map(({ StepFailedDetails }) => StepFailedDetails)).toMatchObject([
      { RetryDetails: { CurrentAttempt: 1, NextAttemptDelaySeconds: 1 } },
      {
        RetryDetails: { CurrentAttempt: 2, NextAttemptDelaySeconds: 2 },
        Error: { Payload: { ErrorType: 'RangeError', ErrorMessage: 'attempt 2 failed' } },
      },
    ]);
  });

  test('supports child contexts, branches and conditions', async () => {
    const output = await invoke('nested:1', {});
    expect(responseOf(output)).toEqual({ child: 3, branches: ['l', 'r'], polled: 3 });
    const events = await historyOf(output.DurableExecutionArn);
    const child = events.find(({ Name, EventType }) => Name === 'child' && EventType === 'ContextStarted');
    expect(events.filter(({ Name }) => Name === 'a' || Name === 'b')).toMatchObject(
      Array.from({ length: 4 }, () => ({ ParentId: child?.Id })),
    );
    const polls = events.filter(
      ({ Name, EventType }) => Name === 'condition' && EventType === 'StepSucceeded',
    );
    expect(polls.map(({ StepSucceededDetails }) => StepSucceededDetails?.Result?.Payload)).toEqual([
      '1',
      '2',
      '3',
    ]);
  });

  test('restores more operations than fit on one page of its state', async () => {
    expect(responseOf(await invoke('many:1', { count: 230 }))).toBe((229 * 230) / 2);
    expect(await stepRuns()).toHaveLength(230);
    const states = lambda.requests.filter(({ path: requested }) => requested.endsWith('/state'));
    expect(states).toHaveLength(1);
  });

  test('times out', async () => {
    lambda.setFunction('hasty', durable('callback', { durable: { executionTimeoutSeconds: 0.3 } }));
    const output = await invoke('hasty:1', {});
    expect(output.FunctionError).toBe('Unhandled');
    const ErrorMessage = 'Execution timed out after 0.3 seconds.';
    expect(responseOf(output)).toEqual({ errorMessage: ErrorMessage });
    expect(await describeExecution(output.DurableExecutionArn)).toMatchObject({
      Status: 'TIMED_OUT',
      Error: { ErrorMessage },
    });
    expect(await eventOf(output.DurableExecutionArn, 'ExecutionTimedOut')).toMatchObject({
      ExecutionTimedOutDetails: {},
    });
  });

  test('restarts from its checkpoints when its process dies', async () => {
    const output = await invoke('crashing:1', { times: 2 });
    expect(responseOf(output)).toBe('survived');
    expect(await stepRuns()).toEqual(['before', 'crash', 'crash', 'crash']);
    expect(await eventOf(output.DurableExecutionArn, 'InvocationCompleted')).toMatchObject({
      InvocationCompletedDetails: { Error: { Payload: { ErrorType: 'Runtime.ExitError' } } },
    });
  });

  test('fails when its process dies repeatedly', async () => {
    const output = await invoke('crashing:1', { times: 9 });
    expect(responseOf(output)).toMatchObject({ errorType: 'Runtime.ExitError' });
    expect(lambda.executions('crashing')).toHaveLength(3);
    expect(await describeExecution(output.DurableExecutionArn)).toMatchObject({ Status: 'FAILED' });
  });

  test.each([
    [{ Status: 'PENDING' }, 'Cannot return PENDING status with no pending operations.'],
    [{ Status: 'DONE' }, 'Invalid Status in invocation output.'],
    ['no envelope', 'Invalid Status in invocation output.'],
  ])('fails when its handler returns %j', async (response, errorMessage) => {
    const output = await invoke('responding:1', { response });
    expect(responseOf(output)).toEqual({ errorType: 'InvalidParameterValueException', errorMessage });
  });

  test('can have a larger output than its handler could return', async () => {
    const bytes = 6_291_440;
    const output = await invoke('large:1', { bytes });
    expect(output.Payload).toHaveLength(bytes);
    // The response is sent when the execution ends. Its last invocation completes after that.
    await lambda.idle();
    const events = typesOf(await historyOf(output.DurableExecutionArn));
    expect(events.slice(-2)).toEqual(['ExecutionSucceeded', 'InvocationCompleted']);
  });

  test('can end without an output', async () => {
    expect(responseOf(await invoke('silent:1', {}))).toBeNull();
  });

  test('has a smaller output limit when an Event started it', async () => {
    const arn = await startEvent('large:1', { bytes: 1_048_577 });
    expect(await endOf(arn)).toMatchObject({
      Status: 'FAILED',
      Error: { ErrorMessage: 'Execution output payload size must be less than or equal to 1048576 bytes.' },
    });
  });
});

describe('StopDurableExecution', () => {
  test('ends a waiting execution', async () => {
    const arn = await startEvent('callback:1', {});
    await callbackIdOf(arn);
    const reason = { ErrorType: 'Cancelled', ErrorMessage: 'by hand' };
    const stop = new StopDurableExecutionCommand({ DurableExecutionArn: arn, Error: reason });
    const { StopTimestamp } = await client.send(stop);
    expect(await describeExecution(arn)).toMatchObject({
      Status: 'STOPPED',
      EndTimestamp: StopTimestamp,
      Error: reason,
    });
    expect(await eventOf(arn, 'ExecutionStopped')).toMatchObject({
      ExecutionStoppedDetails: { Error: { Payload: reason } },
    });
    expect(await client.send(stop)).toMatchObject({ StopTimestamp });
  });

  test('ends the environment of a running handler and responds to the waiting caller', async () => {
    const waiting = invoke('gated:1', {});
    await eventually(async () => ((await stepRuns()).length > 0 ? true : undefined));
    const arn = lambda.durableExecutions()[0]?.arn;
    await client.send(new StopDurableExecutionCommand({ DurableExecutionArn: arn }));
    const output = await waiting;
    expect(output).toMatchObject({ DurableExecutionArn: arn, FunctionError: 'Unhandled' });
    expect(responseOf(output)).toEqual({});
    // The gate is still closed, so this would wait for a handler that still runs.
    await lambda.idle();
    expect(typesOf(await historyOf(arn)).slice(-2)).toEqual(['ExecutionStopped', 'InvocationCompleted']);
    expect((await eventOf(arn, 'InvocationCompleted')).InvocationCompletedDetails?.Error).toMatchObject({
      Payload: { ErrorMessage: expect.stringContaining('Runtime exited with error: signal: killed') },
    });
    expect(await describeExecution(arn)).toMatchObject({ Status: 'STOPPED' });
    await openGate();
    expect(responseOf(await invoke('gated:1', {}))).toBe('through');
    expect(await stepRuns()).toEqual(['gated', 'gated', 'after']);
    const [stopped, next] = lambda.executions('gated');
    expect(next).toMatchObject({ coldStart: true });
    expect(next?.environmentId).not.toBe(stopped?.environmentId);
  });

  test('does not end the environments of other executions', async () => {
    const other = invoke('gated:1', {}, { DurableExecutionName: 'other' });
    await eventually(async () => ((await stepRuns()).length > 0 ? true : undefined));
    const arn = await startEvent('gated:1', {});
    await eventually(async () => ((await stepRuns()).length > 1 ? true : undefined));
    await client.send(new StopDurableExecutionCommand({ DurableExecutionArn: arn }));
    await openGate();
    expect(responseOf(await other)).toBe('through');
    expect(await stepRuns()).toEqual(['gated', 'gated', 'after']);
  });

  test('does not start the handler if its environment is still initializing', async () => {
    const arn = await startEvent('initializing:1', {});
    await eventually(async () => ((await stepRuns()).length > 0 ? true : undefined));
    await client.send(new StopDurableExecutionCommand({ DurableExecutionArn: arn }));
    await openGate();
    await lambda.idle();
    expect(lambda.executions('initializing')).toEqual([]);
    expect(await describeExecution(arn)).toMatchObject({ Status: 'STOPPED' });
  });

  test('is rejected without permission or for a missing execution', async () => {
    const stop = (DurableExecutionArn: string) =>
      failureOf(client.send(new StopDurableExecutionCommand({ DurableExecutionArn })));
    expect(await stop(ENDED_ARN)).toMatchObject({
      name: 'ResourceNotFoundException',
      message: 'Durable Execution does not exist',
    });
    const arn = await startEvent('callback:1', {});
    denial = (operation) =>
      operation === 'StopDurableExecution' ? { kind: 'no-identity-policy' } : undefined;
    expect(await stop(arn)).toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringMatching(
        /perform: lambda:StopDurableExecution on resource: .*\/durable-execution\/.* because no identity-based policy allows the lambda:StopDurableExecution action$/,
      ),
    });
    expect(await describeExecution(arn)).toMatchObject({ Status: 'RUNNING' });
  });
});

describe('a name', () => {
  test('starts its execution only once, while it runs and after it has ended', async () => {
    const name = { DurableExecutionName: 'once' };
    const arn = await startEvent('gated:1', {}, name);
    const attached = invoke('gated:1', {}, name);
    expect(await startEvent('gated:live', {}, name)).toBe(arn);
    await openGate();
    const after = invoke('gated:1', {}, name);
    for (const output of await Promise.all([attached, after])) {
      expect(output.DurableExecutionArn).toBe(arn);
      expect(responseOf(output)).toBe('through');
    }
    expect(await startEvent('gated:1', {}, name)).toBe(arn);
    expect(responseOf(await invoke('gated:1', {}, name))).toBe('through');
    expect(await stepRuns()).toEqual(['gated', 'after']);
    expect(lambda.durableExecutions()).toMatchObject([{ arn, name: 'once', invocations: 1 }]);
  });

  test('also returns the same failure again', async () => {
    const name = { DurableExecutionName: 'failed-once' };
    const first = await invoke('flaky:1', { failures: 5 }, name);
    const executions = lambda.executions('flaky').length;
    const second = await invoke('flaky:1', { failures: 5 }, name);
    expect(second.FunctionError).toBe('Unhandled');
    expect(responseOf(second)).toEqual(responseOf(first));
    expect(lambda.executions('flaky')).toHaveLength(executions);
  });

  test.each([
    ['another payload', 'steps:1', { waitSeconds: 2 }],
    ['another version', 'steps:2', {}],
  ])('is already in use for %s', async (_what, functionName, event) => {
    const name = { DurableExecutionName: 'taken' };
    const { DurableExecutionArn } = await invoke('steps:1', {}, name);
    for (const InvocationType of ['RequestResponse', 'Event'] as const) {
      const error = await failureOf(invoke(functionName, event, { ...name, InvocationType }));
      expect(error).toMatchObject({
        name: 'DurableExecutionAlreadyStartedException',
        message: `Execution already started: ${DurableExecutionArn}`,
        $metadata: { httpStatusCode: 409 },
      });
    }
    expect(lambda.durableExecutions()).toHaveLength(1);
  });

  test('can be used in another function, and is generated if it is not given', async () => {
    const name = { DurableExecutionName: 'shared' };
    const arns = [
      await startEvent('steps:1', {}, name),
      await startEvent('nested:1', {}, name),
      await startEvent('steps:1', {}),
      await startEvent('steps:1', {}),
    ];
    expect(new Set(arns).size).toBe(4);
    await lambda.idle();
    expect(lambda.durableExecutions().map(({ status }) => status)).toEqual(arns.map(() => 'SUCCEEDED'));
  });

  test('is ignored by a function that is not durable', async () => {
    const output = await invoke('echo', { key1: 'a' }, { DurableExecutionName: 'nothing' });
    expect(output.DurableExecutionArn).toBeUndefined();
    await invoke('echo', { key1: 'b' }, { DurableExecutionName: 'nothing' });
    expect(lambda.executions('echo')).toHaveLength(2);
    expect(lambda.durableExecutions()).toEqual([]);
  });
});

describe('an invocation', () => {
  test.each(['RequestResponse', 'Event', 'DryRun'] as const)('of type %s needs a qualifier', async (type) => {
    const error = await failureOf(invoke('steps', {}, { InvocationType: type }));
    expect(error).toMatchObject({
      name: 'InvalidParameterValueException',
      message: 'You cannot invoke a durable function using an unqualified ARN.',
      $metadata: { httpStatusCode: 400 },
    });
    expect(lambda.executions()).toEqual([]);
  });

  test.each([
    ['$LATEST', '$LATEST'],
    ['live', '1'],
    ['2', '2'],
  ])('with qualifier %s starts an execution of version %s', async (Qualifier, version) => {
    const output = await invoke('silent', {}, { Qualifier });
    expect(output.ExecutedVersion).toBe(version);
    expect(output.DurableExecutionArn).toContain(`:function:silent:${version}/durable-execution/`);
  });

  test('does not wait for an execution that can take over 15 minutes', async () => {
    lambda.setFunction('patient', durable('silent', { durable: { executionTimeoutSeconds: 901 } }));
    const error = await failureOf(invoke('patient:1', {}));
    expect(error.message).toBe(
      'You cannot synchronously invoke a durable function with an executionTimeout greater than 15 minutes.',
    );
    expect(await endOf(await startEvent('patient:1', {}))).toMatchObject({ Status: 'SUCCEEDED' });
  });

  test('is throttled at its start, or waits for capacity if it is an Event', async () => {
    lambda.setFunction('narrow', durable('gated', { reservedConcurrency: 1 }));
    await startEvent('narrow:1', {});
    const error = await failureOf(invoke('narrow:1', {}));
    expect(error).toMatchObject({ name: 'TooManyRequestsException', $metadata: { httpStatusCode: 429 } });
    await startEvent('narrow:1', {});
    await openGate();
    await lambda.idle();
    const statuses = lambda.durableExecutions().map(({ status, invocations }) => [status, invocations]);
    expect(statuses).toEqual([
      ['SUCCEEDED', 1],
      ['SUCCEEDED', 1],
    ]);
  });

  test('returns the log of the last run of its handler', async () => {
    const { LogResult = '' } = await invoke('steps:1', {}, { LogType: 'Tail' });
    const log = Buffer.from(LogResult, 'base64').toString('utf8');
    expect(log).toContain(`START RequestId: ${lambda.executions('steps').at(-1)?.requestId} Version: 1`);
  });

  test('passes an endpoint and credentials to durable functions only', async () => {
    const { durable: _durable, ...plain } = durable('environment');
    lambda.setFunction('environment', durable('environment'));
    lambda.setFunction('plain-environment', plain);
    const names = ['AWS_ENDPOINT_URL_LAMBDA', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'];
    expect(responseOf(await invoke('environment:1', {}))).toEqual(expect.arrayContaining(names));
    const others = responseOf(await invoke('plain-environment:1', {}));
    for (const name of names) expect(others).not.toContain(name);
  });
});

describe('reading an execution', () => {
  let arn: string | undefined;
  beforeEach(async () => {
    arn = (await invoke('steps:1', {})).DurableExecutionArn;
  });

  test('omits the data unless it is requested', async () => {
    const without = await client.send(
      new GetDurableExecutionCommand({ DurableExecutionArn: arn, IncludeExecutionData: false }),
    );
    expect(without).toMatchObject({ Status: 'SUCCEEDED', ExecutionDataIncluded: false });
    expect([without.InputPayload, without.Result]).toEqual([undefined, undefined]);
    const { Events = [] } = await historyPage({ DurableExecutionArn: arn });
    expect(Events[0]?.ExecutionStartedDetails?.Input).toEqual({ Truncated: true });
    expect(Events[2]?.StepSucceededDetails).toMatchObject({
      Result: { Truncated: true },
      RetryDetails: { CurrentAttempt: 1 },
    });
  });

  test('pages through the history in both directions', async () => {
    for (const ReverseOrder of [false, true]) {
      const ids: (number | undefined)[] = [];
      const sizes: number[] = [];
      let Marker: string | undefined;
      do {
        const page = await historyPage({ DurableExecutionArn: arn, MaxItems: 5, Marker, ReverseOrder });
        ids.push(...(page.Events ?? []).map(({ EventId }) => EventId));
        sizes.push(page.Events?.length ?? 0);
        Marker = page.NextMarker;
      } while (Marker !== undefined);
      const numbers = Array.from({ length: 12 }, (_, index) => index + 1);
      expect(ids).toEqual(ReverseOrder ? numbers.reverse() : numbers);
      expect(sizes).toEqual([5, 5, 2]);
    }
  });

  test.each([
    [{ MaxItems: -1 }, 'ValidationException', 'greater than or equal to 0'],
    [{ MaxItems: 1001 }, 'ValidationException', 'less than or equal to 1000'],
    [{ Marker: 'bogus' }, 'InvalidParameterValueException', 'Invalid Marker'],
  ])('rejects a page of %j', async (page, name, message) => {
    const error = await failureOf(historyPage({ DurableExecutionArn: arn, ...page }));
    expect(error.name).toBe(name);
    expect(error.message).toContain(message);
  });

  test('does not find other executions', async () => {
    const unknown = await failureOf(describeExecution(ENDED_ARN));
    expect(unknown).toMatchObject({
      name: 'ResourceNotFoundException',
      message: 'Durable Execution does not exist',
      $metadata: { httpStatusCode: 404 },
    });
    expect((await failureOf(historyPage({ DurableExecutionArn: ENDED_ARN }))).name).toBe(
      'ResourceNotFoundException',
    );
    expect(
      (await failureOf(describeExecution('arn:aws:lambda:us-east-1:123456789012:function:x'))).name,
    ).toBe('ValidationException');
  });

  test('can be denied for each action separately', async () => {
    denial = (operation) =>
      operation === 'GetDurableExecutionHistory' ? { kind: 'no-identity-policy' } : undefined;
    const error = await failureOf(historyPage({ DurableExecutionArn: arn }));
    expect(error).toMatchObject({ name: 'AccessDeniedException', $metadata: { httpStatusCode: 403 } });
    expect(error.message).toContain(
      `is not authorized to perform: lambda:GetDurableExecutionHistory on resource: ${arn} because`,
    );
    expect(await describeExecution(arn)).toMatchObject({ Status: 'SUCCEEDED' });
  });

  test('can fail for each operation separately', async () => {
    lambda.setFault(({ operation, functionName, qualifier }) => {
      if (functionName !== 'steps' || qualifier !== '1') return undefined;
      if (operation === 'GetDurableExecution') return { kind: 'reset', when: 'after' };
      return operation === 'GetDurableExecutionHistory'
        ? throttle('ConcurrentInvocationLimitExceeded')
        : undefined;
    });
    await expect(describeExecution(arn)).rejects.toThrow(/ECONNRESET|socket hang up/);
    expect((await failureOf(historyPage({ DurableExecutionArn: arn }))).name).toBe(
      'TooManyRequestsException',
    );
  });
});

describe('a checkpoint', () => {
  const step = (Id: string, Action: string, more: object = {}) => ({ Id, Action, Type: 'STEP', ...more });
  const context = (Id: string, Action: string, more: object = {}) => ({
    Id,
    Action,
    Type: 'CONTEXT',
    ...more,
  });
  const wait = (Id: string, WaitOptions?: object) => ({ Id, Action: 'START', Type: 'WAIT', WaitOptions });

  test('tells the next invocation what has changed, except below an ended context', async () => {
    const output = await invoke('bare:1', {
      checkpoints: [
        [context('done', 'START'), step('hidden', 'START', { ParentId: 'done' })],
        [step('hidden', 'SUCCEED', { ParentId: 'done' }), context('done', 'SUCCEED')],
        [context('replayed', 'START'), step('shown', 'SUCCEED', { ParentId: 'replayed' })],
        [context('replayed', 'SUCCEED', { ContextOptions: { ReplayChildren: true } })],
        [wait('pause', { WaitSeconds: 1 })],
      ],
    });
    const id = output.DurableExecutionArn?.split('/').at(-1);
    expect(responseOf(output)).toEqual({
      operations: [id, 'done', 'replayed', 'shown', 'pause'],
      UpdatedOperationIds: ['pause'],
    });
  });

  test.each([
    ['an old token', { checkpoints: [[], []], stale: true }, 'Invalid checkpoint token'],
    ['no parent', { checkpoints: [[step('a', 'START', { ParentId: 'b' })]] }, 'Invalid parent operation id.'],
    [
      'a step that has ended',
      { checkpoints: [[step('a', 'SUCCEED')], [step('a', 'FAIL')]] },
      'Invalid current STEP state to fail.',
    ],
    [
      'a different type',
      { checkpoints: [[step('a', 'START')], [context('a', 'SUCCEED')]] },
      'Inconsistent operation type.',
    ],
    [
      'an invalid action',
      { checkpoints: [[context('a', 'RETRY')]] },
      'Invalid action for the given operation type.',
    ],
    ['a chained invocation', { checkpoints: [[step('a', 'START', { Type: 'CHAINED_INVOKE' })]] }, 'Unknown'],
    [
      'a wait without options',
      { checkpoints: [[wait('a')]] },
      'Update for WAIT operation requires WaitOptions.',
    ],
    [
      'a retry without a delay',
      { checkpoints: [[step('a', 'RETRY')]] },
      'Invalid StepOptions for the given action.',
    ],
    [
      'an update after the end',
      { checkpoints: [[step('a', 'SUCCEED', { Type: 'EXECUTION' }), step('b', 'START')]] },
      'EXECUTION checkpoint must be the last update.',
    ],
  ])('is rejected for %s', async (_what, event, message) => {
    const { DurableExecutionArn } = await invoke('bare:1', event);
    const { InvocationCompletedDetails } = await eventOf(DurableExecutionArn, 'InvocationCompleted');
    expect(InvocationCompletedDetails?.Error?.Payload).toMatchObject({
      ErrorType: 'InvalidParameterValueException',
      ErrorMessage: expect.stringContaining(message),
    });
  });

  test('is applied only once if its response is lost', async () => {
    let lost = 0;
    lambda.setFault(({ operation }) => {
      if (operation !== 'CheckpointDurableExecution' || lost > 0) return undefined;
      lost += 1;
      return { kind: 'reset', when: 'after' };
    });
    const output = await invoke('steps:1', {});
    expect(responseOf(output)).toEqual({ value: 3 });
    expect(lost).toBe(1);
    expect(await stepRuns()).toEqual(['first', 'second', 'third']);
    // The SDK retries the request, in the same execution or, where that fails, in another one.
    expect([1, 2]).toContain(lambda.executions('steps').length);
    const types = typesOf(await historyOf(output.DurableExecutionArn));
    expect(types.filter((type) => type === 'StepSucceeded')).toHaveLength(3);
  });
});

test('the part for durable executions is loaded only when a durable function is invoked', async () => {
  const program = `
    import { registerHooks } from 'node:module';
    let loaded = 0;
    registerHooks({ load: (url, context, next) => { loaded += url.includes('/durable/'); return next(url, context); } });
    const { startLocalLambda } = await import('./server.ts');
    const { SAMPLE_FUNCTIONS } = await import('./sample-functions.ts');
    const { InvokeCommand, LambdaClient } = await import('@aws-sdk/client-lambda');
    const lambda = await startLocalLambda({ functions: SAMPLE_FUNCTIONS });
    const credentials = { accessKeyId: 'AKIAEXAMPLE000000000', secretAccessKey: 'secret' };
    const client = new LambdaClient({ endpoint: lambda.url, region: lambda.region, credentials });
    for (const FunctionName of ['echo', 'durable-order:live']) {
      await client.send(new InvokeCommand({ FunctionName, Payload: '{"waitSeconds":1}' }));
      console.log(FunctionName, loaded > 0);
    }
    client.destroy();
    await lambda.close();
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: path.resolve(import.meta.dirname, '..'),
  });
  expect(stdout.trim().split('\n')).toEqual(['echo false', 'durable-order:live true']);
});

test('executions end with a reset and with the server', async () => {
  const server = await startLocalLambda({ functions: { callback: durable('callback') } });
  const sdk = clientOf(server);
  const start = () => sdk.send(new InvokeCommand({ FunctionName: 'callback:1', InvocationType: 'Event' }));
  const { DurableExecutionArn } = await start();
  server.reset();
  await server.idle();
  expect(server.durableExecutions()).toEqual([]);
  expect((await failureOf(sdk.send(new GetDurableExecutionCommand({ DurableExecutionArn })))).name).toBe(
    'ResourceNotFoundException',
  );
  await start();
  sdk.destroy();
  await server.close();
});

test('the sample completes an order, fails, retries, and waits for an approval', async () => {
  lambda.setFunction('durable-order', {
    ...SAMPLE_FUNCTIONS['durable-order'],
    durable: { executionTimeoutSeconds: 60, timeScale: 0.05 },
  });
  const ordered = await invoke('durable-order:live', { orderId: 'B-2', retries: 1 });
  expect(responseOf(ordered)).toEqual({ orderId: 'B-2', paymentId: 'P-B-2', status: 'shipped' });
  const failed = await invoke('durable-order:1', { fail: true });
  expect(responseOf(failed)).toMatchObject({ errorMessage: 'The card of order A-1 was declined.' });
  const arn = await startEvent('durable-order:1', { approval: true });
  const CallbackId = await callbackIdOf(arn);
  expect(CallbackId).toMatch(/^[\w+/]{64}$/);
  expect(await describeExecution(arn)).toMatchObject({ Status: 'RUNNING' });
});
