import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { portOf } from '../../packages/local-server/listening.ts';
import { Clients } from '../../src/lambda/client.ts';
import { type Following, followExecution } from '../../src/lambda/durable.ts';
import type { InvokeFailure, InvokeResponse } from '../../src/lambda/invocation.ts';
import type { FailedQuestion } from '../../src/lambda/polling.ts';
import { unusedUrl } from '../e2e/step.ts';
import { fakeTiming, INVOCATION, POLICY, useLambda } from './invoke-context.ts';

const ARN = 'arn:aws:lambda:us-east-1:123456789012:function:echo:1/durable-execution/order-7/id';
const STARTED = {
  kind: 'answer',
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
  // Nothing is followed on where a test failed.
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

/** Something in Lambda's place that answers questions for the state so, and has no history. */
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

type Followed = Readonly<{ result: InvokeResponse | InvokeFailure; failed: readonly FailedQuestion[] }>;

/** Follows an execution that an Event started. */
async function following(bounds: Partial<Following> = {}): Promise<Followed> {
  const { signal: never } = endOfTest;
  const clients = new Clients({});
  undo.push(() => clients.close());
  const failed: FailedQuestion[] = [];
  const result = await followExecution(
    STARTED,
    { ...INVOCATION, invocationType: 'Event' },
    {
      api: clients.of(undefined),
      deadline: never,
      cancel: never,
      stop: never,
      timing: fakeTiming(() => 0),
      policy: POLICY,
      onExecutionEvent: () => {},
      onHiddenHistory: () => {},
      onFailedQuestion: (question) => failed.push(question),
      ...bounds,
    },
  );
  return { result, failed };
}

const messageOf = (result: InvokeResponse | InvokeFailure): string =>
  result.kind === 'failure' ? result.message : '';

test('an execution is followed on when questions fail on the way, and each is told', async () => {
  const replies = [error(429, 'TooManyRequestsException'), RUNNING, error(503, 'Unavailable'), DONE, DONE];
  await standIn(() => replies.shift() ?? DONE);
  const { result, failed } = await following();
  expect(result.kind === 'answer' && new TextDecoder().decode(result.payload)).toBe('{"ok":true}');
  expect(failed.map(({ failure }) => failure.name)).toEqual(['TooManyRequestsException', 'Unavailable']);
});

test('an execution that is not found 30 s after its start is given up, and not before', async () => {
  const timing = fakeTiming(() => 0);
  const start = timing.now();
  await standIn(() => error(404, 'ResourceNotFoundException'));
  const { result } = await following({ timing });
  expect(result).toMatchObject({ name: 'ResourceNotFoundException', durableExecutionArn: ARN });
  // The last question but one was asked before 30 s were over, and they are at most 10 s apart.
  expect(timing.now() - start).toBeGreaterThanOrEqual(30_000);
  expect(timing.now() - start).toBeLessThan(45_000);

  const late = fakeTiming(() => 0);
  const begun = late.now();
  await standIn(() => (late.now() - begun < 25_000 ? error(404, 'ResourceNotFoundException') : DONE));
  expect((await following({ timing: late })).result.kind).toBe('answer');
});

test('an execution that can not be asked for is given up within 15 s, with why, and goes on', async () => {
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

test('an execution that can not be asked for is given up at once with retry: never', async () => {
  undo.push(useLambda(await unusedUrl()));
  const { result, failed } = await following({ policy: { ...POLICY, retry: 'never' } });
  expect(result).toMatchObject({ name: 'ECONNREFUSED', durableExecutionArn: ARN });
  expect(failed).toEqual([]);
});

test('the end of the time says why the execution could not be read before', async () => {
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

test('a cancelled workflow is what ended it where timeout_seconds was over too', async () => {
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
