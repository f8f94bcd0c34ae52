import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { portOf } from '../../packages/local-server/listening.ts';
import { Clients } from '../../src/lambda/client.ts';
import { type Following, followExecution } from '../../src/lambda/durable.ts';
import type { Invocation, InvokeFailure, InvokeResponse } from '../../src/lambda/invocation.ts';
import type { FailedPoll } from '../../src/lambda/polling.ts';
import { unusedUrl } from '../e2e/step.ts';
import { fakeTiming, INVOCATION, POLICY, useLambda } from './invoke-context.ts';

const ARN = 'arn:aws:lambda:us-east-1:123456789012:function:echo:1/durable-execution/order-7/id';
const STARTED = {
  kind: 'response',
  statusCode: 202,
  payload: new Uint8Array(),
  durableExecutionArn: ARN,
} as const;

const undo: (() => unknown)[] = [];
let endOfTest = new AbortController();
beforeEach(() => {
  endOfTest = new AbortController();
});
afterEach(async () => {
  // Stops following if a test failed.
  endOfTest.abort();
  for (const step of undo.splice(0).reverse()) await step();
});

type Reply = Readonly<{ status: number; body: unknown }>;
const error = (status: number, name: string): Reply => ({
  status,
  body: { __type: name, message: `${name}.` },
});
const execution = (fields: Readonly<Record<string, unknown>>): Reply => ({
  status: 200,
  body: { DurableExecutionArn: ARN, ...fields },
});
const RUNNING = execution({ Status: 'RUNNING' });
const DONE = execution({ Status: 'SUCCEEDED', Result: '{"ok":true}' });

/** A server instead of Lambda that gives this response to state requests and has no history. */
async function standIn(state: () => Reply): Promise<void> {
  const server: Server = createServer((request, response) => {
    const isHistory = request.url?.includes('/history') ?? false;
    const { status, body } = isHistory ? { status: 200, body: { Events: [] } } : state();
    response.writeHead(status, { 'content-type': 'application/json', 'x-amzn-requestid': 'id' });
    response.end(JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  undo.push(() => server.close(), useLambda(`http://127.0.0.1:${portOf(server)}`));
}

type Followed = Readonly<{ result: InvokeResponse | InvokeFailure; failed: readonly FailedPoll[] }>;

/** Follows an execution that an Event started. */
async function following(
  bounds: Partial<Following> = {},
  invocation: Partial<Invocation> = {},
): Promise<Followed> {
  const { signal: never } = endOfTest;
  const clients = new Clients({});
  undo.push(() => clients.close());
  const failed: FailedPoll[] = [];
  const result = await followExecution(
    STARTED,
    { ...INVOCATION, invocationType: 'Event', ...invocation },
    {
      api: clients.of(undefined),
      deadline: never,
      cancel: never,
      stop: never,
      timing: fakeTiming(() => 0),
      policy: POLICY,
      beganAt: 0,
      onExecutionEvent: () => {},
      onHiddenHistory: () => {},
      onFailedPoll: (question) => failed.push(question),
      ...bounds,
    },
  );
  return { result, failed };
}

const messageOf = (result: InvokeResponse | InvokeFailure): string =>
  result.kind === 'failure' ? result.message : '';

test('an execution is followed although requests fail, and each failure is reported', async () => {
  const replies = [error(429, 'TooManyRequestsException'), RUNNING, error(503, 'Unavailable'), DONE, DONE];
  await standIn(() => replies.shift() ?? DONE);
  const { result, failed } = await following();
  expect(result.kind === 'response' && new TextDecoder().decode(result.payload)).toBe('{"ok":true}');
  expect(failed.map(({ failure }) => failure.name)).toEqual(['TooManyRequestsException', 'Unavailable']);
});

test('following ends if the execution is not found 30 s after its start, and not earlier', async () => {
  const timing = fakeTiming(() => 0);
  const start = timing.now();
  await standIn(() => error(404, 'ResourceNotFoundException'));
  const { result } = await following({ timing });
  expect(result).toMatchObject({ name: 'ResourceNotFoundException', durableExecutionArn: ARN });
  // The second to last request was sent before 30 s, and requests are at most 10 s apart.
  expect(timing.now() - start).toBeGreaterThanOrEqual(30_000);
  expect(timing.now() - start).toBeLessThan(45_000);

  const late = fakeTiming(() => 0);
  const begun = late.now();
  await standIn(() => (late.now() - begun < 25_000 ? error(404, 'ResourceNotFoundException') : DONE));
  expect((await following({ timing: late })).result.kind).toBe('response');
});

test('following ends within 15 s with the reason if the execution cannot be read, and the execution continues', async () => {
  undo.push(useLambda(await unusedUrl()));
  const timing = fakeTiming(() => 0);
  const { result, failed } = await following({ timing });
  expect(result).toMatchObject({ name: 'ECONNREFUSED', evidence: 'ran', durableExecutionArn: ARN });
  expect(messageOf(result)).toMatch(
    /^connect ECONNREFUSED \S+ \(tried \d+ times; gave up: waiting longer does not clear this error\)$/,
  );
  expect(failed.length).toBeGreaterThan(3);
  expect(timing.slept.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(15_000);
});

test('with retry: never, following ends immediately if the execution cannot be read', async () => {
  undo.push(useLambda(await unusedUrl()));
  const { result, failed } = await following({ policy: { ...POLICY, retry: 'never' } });
  expect(result).toMatchObject({ name: 'ECONNREFUSED', durableExecutionArn: ARN });
  expect(failed).toEqual([]);
});

test('the timeout has the reason why the execution could not be read before', async () => {
  const over = new AbortController();
  let asked = 0;
  await standIn(() => {
    asked += 1;
    return asked === 1 ? RUNNING : error(503, 'Unavailable');
  });
  const timing = fakeTiming(() => 0);
  const sleep = async (ms: number, signal: AbortSignal): Promise<void> => {
    await timing.sleep(ms, signal);
    if (asked === 4) over.abort();
  };
  const bounds = { timing: { ...timing, sleep }, deadline: over.signal, stop: over.signal };
  const { result } = await following(bounds);
  expect(messageOf(result)).toBe(
    'timed out while the durable execution was running; then it could not be read: Unavailable.',
  );
});

test('the cancellation is reported even if timeout_seconds is also exceeded', async () => {
  const over = new AbortController();
  await standIn(() => RUNNING);
  const { result } = await following({
    timing: { ...fakeTiming(), sleep: async () => over.abort() },
    deadline: over.signal,
    cancel: over.signal,
    stop: over.signal,
  });
  expect(result).toMatchObject({ name: 'Cancelled' });
});

describe('an execution that is to be stopped', () => {
  const BEGAN_AT = 1_800_000_000_000;
  const startedAfter = (ms: number): Reply =>
    execution({ Status: 'RUNNING', StartTimestamp: (BEGAN_AT + ms) / 1_000 });

  /** Follows an execution that is cancelled after its first state, and stopped after its second. */
  async function stopping(second: Reply, invocation: Partial<Invocation> = {}): Promise<InvokeFailure> {
    const over = new AbortController();
    const replies = [RUNNING, second];
    await standIn(() => replies.shift() ?? execution({ StopTimestamp: BEGAN_AT / 1_000 }));
    const { result } = await following(
      {
        timing: { ...fakeTiming(), sleep: async () => over.abort() },
        cancel: over.signal,
        stop: over.signal,
        beganAt: BEGAN_AT,
        stopping: { run: 'the run', onNotStopped: () => {} },
      },
      { durableExecutionName: 'order-7', ...invocation },
    );
    if (result.kind !== 'failure') throw new Error('a stopped execution has no response');
    return result;
  }

  test.each([
    ['after the first attempt is stopped', startedAfter(200), 'stopped'],
    ['in the second of the first attempt is stopped', startedAfter(-1_000), 'stopped'],
    ["before that is another step's", startedAfter(-1_001), 'joined'],
    ["at a time that Lambda does not say is another step's", RUNNING, 'joined'],
    ['and has ended is not stopped', execution({ Status: 'SUCCEEDED' }), 'ended before'],
  ])('and began %s', async (_, second, stop) => {
    expect(await stopping(second)).toMatchObject({ executionStop: stop, evidence: 'ran' });
  });
});
