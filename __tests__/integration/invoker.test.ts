import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { SAMPLE_FUNCTIONS } from '../../packages/local-lambda/sample-functions.ts';
import {
  type Fault,
  type LocalLambda,
  startLocalLambda,
  throttle,
} from '../../packages/local-lambda/server.ts';
import { portOf } from '../../packages/local-server/listening.ts';
import { Clients } from '../../src/lambda/client.ts';
import { invokeOnce } from '../../src/lambda/invoke.ts';
import { invokeEach } from '../../src/lambda/invoker.ts';
import { AdaptiveLimiter } from '../../src/lambda/limiter.ts';
import { REAL_TIMING } from '../../src/lambda/timing.ts';
import { unusedUrl } from '../e2e/step.ts';
import '../unit/realm.ts';
import {
  ECHO,
  fakeTiming,
  freshIds,
  INVOCATION,
  invokeOn,
  POLICY,
  SLOW,
  timeoutAtSleep,
  useLambda,
} from './invoke-context.ts';

let lambda: LocalLambda;
let restore: () => void;

beforeAll(async () => {
  lambda = await startLocalLambda({
    functions: {
      echo: { handler: ECHO, versions: { 1: {} } },
      slow: { handler: SLOW, timeoutSeconds: 30 },
      order: {
        ...SAMPLE_FUNCTIONS['durable-order'],
        durable: { executionTimeoutSeconds: 60, timeScale: 0.01 },
      },
      'no-tail': { handler: ECHO, tailLogsUnsupported: true },
      'log-elsewhere': { handler: ECHO, logDestination: { logGroup: '/app/logs', logStreamName: 'one' } },
    },
  });
  restore = useLambda(lambda.url);
});
afterEach(() => lambda.reset());
afterAll(async () => {
  restore();
  await lambda.close();
});

const ORDER = { functionName: 'order', reference: { name: 'order' }, qualifier: 'live' };

/** Faults for the first requests, then none. */
const first = (...faults: readonly Fault[]): void => lambda.setFault((_, n) => faults[n]);
const THROTTLED = throttle('ReservedFunctionConcurrentInvocationLimitExceeded');
const GONE = 'ResourceNotFoundException';
const PENDING: Extract<Fault, { kind: 'error' }> = {
  kind: 'error',
  when: 'before',
  status: 409,
  type: 'CodeArtifactUserPendingException',
  message: 'The function is waking.',
};

describe('a response', () => {
  test('has the data from Lambda', async () => {
    const { result, region, attempts } = await invokeOn(lambda, { invocation: { logType: 'Tail' } });
    expect(result).toMatchObject({ kind: 'response', statusCode: 200, executedVersion: '$LATEST' });
    expect(result.kind === 'response' && new TextDecoder().decode(result.payload)).toBe('{"a":1}');
    expect(result.kind === 'response' && new TextDecoder().decode(result.logTail)).toContain(
      'REPORT RequestId',
    );
    expect(result.requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(region).toBe('us-east-1');
    expect(attempts).toBe(1);
  });

  test('without a request ID is still from Lambda if the status and body match', async () => {
    lambda.setFault(() => ({ kind: 'omit-request-id' }));
    const { result } = await invokeOn(lambda);
    expect(result).toMatchObject({ kind: 'response', statusCode: 200 });
    expect(result.requestId).toBeUndefined();
  });
});

describe('the retry policy', () => {
  const unreachable: Fault = { kind: 'close', when: 'before' };
  const rows: readonly (readonly [fault: string, policy: 'safe' | 'idempotent' | 'never', sent: number])[] = [
    ['throttled', 'safe', 2],
    ['throttled', 'idempotent', 2],
    ['throttled', 'never', 1],
    ['lost before it ran', 'safe', 1],
    ['lost before it ran', 'idempotent', 2],
    ['lost before it ran', 'never', 1],
    ['lost after it ran', 'safe', 1],
    ['lost after it ran', 'idempotent', 2],
    ['lost after it ran', 'never', 1],
    ['500 ServiceException', 'safe', 1],
    ['500 ServiceException', 'idempotent', 2],
    ['500 ServiceException', 'never', 1],
    ['404', 'safe', 1],
    ['404', 'idempotent', 1],
    ['410 EFSIOException', 'idempotent', 1],
  ];
  const faults: Readonly<Record<string, Fault>> = {
    throttled: THROTTLED,
    'lost before it ran': unreachable,
    'lost after it ran': { kind: 'reset', when: 'after' },
    '500 ServiceException': {
      kind: 'error',
      when: 'after',
      status: 500,
      type: 'ServiceException',
      message: 'Internal error',
    },
    '404': { kind: 'error', when: 'before', status: 404, type: 'ResourceNotFoundException', message: 'no' },
    '410 EFSIOException': {
      kind: 'error',
      when: 'after',
      status: 410,
      type: 'EFSIOException',
      message: 'I/O',
    },
  };

  test.each(rows)('for %s with %s makes %i attempts', async (fault, retry, sent) => {
    const injected = faults[fault];
    if (injected === undefined) throw new Error(`no fault ${fault}`);
    first(injected);
    const { result, attempts } = await invokeOn(lambda, { policy: { retry } });
    expect(lambda.requests).toHaveLength(sent);
    expect(attempts).toBe(sent);
    expect(result.kind).toBe(sent === 2 ? 'response' : 'failure');
  });

  test.each([
    { what: 'a dry run', invocation: { invocationType: 'DryRun' as const } },
    { what: 'a named durable execution', invocation: { ...ORDER, durableExecutionName: 'order-7' } },
  ])('$what can always be retried, except with never', async ({ invocation }) => {
    first({ kind: 'reset', when: 'after' });
    expect((await invokeOn(lambda, { invocation })).attempts).toBe(2);
    lambda.reset();
    first({ kind: 'reset', when: 'after' });
    expect((await invokeOn(lambda, { invocation, policy: { retry: 'never' } })).attempts).toBe(1);
  });

  test.each([
    { what: 'that is not durable', invocation: { qualifier: '1' } },
    { what: 'without a qualifier, which durable functions need', invocation: {} },
  ])('the name of an execution proves nothing for a function $what', async ({ invocation }) => {
    first({ kind: 'reset', when: 'after' });
    const { result, attempts } = await invokeOn(lambda, {
      invocation: { ...invocation, durableExecutionName: 'order-7' },
    });
    expect(attempts).toBe(1);
    expect(result).toMatchObject({ kind: 'failure', evidence: 'may_have_run' });
    expect(lambda.executions('echo')).toHaveLength(1);
  });

  test('a lost dry run never ran', async () => {
    lambda.setFault(() => ({ kind: 'reset', when: 'after' }));
    const { result } = await invokeOn(lambda, {
      invocation: { invocationType: 'DryRun' },
      policy: { retry: 'never' },
    });
    expect(result).toMatchObject({ kind: 'failure', evidence: 'did_not_run' });
  });

  test('an invocation that may have run keeps that outcome and its send time, even if the next attempt is rejected', async () => {
    const timing = fakeTiming();
    const sentAt: number[] = [];
    lambda.setFault((_, n) => {
      sentAt.push(timing.now());
      return [{ kind: 'reset', when: 'after' } as const, { ...PENDING, status: 404, type: GONE }][n];
    });
    const { result } = await invokeOn(lambda, { timing, policy: { retry: 'idempotent' } });
    expect(result).toMatchObject({ kind: 'failure', name: GONE, evidence: 'may_have_run' });
    // The fake clock advances only by the wait of 200 ms between the two.
    const [first = 0, second = 0] = sentAt;
    const told = result.kind === 'failure' ? (result.sentAt?.getTime() ?? 0) : 0;
    expect(second - first).toBeGreaterThanOrEqual(199);
    expect(told).toBeLessThanOrEqual(first);
  });

  test('a lost connection on a reused socket proves nothing', async () => {
    first(THROTTLED, { kind: 'reset', when: 'after' });
    const { result } = await invokeOn(lambda);
    expect(result).toMatchObject({ kind: 'failure', evidence: 'may_have_run', sentAt: expect.any(Date) });
    expect(lambda.executions()).toHaveLength(1);
  });

  test('AWS_MAX_ATTEMPTS changes nothing', async () => {
    process.env['AWS_MAX_ATTEMPTS'] = '7';
    lambda.setFault(() => ({ kind: 'reset', when: 'after' }));
    const { attempts } = await invokeOn(lambda);
    delete process.env['AWS_MAX_ATTEMPTS'];
    expect(attempts).toBe(1);
    expect(lambda.requests).toHaveLength(1);
    expect(lambda.executions()).toHaveLength(1);
  });
});

describe('waiting', () => {
  test('is full jitter from 200 ms, doubled up to 15 s', async () => {
    const timing = fakeTiming(() => 0.999);
    first(...Array.from({ length: 9 }, () => THROTTLED));
    const { result, attempts, waits } = await invokeOn(lambda, { timing });
    expect(result.kind).toBe('response');
    expect(attempts).toBe(10);
    expect(timing.slept).toEqual([200, 400, 799, 1598, 3197, 6394, 12787, 14985, 14985]);
    expect(waits.map(({ waitMs }) => waitMs)).toEqual(timing.slept);
    expect(waits[0]?.failure).toMatchObject({
      name: 'TooManyRequestsException',
      reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
    });
    expect(lambda.executions()).toHaveLength(1);
  });

  test('can be as short as the random number allows', async () => {
    const timing = fakeTiming(() => 0);
    first(THROTTLED, THROTTLED);
    await invokeOn(lambda, { timing });
    expect(timing.slept).toEqual([0, 0]);
  });

  test('is at least Retry-After', async () => {
    const timing = fakeTiming(() => 0.5);
    first({ ...THROTTLED, headers: { 'retry-after': '20' } });
    const { attempts } = await invokeOn(lambda, { timing });
    expect(timing.slept).toEqual([20_000]);
    expect(attempts).toBe(2);
  });

  test('ends with the last retry at the end of retry_seconds, and reports the attempts', async () => {
    const timing = fakeTiming(() => 0.999);
    lambda.setFault(() => THROTTLED);
    const { result, waits } = await invokeOn(lambda, { timing, policy: { retryMs: 5_000 } });
    expect(timing.slept.slice(0, -1)).toEqual([200, 400, 799, 1598]);
    expect(timing.slept.at(-1)).toBe(waits.at(-1)?.leftMs);
    expect(timing.slept.at(-1)).toBeLessThanOrEqual(5_000 - 200 - 400 - 799 - 1_598);
    expect(result).toMatchObject({
      evidence: 'did_not_run',
      message: 'Rate Exceeded (sent 6 times in 5 s; gave up: retry_seconds is exhausted)',
    });
  });

  test('also ends at timeout_seconds', async () => {
    const timing = fakeTiming(() => 0.999);
    lambda.setFault(() => THROTTLED);
    await invokeOn(lambda, { timing, policy: { timeoutMs: 1_000 } });
    expect(timing.slept).toEqual([200, 400]);
  });

  test('outlasts a function that wakes for 20 s, which then runs once', async () => {
    const timing = fakeTiming();
    const start = timing.now();
    lambda.setFault(() => (timing.now() - start < 20_000 ? PENDING : undefined));
    const { result, attempts, elapsedMs } = await invokeOn(lambda, { timing });
    expect(result).toMatchObject({ kind: 'response', statusCode: 200 });
    expect(attempts).toBeGreaterThan(5);
    expect(elapsedMs).toBeGreaterThanOrEqual(20_000);
    expect(lambda.executions()).toHaveLength(1);
  });
});

test('a function in the state Failed is not retried', async () => {
  const message =
    'The operation cannot be performed at this time. The function is currently in the following state: Failed';
  lambda.setFault(() => ({ ...PENDING, type: 'ResourceConflictException', message }));
  const { result, attempts } = await invokeOn(lambda);
  expect(attempts).toBe(1);
  expect(result).toMatchObject({ evidence: 'did_not_run', mayClear: false, message });
});

test.each(['safe', 'idempotent'] as const)(
  'a dry run that may have run something is not retried with %s, and says so',
  async (retry) => {
    lambda.setFault(() => ({ kind: 'raw', when: 'after', status: 200, headers: {}, body: '{}' }));
    const { result, attempts } = await invokeOn(lambda, {
      invocation: { invocationType: 'DryRun' },
      policy: { retry },
    });
    expect(attempts).toBe(1);
    expect(result).toMatchObject({ evidence: 'may_have_run', mayClear: false });
  },
);

describe('a Retry-After', () => {
  test.each(['200', '1e300', '99999999999'])(
    'of %s s that leaves no time for a retry ends the wait',
    async (seconds) => {
      const timing = fakeTiming();
      lambda.setFault(() => ({ ...THROTTLED, headers: { 'retry-after': seconds } }));
      const { result, attempts } = await invokeOn(lambda, { timing });
      expect(attempts).toBe(1);
      expect(timing.slept).toEqual([]);
      expect(result.kind === 'failure' && result.message).toMatch(
        /^Rate Exceeded \(gave up: Lambda asks to wait \S+ s, which is longer than the time left\)$/,
      );
    },
  );
});

describe('an unreachable endpoint', () => {
  const spent = (slept: readonly number[]): number => slept.reduce((sum, ms) => sum + ms, 0);

  test('ends the invocation within 15 s without sending it', async () => {
    const back = useLambda(await unusedUrl());
    const timing = fakeTiming();
    const { result, attempts } = await invokeOn(lambda, { timing });
    back();
    expect(spent(timing.slept)).toBeLessThanOrEqual(15_000);
    expect(attempts).toBe(8);
    expect(result).toMatchObject({ kind: 'failure', name: 'ECONNREFUSED', evidence: 'did_not_run' });
    expect(result).not.toHaveProperty('sentAt');
    expect(result.kind === 'failure' && result.message).toMatch(
      /^connect ECONNREFUSED \S+ \(tried 8 times in 15 s; gave up: waiting longer does not clear this error\)$/,
    );
  });

  test('ends the invocation within 15 s if it provides the credentials', async () => {
    const back = useLambda(lambda.url);
    Object.assign(process.env, {
      ...{ AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' },
      ...{ AWS_ENDPOINT_URL_STS: await unusedUrl(), AWS_MAX_ATTEMPTS: '1' },
      ...{
        AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/deploy',
        AWS_WEB_IDENTITY_TOKEN_FILE: import.meta.filename,
      },
    });
    const timing = fakeTiming();
    const { result } = await invokeOn(lambda, { timing });
    back();
    expect(spent(timing.slept)).toBeLessThanOrEqual(15_000);
    expect(timing.slept.length).toBeGreaterThan(1);
    expect(result).toMatchObject({
      ...{ name: 'CredentialsUnavailable', evidence: 'did_not_run' },
      message: expect.stringContaining('gave up: waiting longer does not clear this error'),
    });
    expect(lambda.requests).toHaveLength(0);
  });

  test('ends the invocation at retry_seconds if that is earlier', async () => {
    const back = useLambda(await unusedUrl());
    const { result, attempts } = await invokeOn(lambda, { policy: { retryMs: 1_000 } });
    back();
    expect(attempts).toBe(4);
    expect(result.kind === 'failure' && result.message).toContain('gave up: retry_seconds is exhausted');
  });

  test('has 15 s after it becomes unreachable, and the message has the earlier attempts', async () => {
    // It throttles for a minute, then stops listening.
    const timing = fakeTiming();
    const server = createHttpServer((request, response) => {
      request.resume();
      response.writeHead(429, { 'retry-after': '60', connection: 'close', 'x-amzn-requestid': 'one' });
      response.end('{}');
      server.close();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const back = useLambda(`http://127.0.0.1:${portOf(server)}`);
    const { result, attempts } = await invokeOn(lambda, { timing });
    back();
    const [throttled = 0, ...refused] = timing.slept;
    expect(throttled).toBe(60_000);
    expect(refused.length).toBeGreaterThan(1);
    expect(spent(refused)).toBeLessThanOrEqual(15_000);
    expect(result.kind === 'failure' && result.message).toContain(
      `tried ${attempts} times and sent once in `,
    );
  });
});

describe('after a failure of another invocation with stop_on_failure, an invocation that was throttled', () => {
  const GAVE_UP = { name: 'TooManyRequestsException', evidence: 'did_not_run' };
  const MESSAGE = 'Rate Exceeded (gave up: another invocation failed)';

  test('does not wait for its retry', async () => {
    first({ ...THROTTLED, headers: { 'retry-after': '20' } });
    const halt = new AbortController();
    setTimeout(() => halt.abort(), 200);
    const { result, elapsedMs } = await invokeOn(lambda, { timing: REAL_TIMING, halt: halt.signal });
    expect(result).toMatchObject({ ...GAVE_UP, message: MESSAGE });
    expect(elapsedMs).toBeLessThan(10_000);
    expect(lambda.requests).toHaveLength(1);
  });

  test('is not sent when its turn comes', async () => {
    first(THROTTLED);
    const limiter = new AdaptiveLimiter(1);
    const halt = new AbortController();
    const timing = {
      ...fakeTiming(),
      // Another invocation takes its place, and fails.
      sleep: async () => {
        const taken = await limiter.acquire(0, new AbortController().signal);
        setTimeout(() => {
          halt.abort();
          taken?.release('otherwise');
        }, 50);
      },
    };
    const { result } = await invokeOn(lambda, { timing, limiter, halt: halt.signal });
    expect(result).toMatchObject({ ...GAVE_UP, message: MESSAGE });
    expect(lambda.requests).toHaveLength(1);
    expect(await limiter.acquire(0, new AbortController().signal)).toBeDefined();
  });
});

describe('a list', () => {
  const contextWith = (clients: Clients, limiter: AdaptiveLimiter) => ({
    clients,
    limiter,
    requestIds: freshIds(),
    policy: POLICY,
    timing: fakeTiming(),
    cancel: new AbortController().signal,
    onWait: () => {},
  });
  const list = (count: number) => Array.from({ length: count }, (_, index) => ({ ...INVOCATION, index }));

  test('is sent in its order', async () => {
    const clients = new Clients({});
    const bodies = list(5).map((invocation) => ({
      ...invocation,
      payload: new TextEncoder().encode(String(invocation.index)),
    }));
    const ended: number[] = [];
    await invokeEach(bodies, contextWith(clients, new AdaptiveLimiter(1)), async ({ invocation }) => {
      ended.push(invocation.index);
    });
    clients.close();
    expect(lambda.requests.map(({ body }) => String(body))).toEqual(['0', '1', '2', '3', '4']);
    expect(ended).toEqual([0, 1, 2, 3, 4]);
  });

  test.each([
    { what: '429', fault: THROTTLED },
    { what: '400 ThrottlingException', fault: { ...PENDING, status: 400, type: 'ThrottlingException' } },
  ])('that is throttled with $what then has fewer concurrent attempts', async ({ fault }) => {
    const limiter = new AdaptiveLimiter(8);
    const bounds: number[] = [];
    lambda.setFault((_, n) => {
      bounds.push(limiter.limit);
      return n < 8 ? fault : undefined;
    });
    const clients = new Clients({});
    const kinds: string[] = [];
    await invokeEach(list(8), contextWith(clients, limiter), async ({ result }) => {
      kinds.push(result.kind);
    });
    clients.close();
    expect(bounds[0]).toBe(8);
    expect(Math.min(...bounds)).toBeLessThanOrEqual(4);
    expect(kinds).toEqual(Array(8).fill('response'));
  });

  test('that is rejected for another reason keeps its concurrency', async () => {
    const limiter = new AdaptiveLimiter(8);
    first(...Array<Fault>(8).fill(PENDING));
    const clients = new Clients({});
    await invokeEach(list(8), contextWith(clients, limiter), async () => {});
    clients.close();
    expect(limiter.limit).toBe(8);
  });

  test('reports once that all invocations have ended', async () => {
    const clients = new Clients({});
    const told: string[] = [];
    const context = { ...contextWith(clients, new AdaptiveLimiter(2)), onAllEnded: () => told.push('all') };
    await invokeEach(list(3), context, async ({ invocation }) => {
      await nextTurn();
      told.push(String(invocation.index));
    });
    clients.close();
    expect(told.slice(0, 3).toSorted()).toEqual(['0', '1', '2']);
    expect(told.slice(3)).toEqual(['all']);
  });
});

describe('timeout_seconds', () => {
  test('after sending leaves the outcome unknown, and the function continues', async () => {
    const { result, attempts } = await invokeOn(lambda, {
      invocation: { functionName: 'slow', payload: new TextEncoder().encode('{"ms":1000}') },
      policy: { timeoutMs: 700, retry: 'idempotent' },
    });
    expect(result).toMatchObject({
      kind: 'failure',
      name: 'DeadlineExceeded',
      evidence: 'may_have_run',
      sentAt: expect.any(Date),
    });
    expect(attempts).toBe(1);
    await lambda.idle();
    expect(lambda.executions()).toHaveLength(1);
  });

  test('before the connection is established proves that nothing ran', async () => {
    // Accepts connections and stays silent, so that a TLS handshake does not end.
    const silent = createServer((socket) => socket.on('error', () => undefined));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const back = useLambda(`https://127.0.0.1:${portOf(silent)}`);
    const { result } = await invokeOn(lambda, { policy: { timeoutMs: 300 } });
    back();
    silent.close();
    expect(result).toMatchObject({ kind: 'failure', name: 'DeadlineExceeded', evidence: 'did_not_run' });
    expect(result).not.toHaveProperty('sentAt');
  });

  test('aborts a response that does not end, and keeps its request ID', async () => {
    lambda.setFault(() => ({ kind: 'slow-body', chunkBytes: 1, delayMs: 400 }));
    const { result } = await invokeOn(lambda, { policy: { timeoutMs: 1_000 } });
    expect(result).toMatchObject({
      name: 'DeadlineExceeded',
      evidence: 'may_have_run',
      statusCode: 200,
      requestId: lambda.executions()[0]?.requestId,
    });
  });
});

describe('cancellation', () => {
  test('before sending sends nothing', async () => {
    const { result, attempts } = await invokeOn(lambda, { cancel: AbortSignal.abort() });
    expect(result).toMatchObject({ name: 'Cancelled', evidence: 'did_not_run' });
    expect(attempts).toBe(0);
    expect(lambda.requests).toHaveLength(0);
  });

  test('of a request is reported even if timeout_seconds is also exceeded', async () => {
    const over = AbortSignal.abort();
    const bounds = { deadline: over, cancel: over, stop: over, timing: fakeTiming() };
    const clients = new Clients({});
    const ends = await invokeOnce(
      clients.of(undefined),
      { ...INVOCATION, payload: Buffer.from('{}') },
      bounds,
    );
    clients.close();
    expect(ends).toMatchObject({ name: 'Cancelled', evidence: 'did_not_run' });
  });

  test('of a wait is reported even if timeout_seconds is also exceeded', async () => {
    const cancel = new AbortController();
    const timing = timeoutAtSleep(2, () => cancel.abort());
    lambda.setFault(() => THROTTLED);
    const { result } = await invokeOn(lambda, { cancel: cancel.signal, timing });
    expect(result).toMatchObject({
      message: 'Rate Exceeded (sent 2 times in 1 s; then the workflow was cancelled)',
    });
    const late = await invokeOn(lambda, { timing: timeoutAtSleep(2) });
    expect(late.result).toMatchObject({
      message: 'Rate Exceeded (sent 2 times in 1 s; gave up: timeout_seconds is exhausted)',
    });
  });

  test('after sending leaves the outcome unknown', async () => {
    const cancel = new AbortController();
    lambda.setFault(() => {
      setTimeout(() => cancel.abort(), 50);
      return { kind: 'stall', when: 'after' };
    });
    const { result } = await invokeOn(lambda, { cancel: cancel.signal });
    expect(result).toMatchObject({ name: 'Cancelled', evidence: 'may_have_run' });
  });

  test('during a wait ends it immediately, and nothing ran', async () => {
    const cancel = new AbortController();
    lambda.setFault(() => {
      setTimeout(() => cancel.abort(), 50);
      return { ...THROTTLED, headers: { 'retry-after': '100' } };
    });
    const startedAt = Date.now();
    const { result } = await invokeOn(lambda, { cancel: cancel.signal, timing: REAL_TIMING });
    expect(Date.now() - startedAt).toBeLessThan(10_000);
    expect(result).toMatchObject({
      evidence: 'did_not_run',
      message: 'Rate Exceeded (then the workflow was cancelled)',
    });
    expect(lambda.requests).toHaveLength(1);
  });
});

describe('unusual responses', () => {
  const page = '<html><body>Bad gateway</body></html>';
  const raw = (status: number, body: string, type = 'text/html'): Fault => ({
    kind: 'raw',
    when: 'before',
    status,
    headers: { 'content-type': type },
    body,
  });
  const rows = [
    [502, page, 'may_have_run', `A proxy or firewall responded instead of Lambda: ${page}`],
    [403, page, 'did_not_run', `A proxy or firewall responded instead of Lambda: ${page}`],
    [404, 'no such route', 'did_not_run', 'A proxy or firewall responded instead of Lambda: no such route'],
    [
      503,
      '<?xml version="1.0"?><Error/>',
      'may_have_run',
      'A proxy or firewall responded instead of Lambda: <?xml version="1.0"?><Error/>',
    ],
    [500, '', 'may_have_run', 'A proxy or firewall responded instead of Lambda, with an empty response'],
    [200, '', 'may_have_run', 'A proxy or firewall responded instead of Lambda, with an empty response'],
    [200, page, 'may_have_run', `A proxy or firewall responded instead of Lambda: ${page}`],
    [302, page, 'did_not_run', `A proxy or firewall responded instead of Lambda: ${page}`],
    [429, 'slow down', 'did_not_run', 'A proxy or firewall responded instead of Lambda: slow down'],
  ] as const;

  test.each(rows)('HTTP %i with %j: %s', async (status, body, evidence, message) => {
    lambda.setFault(() => raw(status, body));
    const { result } = await invokeOn(lambda, { policy: { retry: 'never' } });
    expect(result).toMatchObject({
      kind: 'failure',
      name: `HTTP ${status}`,
      evidence,
      message,
      statusCode: status,
    });
  });

  test('a truncated response is an incomplete response, not a SyntaxError', async () => {
    lambda.setFault(() => ({ kind: 'truncate', bytes: 3 }));
    const { result } = await invokeOn(lambda);
    expect(result).toMatchObject({
      name: 'IncompleteResponse',
      evidence: 'may_have_run',
      statusCode: 200,
      requestId: lambda.executions()[0]?.requestId,
    });
    expect(result.kind === 'failure' && result.message).toMatch(
      /^the response \(HTTP 200\) is incomplete \(/,
    );
  });

  test('headers over the limit of Node.js are a failure with a name', async () => {
    lambda.setFault(() => ({
      kind: 'raw',
      when: 'after',
      status: 200,
      headers: { 'x-large': 'x'.repeat(20_000) },
      body: '{}',
    }));
    const { result } = await invokeOn(lambda);
    expect(result).toMatchObject({ name: 'HPE_HEADER_OVERFLOW', evidence: 'may_have_run' });
  });

  test('an error name that is not from Lambda is not repeated', async () => {
    lambda.setFault(() => ({
      kind: 'raw',
      when: 'before',
      status: 400,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ code: 'x\n::error::y', message: 'z' }),
    }));
    const { result } = await invokeOn(lambda);
    expect(result).toMatchObject({ kind: 'failure', name: 'HTTP 400', evidence: 'did_not_run' });
  });
});

describe('unsupported log tails', () => {
  test('a function without support is invoked without one, and runs once', async () => {
    const { result, attempts, tailRefused } = await invokeOn(lambda, {
      invocation: { functionName: 'no-tail', logType: 'Tail' },
    });
    expect(result).toMatchObject({ kind: 'response', statusCode: 200 });
    expect(attempts).toBe(2);
    expect(tailRefused).toBe(true);
    expect(lambda.executions()).toHaveLength(1);
  });

  test('with never it is not retried', async () => {
    const { result, attempts } = await invokeOn(lambda, {
      invocation: { functionName: 'no-tail', logType: 'Tail' },
      policy: { retry: 'never' },
    });
    expect(result).toMatchObject({
      kind: 'failure',
      name: 'InvalidParameterValueException',
      evidence: 'did_not_run',
    });
    expect(attempts).toBe(1);
  });
});
