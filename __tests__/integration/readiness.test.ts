import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { SAMPLE_FUNCTIONS } from '../../packages/local-lambda/sample-functions.ts';
import {
  type Fault,
  type FunctionDefinition,
  type LocalLambda,
  startLocalLambda,
} from '../../packages/local-lambda/server.ts';
import { Clients } from '../../src/lambda/client.ts';
import type { Invocation, InvocationResult } from '../../src/lambda/invocation.ts';
import { invokeEach } from '../../src/lambda/invoker.ts';
import { AdaptiveLimiter } from '../../src/lambda/limiter.ts';
import type { FailedQuestion } from '../../src/lambda/polling.ts';
import { Readiness } from '../../src/lambda/readiness.ts';
import { REAL_TIMING } from '../../src/lambda/timing.ts';
import { unusedUrl } from '../e2e/step.ts';
import {
  fakeTiming,
  freshIds,
  INVOCATION,
  invokeOn,
  POLICY,
  timeoutAtSleep,
  useLambda,
} from './invoke-context.ts';

let lambda: LocalLambda;
let restore: () => void;
let mayAsk = true;

beforeAll(async () => {
  lambda = await startLocalLambda({
    functions: { echo: SAMPLE_FUNCTIONS.echo, other: SAMPLE_FUNCTIONS.echo },
    deny: ({ operation }) =>
      operation === 'GetFunctionConfiguration' && !mayAsk ? { kind: 'no-identity-policy' } : undefined,
  });
  restore = useLambda(lambda.url);
});
beforeEach(() => {
  lambda.reset();
  lambda.setFunction('echo', SAMPLE_FUNCTIONS.echo);
  mayAsk = true;
});
afterAll(async () => {
  restore();
  await lambda.close();
});

/** A function that answers with this text. */
const answering = (key3: string): FunctionDefinition => ({ ...SAMPLE_FUNCTIONS.echo, environment: { key3 } });
const textOf = ({ result }: InvocationResult): string =>
  result.kind === 'answer' ? new TextDecoder().decode(result.payload) : result.name;
const PENDING: FunctionDefinition = { ...answering('never'), states: [{ state: 'Pending' }] };
const operations = (): (string | undefined)[] => lambda.requests.map(({ operation }) => operation);
const ASKED = 'GetFunctionConfiguration';
const THROTTLED: Fault = {
  kind: 'error',
  when: 'before',
  status: 429,
  type: 'TooManyRequestsException',
  message: 'Rate exceeded',
};

/** What is seen of the states, and what turns the wait on. */
function watching() {
  const states: string[] = [];
  const failed: FailedQuestion[] = [];
  const readiness = {
    waits: new Readiness(),
    onStateChange: ({ state }: { state: string }) => {
      states.push(state);
    },
    onFailedQuestion: (question: FailedQuestion) => {
      failed.push(question);
    },
  };
  return { states, failed, extras: { readiness } };
}

describe('a function that is', () => {
  test('ready is asked for once and invoked', async () => {
    lambda.setFunction('echo', answering('new'));
    const { states, extras } = watching();
    expect(textOf(await invokeOn(lambda, { extras }))).toBe('{"a":1,"key3":"new"}');
    expect(states).toEqual(['ready']);
    expect(operations()).toEqual([ASKED, 'Invoke']);
  });

  test('updated answers with the new code, and with the old where nobody waits', async () => {
    const update = (): void => {
      lambda.setFunction('echo', answering('old'));
      lambda.updateFunction('echo', answering('new'), { lasts: { polls: 3 } });
    };
    update();
    const { states, extras } = watching();
    const timing = fakeTiming(() => 0);
    const delivery = await invokeOn(lambda, { extras, timing });
    expect(textOf(delivery)).toBe('{"a":1,"key3":"new"}');
    expect(delivery.attempts).toBe(1);
    expect(states).toEqual(['Active, but an update is in progress: the old code still responds', 'ready']);
    expect(operations()).toEqual([ASKED, ASKED, ASKED, ASKED, 'Invoke']);
    expect(timing.slept).toEqual([500, 750, 1125]);
    update();
    expect(textOf(await invokeOn(lambda))).toBe('{"a":1,"key3":"old"}');
  });

  test('being created is waited for, with a line a change', async () => {
    lambda.setFunction('echo', {
      ...answering('new'),
      states: [{ state: 'Pending', lasts: { polls: 2 } }, { state: 'Active' }],
    });
    const { states, extras } = watching();
    expect(textOf(await invokeOn(lambda, { extras }))).toBe('{"a":1,"key3":"new"}');
    expect(states).toEqual(['Pending (Creating)', 'ready']);
    expect(lambda.executions('echo')).toHaveLength(1);
  });

  test('idle is woken by the invocation, and waited for', async () => {
    lambda.setFunction('echo', {
      ...answering('woken'),
      states: [
        { state: 'Inactive', lasts: { invocations: 1 } },
        { state: 'Pending', lasts: { polls: 2 } },
        { state: 'Active' },
      ],
    });
    const { states, extras } = watching();
    const delivery = await invokeOn(lambda, { extras });
    expect(textOf(delivery)).toBe('{"a":1,"key3":"woken"}');
    expect(delivery.attempts).toBe(2);
    expect(delivery.waits.map(({ failure }) => failure.name)).toEqual(['CodeArtifactUserPendingException']);
    expect(states).toEqual(['Inactive (Idle); the invocation will wake it', 'Pending (Creating)', 'ready']);
    expect(lambda.executions('echo')).toHaveLength(1);
  });

  test('failed is given up at once, with the reason', async () => {
    lambda.setFunction('echo', {
      ...answering('never'),
      states: [{ state: 'Failed', reason: 'The image is gone.', reasonCode: 'ImageDeleted' }],
    });
    const { states, extras } = watching();
    const { result, attempts } = await invokeOn(lambda, { extras });
    expect(result).toMatchObject({
      kind: 'failure',
      name: 'FunctionFailed',
      message: 'the function is in state Failed: The image is gone.',
      evidence: 'did_not_run',
    });
    expect(attempts).toBe(0);
    expect(states).toEqual(['Failed (ImageDeleted)']);
    expect(operations()).toEqual([ASKED]);
  });

  test('left as it was by a failed update is not invoked', async () => {
    lambda.setFunction('echo', answering('old'));
    lambda.updateFunction('echo', answering('new'), {
      lasts: { polls: 1 },
      fails: { reason: 'The subnet is gone.', reasonCode: 'InvalidSubnet' },
    });
    const { states, extras } = watching();
    const { result } = await invokeOn(lambda, { extras });
    expect(result).toMatchObject({
      name: 'FunctionFailed',
      message: "the function's last update failed, so the old code would respond: The subnet is gone.",
    });
    expect(states.at(-1)).toBe('Active, and its last update failed (InvalidSubnet)');
    expect(lambda.executions('echo')).toHaveLength(0);
  });
});

test('a version with SnapStart is waited for until it is optimised', async () => {
  lambda.setFunction('echo', {
    ...answering('base'),
    snapStart: true,
    versions: { 7: { states: [{ state: 'Pending', lasts: { polls: 2 } }, { state: 'Active' }] } },
    aliases: { live: '7' },
  });
  const { states, extras } = watching();
  const delivery = await invokeOn(lambda, { extras, invocation: { qualifier: 'live' } });
  expect(delivery.result).toMatchObject({ kind: 'answer', executedVersion: '7' });
  expect(states).toEqual(['Pending (Creating)', 'ready']);
  expect(lambda.requests.map(({ qualifier }) => qualifier)).toEqual(Array(4).fill('live'));
});

/** The next answers to the question for the configuration. */
function configurations(...answers: readonly Readonly<Record<string, unknown>>[]): void {
  lambda.setFault(({ operation }, n) => {
    const answer = operation === ASKED ? answers[n] : undefined;
    const headers = { 'content-type': 'application/json' };
    return answer && { kind: 'raw', when: 'before', status: 200, headers, body: JSON.stringify(answer) };
  });
}

test('a version that is Active is not ready before its snapshot is', async () => {
  const version = { State: 'Active', LastUpdateStatus: 'Successful', Version: '7' };
  const snapStart = (OptimizationStatus: string) => ({
    ...version,
    SnapStart: { ApplyOn: 'PublishedVersions', OptimizationStatus },
  });
  configurations(snapStart('Off'), snapStart('On'));
  const { states, extras } = watching();
  expect((await invokeOn(lambda, { extras })).result.kind).toBe('answer');
  expect(states).toEqual(['Active, but its snapshot is not ready', 'ready']);
});

test('a function from before there were states is ready', async () => {
  configurations({ Version: '$LATEST' });
  const { states, extras } = watching();
  expect((await invokeOn(lambda, { extras })).result.kind).toBe('answer');
  expect(states).toEqual(['ready']);
});

test("what is no word of Lambda's is not in the line of a state", async () => {
  configurations({ State: 'Pending', StateReasonCode: 'x\n::error::y' }, { Version: '$LATEST' });
  const { states, extras } = watching();
  await invokeOn(lambda, { extras });
  expect(states).toEqual(['Pending', 'ready']);
});

describe('asking that', () => {
  test('is denied ends it at once, and says what is denied', async () => {
    mayAsk = false;
    const { result, attempts } = await invokeOn(lambda, watching());
    expect(result).toMatchObject({ kind: 'failure', name: 'AccessDeniedException', evidence: 'did_not_run' });
    expect('message' in result && result.message).toContain('lambda:GetFunctionConfiguration');
    expect(attempts).toBe(0);
    expect(result).not.toHaveProperty('requestId');
    expect(operations()).toEqual([ASKED]);
  });

  test('is throttled, or lost on the way, goes on, and each failed question is told', async () => {
    lambda.setFault((_, n) => [THROTTLED, { kind: 'reset' as const, when: 'after' as const }][n]);
    const { extras, failed } = watching();
    const timing = fakeTiming(() => 0);
    const { result } = await invokeOn(lambda, { extras, timing });
    expect(result.kind).toBe('answer');
    expect(operations()).toEqual([ASKED, ASKED, ASKED, 'Invoke']);
    expect(failed.map(({ failure, waitMs }) => [failure.name, waitMs])).toEqual([
      ['TooManyRequestsException', 500],
      ['ECONNRESET', 750],
    ]);
    expect(timing.slept).toEqual([500, 750]);
  });

  test.each([
    ['7', 7_000],
    ['99999999999', 60_000],
  ])('is asked to wait %s s waits %i ms', async (seconds, waitMs) => {
    lambda.setFault((_, n) => (n === 0 ? { ...THROTTLED, headers: { 'retry-after': seconds } } : undefined));
    const timing = fakeTiming();
    const { result } = await invokeOn(lambda, { ...watching(), timing });
    expect(result.kind).toBe('answer');
    expect(timing.slept).toEqual([waitMs]);
  });

  test('fails until the time is over says why, and not that the function was not ready', async () => {
    lambda.setFault(() => ({ ...THROTTLED, status: 503, type: 'ServiceUnavailable' }));
    const { result, attempts } = await invokeOn(lambda, { ...watching(), timing: timeoutAtSleep(5) });
    expect(result).toMatchObject({
      name: 'ServiceUnavailable',
      message: 'timed out before Lambda said whether the function is ready: Rate exceeded',
      evidence: 'did_not_run',
    });
    expect(attempts).toBe(0);
  });

  test('fails from some time on until the time is over says in which state the function was, and why', async () => {
    lambda.setFunction('echo', PENDING);
    lambda.setFault((_, n) => (n === 0 ? undefined : THROTTLED));
    const { result } = await invokeOn(lambda, { ...watching(), timing: timeoutAtSleep(5) });
    expect(result).toMatchObject({
      name: 'NotReady',
      message:
        'timed out before the function was ready (Pending (Creating)); then its configuration could not be read: Rate exceeded',
    });
  });

  describe('can not connect', () => {
    let back = (): void => {};
    beforeEach(async () => {
      back = useLambda(await unusedUrl());
    });
    afterEach(() => back());

    test('is given up within 15 s, with why', async () => {
      const timing = fakeTiming();
      const { extras, failed } = watching();
      const { result, attempts } = await invokeOn(lambda, { extras, timing });
      expect(result).toMatchObject({ name: 'ECONNREFUSED', evidence: 'did_not_run' });
      expect('message' in result && result.message).toMatch(
        /^connect ECONNREFUSED \S+ \(tried \d+ times; gave up: waiting longer does not clear this error\)$/,
      );
      expect(attempts).toBe(0);
      expect(new Set(failed.map(({ failure }) => failure.name))).toEqual(new Set(['ECONNREFUSED']));
      expect(timing.slept.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(15_000);
      expect(failed).toHaveLength(timing.slept.length);
    });

    test('is given up at retry_seconds where that is sooner', async () => {
      const timing = fakeTiming();
      const { result } = await invokeOn(lambda, { ...watching(), timing, policy: { retryMs: 1_000 } });
      expect('message' in result && result.message).toContain('gave up: retry_seconds is exhausted');
      expect(timing.slept.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(1_000);
    });

    test('is given up at once with retry: never', async () => {
      const timing = fakeTiming();
      const { result } = await invokeOn(lambda, { ...watching(), timing, policy: { retry: 'never' } });
      expect(result).toMatchObject({ name: 'ECONNREFUSED', evidence: 'did_not_run' });
      expect(timing.slept).toEqual([]);
    });
  });

  test('finds no function ends it', async () => {
    const missing = { functionName: 'gone', reference: { name: 'gone' } };
    const { result } = await invokeOn(lambda, { ...watching(), invocation: missing });
    expect(result).toMatchObject({ name: 'ResourceNotFoundException', evidence: 'did_not_run' });
    expect(operations()).toEqual([ASKED]);
  });
});

test('timeout_seconds is the end, and says in which state the function was', async () => {
  lambda.setFunction('echo', PENDING);
  const { result } = await invokeOn(lambda, { ...watching(), timing: timeoutAtSleep(5) });
  expect(result).toMatchObject({
    name: 'NotReady',
    message: 'timed out before the function was ready (Pending (Creating))',
    evidence: 'did_not_run',
  });
});

test('a cancelled workflow is the end too', async () => {
  lambda.setFunction('echo', PENDING);
  const cancel = new AbortController();
  const { extras, states } = watching();
  const readiness = { ...extras.readiness, onStateChange: () => cancel.abort() };
  const { result } = await invokeOn(lambda, { extras: { readiness }, cancel: cancel.signal });
  expect(result).toMatchObject({ name: 'Cancelled', evidence: 'did_not_run' });
  expect(states).toEqual([]);
});

test('a cancelled workflow is what ended it where timeout_seconds was over too', async () => {
  lambda.setFunction('echo', PENDING);
  const cancel = new AbortController();
  const timing = timeoutAtSleep(2, () => cancel.abort());
  const { result } = await invokeOn(lambda, { ...watching(), timing, cancel: cancel.signal });
  expect(result).toMatchObject({ name: 'Cancelled', evidence: 'did_not_run' });
});

describe('a wait that several share', () => {
  let cancel: AbortController;
  let clients: Clients;
  beforeEach(() => {
    cancel = new AbortController();
    clients = new Clients({});
  });
  // Nobody waits on where a test failed.
  afterEach(() => {
    cancel.abort();
    clients.close();
  });
  const waitWith = (options: Parameters<typeof invokeOn>[1]) =>
    invokeOn(lambda, { clients, cancel: cancel.signal, ...options });

  test('ends for each at its own deadline, and goes on for the others', async () => {
    lambda.setFunction('echo', PENDING);
    const { extras } = watching();
    const short = waitWith({ extras, timing: REAL_TIMING, policy: { timeoutMs: 300 } });
    const long = waitWith({ extras, timing: REAL_TIMING });
    expect((await short).result).toMatchObject({ name: 'NotReady', evidence: 'did_not_run' });
    lambda.setFunction('echo', answering('new'));
    expect(textOf(await long)).toBe('{"a":1,"key3":"new"}');
  });

  test('does not end for one whose deadline is later than that of who began it', async () => {
    lambda.setFunction('echo', PENDING);
    const { extras } = watching();
    const long = waitWith({ extras, timing: REAL_TIMING, policy: { timeoutMs: 20_000 } });
    const short = waitWith({ extras, timing: REAL_TIMING, policy: { timeoutMs: 300 } });
    expect((await short).result).toMatchObject({ name: 'NotReady' });
    lambda.setFunction('echo', answering('new'));
    expect(textOf(await long)).toBe('{"a":1,"key3":"new"}');
  });

  test('is asked for by nobody when all have gone', async () => {
    lambda.setFunction('echo', PENDING);
    const { extras } = watching();
    await Promise.all([100, 200].map((timeoutMs) => waitWith({ extras, policy: { timeoutMs } })));
    // A question may be under way still.
    const asked = lambda.requests.length + 1;
    await sleep(200);
    expect(lambda.requests.length).toBeLessThanOrEqual(asked);
  });

  test('is not kept for the next where it failed', async () => {
    const { extras } = watching();
    mayAsk = false;
    expect((await waitWith({ extras })).result).toMatchObject({ name: 'AccessDeniedException' });
    mayAsk = true;
    expect((await waitWith({ extras })).result.kind).toBe('answer');
    lambda.setFunction('echo', PENDING);
    const late = watching();
    await waitWith({ extras: late.extras, timing: timeoutAtSleep(3) });
    lambda.setFunction('echo', answering('new'));
    expect(textOf(await waitWith({ extras: late.extras }))).toBe('{"a":1,"key3":"new"}');
  });

  test('ends for all when the workflow is cancelled', async () => {
    lambda.setFunction('echo', PENDING);
    const { extras } = watching();
    const waiting = [1, 2, 3].map(() => waitWith({ extras, timing: REAL_TIMING }));
    setTimeout(() => cancel.abort(), 100);
    for (const { result } of await Promise.all(waiting)) {
      expect(result).toMatchObject({ name: 'Cancelled', evidence: 'did_not_run' });
    }
  });
});

describe('a refusal for the state', () => {
  const refusal = (type: string, status: number): Fault => ({ ...THROTTLED, status, type, message: type });

  test.each([
    ['CodeArtifactUserPendingException', 409],
    ['ENINotReadyException', 502],
    ['ResourceConflictException', 409],
    ['ResourceNotReadyException', 502],
    ['SnapStartNotReadyException', 409],
  ])('is waited for until the function is ready again: %s', async (type, status) => {
    lambda.setFault((_, n) => (n === 1 ? refusal(type, status) : undefined));
    const { result } = await invokeOn(lambda, watching());
    expect(result.kind).toBe('answer');
    expect(operations()).toEqual([ASKED, 'Invoke', ASKED, 'Invoke']);
  });

  test('of a function that is said to be ready ends with retry_seconds, whatever its Retry-After', async () => {
    lambda.setFault(({ operation }) =>
      operation === 'Invoke'
        ? {
            ...THROTTLED,
            status: 409,
            type: 'ResourceConflictException',
            headers: { 'retry-after': '1e300' },
          }
        : undefined,
    );
    const timing = fakeTiming();
    const { result } = await invokeOn(lambda, { ...watching(), timing });
    expect(result).toMatchObject({ name: 'ResourceConflictException', evidence: 'did_not_run' });
    expect('message' in result && result.message).toContain('gave up: retry_seconds is exhausted');
    const slept = timing.slept.reduce((sum, ms) => sum + ms, 0);
    expect(slept).toBeGreaterThan(160_000);
    expect(slept).toBeLessThanOrEqual(180_000);
    expect(operations().filter((operation) => operation === 'Invoke').length).toBeLessThan(25);
  });
});

test('a version that stands in the name is asked for by itself', async () => {
  lambda.setFunction('echo', {
    ...answering('new'),
    versions: { 1: { states: [{ state: 'Pending', lasts: { polls: 2 } }, { state: 'Active' }] } },
    aliases: {},
  });
  const { extras } = watching();
  await invokeOn(lambda, { extras });
  const named = { functionName: 'echo:1', reference: { name: 'echo', qualifier: '1' } };
  await invokeOn(lambda, { extras, invocation: named });
  expect(lambda.requests.map(({ operation, qualifier }) => [operation, qualifier])).toEqual([
    [ASKED, undefined],
    ['Invoke', undefined],
    [ASKED, '1'],
    [ASKED, '1'],
    [ASKED, '1'],
    ['Invoke', '1'],
  ]);
});

test('a dry run is not waited for', async () => {
  lambda.setFunction('echo', PENDING);
  const { result } = await invokeOn(lambda, { ...watching(), invocation: { invocationType: 'DryRun' } });
  expect(result.kind).toBe('answer');
  expect(operations()).toEqual(['Invoke']);
});

test('a list asks once for each function and qualifier, not for each entry', async () => {
  lambda.setFunction('echo', {
    ...answering('new'),
    states: [{ state: 'Pending', lasts: { polls: 1 } }, { state: 'Active' }],
    versions: { 1: {} },
    aliases: {},
  });
  const entry = (index: number, given: Partial<Invocation> = {}): Invocation => ({
    ...INVOCATION,
    index,
    ...given,
  });
  const other = { functionName: 'other', reference: { name: 'other' } };
  const invocations = [
    ...[0, 1, 2].map((index) => entry(index)),
    ...[3, 4].map((index) => entry(index, { qualifier: '1' })),
    // The same version, written otherwise.
    entry(5, { functionName: 'echo:1', reference: { name: 'echo', qualifier: '1' } }),
    ...[6, 7].map((index) => entry(index, other)),
  ];
  const clients = new Clients({});
  const kinds: string[] = [];
  const context = {
    clients,
    policy: POLICY,
    timing: fakeTiming(),
    limiter: new AdaptiveLimiter(3),
    requestIds: freshIds(),
    cancel: new AbortController().signal,
    onWait: () => {},
    ...watching().extras,
  };
  await invokeEach(invocations, context, async ({ result }) => {
    kinds.push(result.kind);
  });
  clients.close();
  expect(kinds).toEqual(Array(8).fill('answer'));
  expect(operations().filter((operation) => operation === ASKED)).toHaveLength(2 + 1 + 1);
  expect(lambda.executions()).toHaveLength(8);
});
