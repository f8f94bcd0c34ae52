import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type Fault, type LocalLambda, startLocalLambda } from '../../packages/local-lambda/server.ts';
import { Clients } from '../../src/lambda/client.ts';
import { streamOnce } from '../../src/lambda/stream.ts';
import { ECHO, type FakeTiming, fakeTiming, invokeOn, quietReadiness, useLambda } from './invoke-context.ts';

const HOUR_MS = 3_600_000;
let lambda: LocalLambda;
let restore: () => void;
let clients = new Clients({});

beforeAll(async () => {
  lambda = await startLocalLambda({ functions: { echo: { handler: ECHO } } });
  restore = useLambda(lambda.url);
});
afterEach(() => {
  lambda.reset();
  clients.close();
  clients = new Clients({});
});
afterAll(async () => {
  restore();
  clients.close();
  await lambda.close();
});

/** A machine with a clock that is wrong by the given time. */
function wrongBy(ms: number): FakeTiming {
  const timing = fakeTiming();
  return { ...timing, now: () => timing.now() + ms };
}

describe.each([
  { what: 'behind', offsetMs: -HOUR_MS, note: /\(the runner's clock is 60 min behind AWS's\)/ },
  { what: 'ahead', offsetMs: HOUR_MS, note: /\(the runner's clock is 60 min ahead of AWS's\)/ },
])('a clock that is an hour $what', ({ offsetMs, note }) => {
  test('is corrected by the first response, and the function runs once', async () => {
    const offsets: number[] = [];
    clients = new Clients({}, { onClockOffset: (offset) => offsets.push(offset) });
    const { result, attempts, waits } = await invokeOn(lambda, { clients, timing: wrongBy(offsetMs) });
    expect(result).toMatchObject({ kind: 'response', statusCode: 200 });
    expect(attempts).toBe(2);
    expect(lambda.requests).toHaveLength(2);
    expect(lambda.executions()).toHaveLength(1);
    expect(waits.map(({ failure }) => failure.name)).toEqual(['InvalidSignatureException']);
    expect(waits[0]?.failure.message).toMatch(note);
    expect(offsets).toHaveLength(1);
    expect(Math.abs((offsets[0] ?? 0) + offsetMs)).toBeLessThan(30_000);
  });

  test('is then corrected for the client', async () => {
    const timing = wrongBy(offsetMs);
    await invokeOn(lambda, { clients, timing });
    const { attempts } = await invokeOn(lambda, { clients, timing });
    expect(attempts).toBe(1);
    expect(lambda.requests).toHaveLength(3);
  });

  test('costs one more attempt for each concurrent invocation', async () => {
    const timing = wrongBy(offsetMs);
    const all = await Promise.all(Array.from({ length: 5 }, () => invokeOn(lambda, { clients, timing })));
    expect(all.map(({ result }) => result.kind)).toEqual(Array(5).fill('response'));
    expect(lambda.executions()).toHaveLength(5);
  });

  test('with retry: never fails the invocation with the reason, but not the next one', async () => {
    const options = { clients, timing: wrongBy(offsetMs), policy: { retry: 'never' as const } };
    const { result, attempts } = await invokeOn(lambda, options);
    expect(attempts).toBe(1);
    expect(result).toMatchObject({ name: 'InvalidSignatureException', evidence: 'did_not_run' });
    expect('message' in result && result.message).toMatch(note);
    expect((await invokeOn(lambda, options)).result.kind).toBe('response');
  });

  test('does not fail requests for the state', async () => {
    const readiness = quietReadiness();
    const { result, attempts } = await invokeOn(lambda, {
      clients,
      timing: wrongBy(offsetMs),
      extras: { readiness },
    });
    expect(result.kind).toBe('response');
    expect(attempts).toBe(1);
    expect(lambda.requests.map(({ operation }) => operation)).toEqual([
      'GetFunctionConfiguration',
      'GetFunctionConfiguration',
      'Invoke',
    ]);
  });

  test('does not fail a stream', async () => {
    const stream = { invokeOnce: streamOnce, onChunk: async () => {} };
    const { result } = await invokeOn(lambda, { clients, timing: wrongBy(offsetMs), extras: { stream } });
    expect(result.kind).toBe('response');
    expect(lambda.executions()).toHaveLength(1);
  });
});

test('the Date header of a successful response is ignored, because a proxy can have written it', async () => {
  const date = new Date(Date.now() + HOUR_MS).toUTCString();
  lambda.setFault((_, n) =>
    n === 0 ? { kind: 'raw', when: 'after', status: 200, headers: { date }, body: '{}' } : undefined,
  );
  expect((await invokeOn(lambda, { clients })).result).toMatchObject({ kind: 'response', statusCode: 200 });
  expect((await invokeOn(lambda, { clients })).attempts).toBe(1);
  expect(lambda.requests).toHaveLength(2);
});

describe('a rejected signature', () => {
  const refusal = (message: string, headers: Readonly<Record<string, string>> = {}): Fault => ({
    ...{ kind: 'error', when: 'before', status: 403, type: 'InvalidSignatureException', message },
    headers,
  });
  const date = (offsetMs: number) => ({ date: new Date(Date.now() + offsetMs).toUTCString() });
  const expired = 'Signature expired: 20260101T000000Z is now earlier than 20260101T010000Z';

  test.each([
    ['because of its time although the clock is correct', refusal(expired)],
    ['for a reason other than its time', refusal('The signature does not match.', date(HOUR_MS))],
  ])('%s is final', async (_, fault) => {
    lambda.setFault(() => fault);
    const { result, attempts } = await invokeOn(lambda, { clients });
    expect(attempts).toBe(1);
    expect(result).toMatchObject({
      name: 'InvalidSignatureException',
      evidence: 'did_not_run',
      mayClear: false,
    });
  });

  test('because of a different time on each attempt ends with retry_seconds', async () => {
    lambda.setFault((_, n) => refusal(expired, date(n % 2 === 0 ? HOUR_MS : -HOUR_MS)));
    const { result } = await invokeOn(lambda, { clients });
    expect('message' in result && result.message).toContain('gave up: retry_seconds is exhausted');
    expect(lambda.requests.length).toBeLessThan(25);
    expect(lambda.executions()).toHaveLength(0);
  });

  test.each([
    ['RequestTimeTooSkewed', 403],
    ['RequestTimeTooSkewed', 400],
  ])('with the name %s and status %i is because of its time', async (type, status) => {
    lambda.setFault((_, n) =>
      n === 0
        ? { kind: 'error', when: 'before', status, type, message: 'no', headers: date(HOUR_MS) }
        : undefined,
    );
    const { attempts } = await invokeOn(lambda, { clients, timing: wrongBy(0) });
    expect(attempts).toBeGreaterThan(1);
  });
});
