import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { SAMPLE_FUNCTIONS } from '../../packages/local-lambda/sample-functions.ts';
import {
  type Fault,
  type FunctionDefinition,
  type LocalLambda,
  startLocalLambda,
} from '../../packages/local-lambda/server.ts';
import type { HiddenAlias } from '../../src/lambda/alias.ts';
import { Clients } from '../../src/lambda/client.ts';
import type { Invocation, InvocationResult } from '../../src/lambda/invocation.ts';
import { invokeEach } from '../../src/lambda/invoker.ts';
import { AdaptiveLimiter } from '../../src/lambda/limiter.ts';
import type { FailedPoll } from '../../src/lambda/polling.ts';
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
const denied = new Set<string | undefined>();

beforeAll(async () => {
  lambda = await startLocalLambda({
    functions: { echo: SAMPLE_FUNCTIONS.echo, other: SAMPLE_FUNCTIONS.echo },
    deny: ({ operation }) =>
      (operation === 'GetFunctionConfiguration' && !mayAsk) || denied.has(operation)
        ? { kind: 'no-identity-policy' }
        : undefined,
  });
  restore = useLambda(lambda.url);
});
beforeEach(() => {
  lambda.reset();
  lambda.setFunction('echo', SAMPLE_FUNCTIONS.echo);
  mayAsk = true;
  denied.clear();
});
afterAll(async () => {
  restore();
  await lambda.close();
});

/** A function that returns this text. */
const responding = (key3: string): FunctionDefinition => ({
  ...SAMPLE_FUNCTIONS.echo,
  environment: { key3 },
});
const textOf = ({ result }: InvocationResult): string =>
  result.kind === 'response' ? new TextDecoder().decode(result.payload) : result.name;
const PENDING: FunctionDefinition = { ...responding('never'), states: [{ state: 'Pending' }] };
const operations = (): (string | undefined)[] => lambda.requests.map(({ operation }) => operation);
const ASKED = 'GetFunctionConfiguration';
const THROTTLED: Fault = {
  kind: 'error',
  when: 'before',
  status: 429,
  type: 'TooManyRequestsException',
  message: 'Rate exceeded',
};

const NOT_READY_YET: Fault = {
  kind: 'error',
  when: 'before',
  status: 409,
  type: 'ResourceConflictException',
  message: 'The function is being updated.',
};

/** The observed states, and the option that enables the wait. */
function watching({ expectsVersion = false } = {}) {
  const states: string[] = [];
  const lines: string[] = [];
  const hidden: HiddenAlias[] = [];
  const failed: FailedPoll[] = [];
  const readiness = {
    waits: new Readiness(),
    expectsVersion: () => expectsVersion,
    onStateChange: ({ state }: { state: string }) => {
      states.push(state);
    },
    onAliasChange: ({ line }: { line: string }) => {
      lines.push(line);
    },
    onHiddenAlias: (alias: HiddenAlias) => {
      hidden.push(alias);
    },
    onFailedPoll: (question: FailedPoll) => {
      failed.push(question);
    },
  };
  return { states, lines, hidden, failed, extras: { readiness } };
}

describe('a function that is', () => {
  test('ready is checked once and invoked', async () => {
    lambda.setFunction('echo', responding('new'));
    const { states, extras } = watching();
    expect(textOf(await invokeOn(lambda, { extras }))).toBe('{"a":1,"key3":"new"}');
    expect(states).toEqual(['ready']);
    expect(operations()).toEqual([ASKED, 'Invoke']);
  });

  test('updated responds with the new code, or with the old code without the wait', async () => {
    const update = (): void => {
      lambda.setFunction('echo', responding('old'));
      lambda.updateFunction('echo', responding('new'), { lasts: { polls: 3 } });
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

  test('being created is waited for, with one line per change', async () => {
    lambda.setFunction('echo', {
      ...responding('new'),
      states: [{ state: 'Pending', lasts: { polls: 2 } }, { state: 'Active' }],
    });
    const { states, extras } = watching();
    expect(textOf(await invokeOn(lambda, { extras }))).toBe('{"a":1,"key3":"new"}');
    expect(states).toEqual(['Pending (Creating)', 'ready']);
    expect(lambda.executions('echo')).toHaveLength(1);
  });

  test('idle is woken by the invocation and waited for', async () => {
    lambda.setFunction('echo', {
      ...responding('woken'),
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

  test('failed ends the wait immediately, with the reason', async () => {
    lambda.setFunction('echo', {
      ...responding('never'),
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

  test('not updated because the update failed is not invoked', async () => {
    lambda.setFunction('echo', responding('old'));
    lambda.updateFunction('echo', responding('new'), {
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

test('a version with SnapStart is waited for until it is optimized', async () => {
  lambda.setFunction('echo', {
    ...responding('base'),
    snapStart: true,
    versions: { 7: { states: [{ state: 'Pending', lasts: { polls: 2 } }, { state: 'Active' }] } },
    aliases: { live: '7' },
  });
  const { states, extras } = watching();
  const delivery = await invokeOn(lambda, { extras, invocation: { qualifier: 'live' } });
  expect(delivery.result).toMatchObject({ kind: 'response', executedVersion: '7' });
  expect(states).toEqual(['Pending (Creating)', 'ready']);
  expect(lambda.requests.map(({ qualifier }) => qualifier)).toEqual(Array(6).fill('live'));
});

/** The next responses to the configuration request. */
function configurations(...responses: readonly Readonly<Record<string, unknown>>[]): void {
  lambda.setFault(({ operation }, n) => {
    const response = operation === ASKED ? responses[n] : undefined;
    const headers = { 'content-type': 'application/json' };
    return response && { kind: 'raw', when: 'before', status: 200, headers, body: JSON.stringify(response) };
  });
}

test('an Active version is not ready before its snapshot is', async () => {
  const version = { State: 'Active', LastUpdateStatus: 'Successful', Version: '7' };
  const snapStart = (OptimizationStatus: string) => ({
    ...version,
    SnapStart: { ApplyOn: 'PublishedVersions', OptimizationStatus },
  });
  configurations(snapStart('Off'), snapStart('On'));
  const { states, extras } = watching();
  expect((await invokeOn(lambda, { extras })).result.kind).toBe('response');
  expect(states).toEqual(['Active, but its snapshot is not ready', 'ready']);
});

test('a function without a state, as on older services, is ready', async () => {
  configurations({ Version: '$LATEST' });
  const { states, extras } = watching();
  expect((await invokeOn(lambda, { extras })).result.kind).toBe('response');
  expect(states).toEqual(['ready']);
});

test('a state that is not a word from Lambda is not in the line', async () => {
  configurations({ State: 'Pending', StateReasonCode: 'x\n::error::y' }, { Version: '$LATEST' });
  const { states, extras } = watching();
  await invokeOn(lambda, { extras });
  expect(states).toEqual(['Pending', 'ready']);
});

describe('a state request that', () => {
  test('is denied ends the wait immediately and names the denied action', async () => {
    mayAsk = false;
    const { result, attempts } = await invokeOn(lambda, watching());
    expect(result).toMatchObject({ kind: 'failure', name: 'AccessDeniedException', evidence: 'did_not_run' });
    expect('message' in result && result.message).toContain('lambda:GetFunctionConfiguration');
    expect(attempts).toBe(0);
    expect(result).not.toHaveProperty('requestId');
    expect(operations()).toEqual([ASKED]);
  });

  test('is throttled or lost does not end the wait, and each failure is reported', async () => {
    lambda.setFault((_, n) => [THROTTLED, { kind: 'reset' as const, when: 'after' as const }][n]);
    const { extras, failed } = watching();
    const timing = fakeTiming(() => 0);
    const { result } = await invokeOn(lambda, { extras, timing });
    expect(result.kind).toBe('response');
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
  ])('gets a Retry-After of %s s waits %i ms', async (seconds, waitMs) => {
    lambda.setFault((_, n) => (n === 0 ? { ...THROTTLED, headers: { 'retry-after': seconds } } : undefined));
    const timing = fakeTiming();
    const { result } = await invokeOn(lambda, { ...watching(), timing });
    expect(result.kind).toBe('response');
    expect(timing.slept).toEqual([waitMs]);
  });

  test('fails until the timeout is reported with its reason, not as a function that is not ready', async () => {
    lambda.setFault(() => ({ ...THROTTLED, status: 503, type: 'ServiceUnavailable' }));
    const { result, attempts } = await invokeOn(lambda, { ...watching(), timing: timeoutAtSleep(5) });
    expect(result).toMatchObject({
      name: 'ServiceUnavailable',
      message: 'timed out before Lambda said whether the function is ready: Rate exceeded',
      evidence: 'did_not_run',
    });
    expect(attempts).toBe(0);
  });

  test('fails after some time until the timeout is reported with the last state and the reason', async () => {
    lambda.setFunction('echo', PENDING);
    lambda.setFault((_, n) => (n === 0 ? undefined : THROTTLED));
    const { result } = await invokeOn(lambda, { ...watching(), timing: timeoutAtSleep(5) });
    expect(result).toMatchObject({
      name: 'NotReady',
      message:
        'timed out before the function was ready (Pending (Creating)); then its configuration could not be read: Rate exceeded',
    });
  });

  describe('cannot connect', () => {
    let back = (): void => {};
    beforeEach(async () => {
      back = useLambda(await unusedUrl());
    });
    afterEach(() => back());

    test('ends within 15 s, with the reason', async () => {
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

    test('ends at retry_seconds if that is earlier', async () => {
      const timing = fakeTiming();
      const { result } = await invokeOn(lambda, { ...watching(), timing, policy: { retryMs: 1_000 } });
      expect('message' in result && result.message).toContain('gave up: retry_seconds is exhausted');
      expect(timing.slept.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(1_000);
    });

    test('ends immediately with retry: never', async () => {
      const timing = fakeTiming();
      const { result } = await invokeOn(lambda, { ...watching(), timing, policy: { retry: 'never' } });
      expect(result).toMatchObject({ name: 'ECONNREFUSED', evidence: 'did_not_run' });
      expect(timing.slept).toEqual([]);
    });
  });

  test('finds no function ends the wait', async () => {
    const missing = { functionName: 'gone', reference: { name: 'gone' } };
    const { result } = await invokeOn(lambda, { ...watching(), invocation: missing });
    expect(result).toMatchObject({ name: 'ResourceNotFoundException', evidence: 'did_not_run' });
    expect(operations()).toEqual([ASKED]);
  });
});

test('timeout_seconds ends the wait, with the state of the function', async () => {
  lambda.setFunction('echo', PENDING);
  const { result } = await invokeOn(lambda, { ...watching(), timing: timeoutAtSleep(5) });
  expect(result).toMatchObject({
    name: 'NotReady',
    message: 'timed out before the function was ready (Pending (Creating))',
    evidence: 'did_not_run',
  });
});

test('a canceled workflow also ends the wait', async () => {
  lambda.setFunction('echo', PENDING);
  const cancel = new AbortController();
  const { extras, states } = watching();
  const readiness = { ...extras.readiness, onStateChange: () => cancel.abort() };
  const { result } = await invokeOn(lambda, { extras: { readiness }, cancel: cancel.signal });
  expect(result).toMatchObject({ name: 'Cancelled', evidence: 'did_not_run' });
  expect(states).toEqual([]);
});

describe('a failure of another invocation with stop_on_failure', () => {
  const NEVER_SENT = { name: 'StoppedOnFailure', evidence: 'did_not_run' };

  test('ends the wait, and the function is not invoked', async () => {
    lambda.setFunction('echo', PENDING);
    const halt = new AbortController();
    const { extras } = watching();
    const readiness = { ...extras.readiness, onStateChange: () => halt.abort() };
    const timing = REAL_TIMING;
    const { result, attempts } = await invokeOn(lambda, { extras: { readiness }, timing, halt: halt.signal });
    expect(result).toMatchObject(NEVER_SENT);
    expect(attempts).toBe(0);
    expect(operations()).toEqual([ASKED]);
  });

  test('just before the function is ready is not missed', async () => {
    const halt = new AbortController();
    const { extras } = watching();
    const readiness = { ...extras.readiness, onStateChange: () => halt.abort() };
    const { result } = await invokeOn(lambda, { extras: { readiness }, halt: halt.signal });
    expect(result).toMatchObject(NEVER_SENT);
    expect(operations()).toEqual([ASKED]);
  });

  test('ends the wait before a retry', async () => {
    lambda.setFault(({ operation }) => (operation === 'Invoke' ? NOT_READY_YET : undefined));
    const halt = new AbortController();
    const { extras, states } = watching();
    const onStateChange = (change: { state: string }): void => {
      extras.readiness.onStateChange(change);
      if (change.state === 'ready') lambda.setFunction('echo', PENDING);
      else halt.abort();
    };
    const readiness = { ...extras.readiness, onStateChange };
    const timing = REAL_TIMING;
    const { result } = await invokeOn(lambda, { extras: { readiness }, timing, halt: halt.signal });
    expect(states).toEqual(['ready', 'Pending (Creating)']);
    expect(result).toMatchObject({
      name: 'ResourceConflictException',
      message: 'The function is being updated (gave up: another invocation failed)',
      evidence: 'did_not_run',
    });
    expect(operations()).toEqual([ASKED, 'Invoke', ASKED]);
  });
});

test('the cancellation is reported even if timeout_seconds is also exceeded', async () => {
  lambda.setFunction('echo', PENDING);
  const cancel = new AbortController();
  const timing = timeoutAtSleep(2, () => cancel.abort());
  const { result } = await invokeOn(lambda, { ...watching(), timing, cancel: cancel.signal });
  expect(result).toMatchObject({ name: 'Cancelled', evidence: 'did_not_run' });
});

describe('a shared wait', () => {
  let cancel: AbortController;
  let clients: Clients;
  beforeEach(() => {
    cancel = new AbortController();
    clients = new Clients({});
  });
  // Stops waiting if a test failed.
  afterEach(() => {
    cancel.abort();
    clients.close();
  });
  const waitWith = (options: Parameters<typeof invokeOn>[1]) =>
    invokeOn(lambda, { clients, cancel: cancel.signal, ...options });

  test('ends for each invocation at its own deadline, and continues for the others', async () => {
    lambda.setFunction('echo', PENDING);
    const { extras } = watching();
    const short = waitWith({ extras, timing: REAL_TIMING, policy: { timeoutMs: 300 } });
    const long = waitWith({ extras, timing: REAL_TIMING });
    expect((await short).result).toMatchObject({ name: 'NotReady', evidence: 'did_not_run' });
    lambda.setFunction('echo', responding('new'));
    expect(textOf(await long)).toBe('{"a":1,"key3":"new"}');
  });

  test('does not end early for an invocation with a later deadline than the first', async () => {
    lambda.setFunction('echo', PENDING);
    const { extras } = watching();
    const long = waitWith({ extras, timing: REAL_TIMING, policy: { timeoutMs: 20_000 } });
    const short = waitWith({ extras, timing: REAL_TIMING, policy: { timeoutMs: 300 } });
    expect((await short).result).toMatchObject({ name: 'NotReady' });
    lambda.setFunction('echo', responding('new'));
    expect(textOf(await long)).toBe('{"a":1,"key3":"new"}');
  });

  test('sends no more requests when all invocations have ended', async () => {
    lambda.setFunction('echo', PENDING);
    const { extras } = watching();
    await Promise.all([100, 200].map((timeoutMs) => waitWith({ extras, policy: { timeoutMs } })));
    // A request may still be in progress.
    const asked = lambda.requests.length + 1;
    await sleep(200);
    expect(lambda.requests.length).toBeLessThanOrEqual(asked);
  });

  test('is not reused after it failed', async () => {
    const { extras } = watching();
    mayAsk = false;
    expect((await waitWith({ extras })).result).toMatchObject({ name: 'AccessDeniedException' });
    mayAsk = true;
    expect((await waitWith({ extras })).result.kind).toBe('response');
    lambda.setFunction('echo', PENDING);
    const late = watching();
    await waitWith({ extras: late.extras, timing: timeoutAtSleep(3) });
    lambda.setFunction('echo', responding('new'));
    expect(textOf(await waitWith({ extras: late.extras }))).toBe('{"a":1,"key3":"new"}');
  });

  test.each([0, 1, 2, 3, 4, 5])(
    'that nobody waits for is not reused, %i turns after the last one has left',
    async (turns) => {
      lambda.setFunction('echo', PENDING);
      const waits = new Readiness();
      const waitUntil = (stop: AbortSignal) =>
        waits.wait(INVOCATION, {
          ...watching().extras.readiness,
          ...{ api: clients.of(undefined), timing: REAL_TIMING, policy: POLICY },
          ...{ stop, deadline: stop, cancel: cancel.signal },
        });
      const leaving = new AbortController();
      const left = waitUntil(leaving.signal);
      await sleep(50);
      leaving.abort();
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
      lambda.setFunction('echo', responding('new'));
      const [first, second] = await Promise.all([left, waitUntil(cancel.signal)]);
      expect([first.kind, second.kind]).toEqual(['failure', 'configuration']);
    },
  );

  test('ends for all when the workflow is canceled', async () => {
    lambda.setFunction('echo', PENDING);
    const { extras } = watching();
    const waiting = [1, 2, 3].map(() => waitWith({ extras, timing: REAL_TIMING }));
    setTimeout(() => cancel.abort(), 100);
    for (const { result } of await Promise.all(waiting)) {
      expect(result).toMatchObject({ name: 'Cancelled', evidence: 'did_not_run' });
    }
  });
});

describe('a rejection because of the state', () => {
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
    expect(result.kind).toBe('response');
    expect(operations()).toEqual([ASKED, 'Invoke', ASKED, 'Invoke']);
  });

  test('of a function reported as ready ends with retry_seconds, whatever its Retry-After', async () => {
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

test('a version in the function name is checked separately', async () => {
  lambda.setFunction('echo', {
    ...responding('new'),
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
  expect(result.kind).toBe('response');
  expect(operations()).toEqual(['Invoke']);
});

test('a list sends one state request per function and qualifier, not per entry', async () => {
  lambda.setFunction('echo', {
    ...responding('new'),
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
    // The same version, written in another way.
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
  expect(kinds).toEqual(Array(8).fill('response'));
  expect(operations().filter((operation) => operation === ASKED)).toHaveLength(2 + 1 + 1);
  expect(lambda.executions()).toHaveLength(8);
});

describe('an alias', () => {
  const PROVISIONING = 'GetProvisionedConcurrencyConfig';
  const ROUTING = 'GetAlias';
  const VERSIONS = { 1: {}, 2: {} };
  const WEIGHTED = { version: '2', routing: [{ weights: { 1: 0.1 }, lasts: { polls: 2 } }, {}] };
  const live = { qualifier: 'live' };
  /** Deploys a function with an alias that AWS still moves, and its provisioned concurrency. */
  const deploy = (parts: Partial<FunctionDefinition>): void =>
    lambda.setFunction('echo', {
      ...SAMPLE_FUNCTIONS.echo,
      versions: VERSIONS,
      aliases: { live: '2' },
      ...parts,
    });
  const versions = (): string[] => lambda.executions('echo').map(({ version }) => version);

  test('is waited for until its provisioned concurrency is ready, with a line a change', async () => {
    deploy({
      aliases: { live: { version: '2', routing: [{ weights: { 1: 1 }, lasts: { polls: 3 } }, {}] } },
      provisionedConcurrency: {
        live: {
          requested: 5,
          steps: [
            { status: 'IN_PROGRESS', lasts: { polls: 2 } },
            { status: 'IN_PROGRESS', available: 2, lasts: { polls: 1 } },
            { status: 'READY' },
          ],
        },
      },
    });
    const { states, lines, extras } = watching();
    await invokeOn(lambda, { invocation: live, extras });
    expect(lines).toEqual([
      'Provisioned concurrency of echo:live: 0 of 5 available',
      'echo:live routes 100% to version 1',
      'Provisioned concurrency of echo:live: 2 of 5 available',
      'Provisioned concurrency of echo:live: 5 of 5 available',
      'echo:live routes all invocations to version 2',
    ]);
    expect(states).toEqual(['ready']);
    expect(versions()).toEqual(['2']);
    expect(operations().filter((operation) => operation === ASKED)).toHaveLength(1);
  });

  test('in the name of the function is waited for too', async () => {
    deploy({ provisionedConcurrency: { live: { requested: 1 } } });
    const { lines, extras } = watching();
    const named = { functionName: 'echo:live', reference: { name: 'echo', qualifier: 'live' } };
    await invokeOn(lambda, { invocation: named, extras });
    expect(lines).toEqual(['Provisioned concurrency of echo:live: 1 of 1 available']);
  });

  test('whose provisioned concurrency fails is given up with the reason', async () => {
    deploy({ provisionedConcurrency: { live: { requested: 5, steps: [{ status: 'FAILED' }] } } });
    const { result, attempts } = await invokeOn(lambda, { invocation: live, extras: watching().extras });
    expect(attempts).toBe(0);
    expect(result).toMatchObject({
      name: 'ProvisionedConcurrencyFailed',
      message: 'the provisioned concurrency of echo:live could not be allocated: FUNCTION_ERROR_INIT_FAILURE',
      evidence: 'did_not_run',
    });
    expect(operations()).not.toContain('Invoke');
  });

  test('whose provisioned concurrency is not ready in time says how far it was', async () => {
    deploy({
      provisionedConcurrency: { live: { requested: 5, steps: [{ status: 'IN_PROGRESS', available: 2 }] } },
    });
    const { result } = await invokeOn(lambda, {
      invocation: live,
      timing: timeoutAtSleep(3),
      extras: watching().extras,
    });
    expect(result).toMatchObject({
      name: 'NotReady',
      message: 'timed out before the function was ready (provisioned concurrency: 2 of 5 available)',
    });
  });

  test('with weights is told, and not waited for', async () => {
    deploy({ aliases: { live: WEIGHTED } });
    const { lines, extras } = watching();
    await invokeOn(lambda, { invocation: live, extras });
    expect(lines).toEqual(['echo:live routes 10% to version 1']);
    expect(operations()).toEqual([ASKED, PROVISIONING, ROUTING, 'Invoke']);
  });

  test('with weights is waited for where the version is expected', async () => {
    deploy({ aliases: { live: WEIGHTED } });
    const { lines, extras } = watching({ expectsVersion: true });
    await invokeOn(lambda, { invocation: live, extras });
    expect(lines).toEqual([
      'echo:live routes 10% to version 1',
      'echo:live routes all invocations to version 2',
    ]);
    expect(versions()).toEqual(['2']);
  });

  test('that was ready for others is waited for by one that expects the version', async () => {
    deploy({ aliases: { live: WEIGHTED } });
    const { extras } = watching();
    const { readiness } = extras;
    await invokeOn(lambda, { invocation: live, extras });
    await invokeOn(lambda, {
      invocation: live,
      extras: { readiness: { ...readiness, expectsVersion: () => true } },
    });
    expect(operations().filter((operation) => operation === ROUTING)).toHaveLength(3);
  });

  test('with permanent weights is not invoked where the version is expected, and the message says why', async () => {
    deploy({ aliases: { live: { version: '2', routing: [{ weights: { 1: 0.25 } }] } } });
    const { result } = await invokeOn(lambda, {
      invocation: live,
      timing: timeoutAtSleep(3),
      extras: watching({ expectsVersion: true }).extras,
    });
    expect(result).toMatchObject({
      message: 'timed out before the function was ready (the alias still routes 25% to version 1)',
    });
  });

  test('that nobody may read is invoked all the same, and told once', async () => {
    denied.add(PROVISIONING).add(ROUTING);
    deploy({ aliases: { live: WEIGHTED } });
    const { hidden, states, extras } = watching({ expectsVersion: true });
    await invokeOn(lambda, { invocation: live, extras });
    let refusals = 0;
    lambda.setFault(({ operation }) => {
      if (operation !== 'Invoke' || refusals > 0) return undefined;
      refusals += 1;
      return NOT_READY_YET;
    });
    const { attempts } = await invokeOn(lambda, { invocation: live, extras });
    expect(attempts).toBe(2);
    expect(states).toEqual(['ready', 'ready']);
    expect(hidden.map(({ actions, failure }) => [actions, failure.name])).toEqual([
      [['lambda:GetProvisionedConcurrencyConfig', 'lambda:GetAlias'], 'AccessDeniedException'],
    ]);
    expect(operations().filter((operation) => operation === ROUTING)).toHaveLength(1);
  });

  test('is asked for again where a request is throttled or lost', async () => {
    deploy({ provisionedConcurrency: { live: { requested: 1 } } });
    lambda.setFault(({ operation }, n) => {
      if (operation === PROVISIONING && n === 1) return THROTTLED;
      return operation === ROUTING && n === 3 ? { kind: 'reset', when: 'after' } : undefined;
    });
    const { failed, hidden, extras } = watching();
    const { result } = await invokeOn(lambda, { invocation: live, extras });
    expect(result.kind).toBe('response');
    expect(failed.map(({ failure }) => failure.name)).toEqual(['TooManyRequestsException', 'ECONNRESET']);
    expect(hidden).toEqual([]);
  });

  test('is not looked for where the qualifier is a version, or there is none', async () => {
    deploy({ provisionedConcurrency: { live: { requested: 1 } } });
    for (const invocation of [{ qualifier: '1' }, { qualifier: '$LATEST' }, {}])
      await invokeOn(lambda, { invocation, extras: watching().extras });
    expect(new Set(operations())).toEqual(new Set([ASKED, 'Invoke']));
  });

  test('is waited for once by all who want it, each with its own deadline', async () => {
    deploy({
      provisionedConcurrency: {
        live: { requested: 5, steps: [{ status: 'IN_PROGRESS', lasts: { polls: 2 } }, { status: 'READY' }] },
      },
    });
    const { lines, extras } = watching();
    await Promise.all([1, 2, 3].map(() => invokeOn(lambda, { invocation: live, extras })));
    expect(operations().filter((operation) => operation === PROVISIONING)).toHaveLength(3);
    expect(lines).toHaveLength(2);
    expect(versions()).toEqual(['2', '2', '2']);
  });
});
