import { Buffer } from 'node:buffer';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  type LambdaRequest,
  LOGS_THROTTLE,
  type LocalLambda,
  startLocalLambda,
} from '../../packages/local-lambda/server.ts';
import { Clients } from '../../src/lambda/client.ts';
import type { InvokeFailure, InvokeResponse } from '../../src/lambda/invocation.ts';
import { REAL_TIMING, type Timing } from '../../src/lambda/timing.ts';
import { LogsClients } from '../../src/logs/client.ts';
import { waitForEvent } from '../../src/logs/event.ts';
import { anInvocation } from '../base.ts';
import { ECHO, useLambda } from './invoke-context.ts';

const GROUP = '/aws/lambda/echo';
const ID = '11111111-2222-4333-8444-555555555555';
const SECOND = 1_000;
const MINUTE = 60 * SECOND;

let lambda: LocalLambda;
let clients: Clients;
let restore: () => void;
// The first requests to Lambda are signed with this clock, which must be correct.
let begin = Date.now();
let clock = begin;
let denied: (request: LambdaRequest) => boolean;

beforeAll(async () => {
  lambda = await startLocalLambda({
    functions: {
      echo: { handler: ECHO },
      once: { handler: ECHO, eventInvokeConfigs: { $LATEST: { maximumRetryAttempts: 0 } } },
      young: { handler: ECHO, eventInvokeConfigs: { $LATEST: { maximumEventAgeSeconds: 60 } } },
      quiet: { handler: ECHO, logFormat: 'JSON', systemLogLevel: 'WARN' },
    },
    now: () => clock,
    deny: (request) => (denied(request) ? { kind: 'no-identity-policy' } : undefined),
  });
  restore = useLambda(lambda.url);
  process.env['AWS_ENDPOINT_URL_CLOUDWATCH_LOGS'] = lambda.url;
  clients = new Clients({});
});
beforeEach(() => {
  lambda.reset();
  begin = Date.now();
  clock = begin;
  denied = () => false;
});
afterAll(async () => {
  clients.close();
  restore();
  await lambda.close();
});

/** Something that happens the given number of milliseconds after the event was accepted. */
type Moment = Readonly<{ at: number; happens: () => void }>;

function virtualTiming(moments: readonly Moment[]): Timing {
  const left = moments.toSorted((one, other) => one.at - other.at);
  return {
    now: () => clock,
    random: () => 0,
    sleep: async (ms, signal) => {
      if (signal.aborted) return;
      const until = clock + ms;
      while (left[0] !== undefined && begin + left[0].at <= until) {
        clock = begin + left[0].at;
        left.shift()?.happens();
      }
      clock = until;
    },
    after: REAL_TIMING.after,
  };
}

const log = (name: string, stream: string, message: string) => (): void =>
  lambda.logs.write({ logGroup: `/aws/lambda/${name}`, logStream: stream, message });

/** An attempt in the log: with a status in JSON, or with Lambda's lines in text. */
const jsonTry = (at: number, status: string, name = 'echo', stream = `stream-${at}`): Moment[] => {
  const line = (type: string, record: object): string =>
    JSON.stringify({ time: new Date(begin + at).toISOString(), type: `platform.${type}`, record });
  const metrics = { durationMs: 12.5, billedDurationMs: 13, memorySizeMB: 128, maxMemoryUsedMB: 40 };
  return [
    { at, happens: log(name, stream, line('start', { requestId: ID, version: '$LATEST' })) },
    { at: at + 50, happens: log(name, stream, line('report', { requestId: ID, status, metrics })) },
  ];
};
const textTry = (at: number, status = '', name = 'echo'): Moment[] => [
  { at, happens: log(name, 'stream', `START RequestId: ${ID} Version: $LATEST\n`) },
  {
    at: at + 50,
    happens: log(
      name,
      'stream',
      `REPORT RequestId: ${ID}\tDuration: 12.50 ms\tBilled Duration: 13 ms\t${status}\n`,
    ),
  },
];

const accept = (): InvokeResponse => ({
  kind: 'response',
  statusCode: 202,
  requestId: ID,
  sentAs: ID,
  sentAt: new Date(begin),
  payload: Buffer.alloc(0),
});

type Waited = Readonly<{
  result: InvokeResponse | InvokeFailure;
  tries: readonly string[];
  hidden: number;
  seconds: number;
}>;

async function wait(
  moments: readonly Moment[],
  given: Readonly<{
    name?: string;
    timeoutAt?: number;
    cancelAt?: number;
    accepted?: Partial<InvokeResponse>;
  }> = {},
): Promise<Waited> {
  const { name = 'echo', timeoutAt, cancelAt, accepted } = given;
  const [deadline, cancel, stop] = [new AbortController(), new AbortController(), new AbortController()];
  const ends = (at: number | undefined, which: AbortController): Moment[] =>
    at === undefined ? [] : [{ at, happens: () => [which, stop].map((one) => one.abort()) }];
  const timing = virtualTiming([...moments, ...ends(timeoutAt, deadline), ...ends(cancelAt, cancel)]);
  const requests = { timing, cancel: cancel.signal, apartMs: 0 };
  const tries: string[] = [];
  let hidden = 0;
  const result = await waitForEvent(
    { ...accept(), ...accepted },
    anInvocation({ functionName: name, reference: { name }, invocationType: 'Event' }),
    {
      ...{ timing, deadline: deadline.signal, cancel: cancel.signal, stop: stop.signal },
      api: clients.of('us-east-1'),
      logs: new LogsClients((region) => clients.settingsFor(region), requests),
      onTry: ({ number, state }) => tries.push(`${number} ${state}`),
      onHiddenConfiguration: () => {
        hidden += 1;
      },
    },
  );
  return { result, tries, hidden, seconds: (clock - begin) / SECOND };
}

const errorOf = ({ result }: Waited): unknown =>
  result.kind === 'response' ? JSON.parse(Buffer.from(result.payload).toString()) : undefined;
const unresolved = ({ result }: Waited) => (result.kind === 'failure' ? result.event : undefined);

describe('in a JSON log', () => {
  test('a successful attempt ends the wait, with its figures', async () => {
    const waited = await wait(jsonTry(500, 'success'));
    expect(waited.result).toMatchObject({ kind: 'response', statusCode: 202 });
    expect(waited.result).not.toHaveProperty('functionError');
    expect(
      Buffer.from(waited.result.kind === 'response' ? (waited.result.logTail ?? '') : '').toString(),
    ).toContain('"durationMs":12.5');
    expect(waited.tries).toEqual(['1 started', '1 success']);
    expect(waited.seconds).toBeLessThanOrEqual(4);
  });

  test('a failed attempt is followed by others, and a successful one ends the wait', async () => {
    const waited = await wait([
      ...jsonTry(0, 'error'),
      ...jsonTry(MINUTE, 'timeout'),
      ...jsonTry(3 * MINUTE, 'success'),
    ]);
    expect(waited.result).toMatchObject({ kind: 'response' });
    expect(waited.result).not.toHaveProperty('functionError');
    expect(waited.tries).toEqual([
      '1 started',
      '1 error',
      '2 started',
      '2 timeout',
      '3 started',
      '3 success',
    ]);
  });

  test('the last failed attempt is the function error, as in its log', async () => {
    const thrown = JSON.stringify({
      level: 'ERROR',
      requestId: ID,
      message: { errorType: 'TypeError', errorMessage: 'no order', stackTrace: ['at f'] },
    });
    const last = jsonTry(3 * MINUTE, 'error');
    const waited = await wait([
      ...jsonTry(0, 'error'),
      ...jsonTry(MINUTE, 'error'),
      ...last,
      { at: 3 * MINUTE + 10, happens: log('echo', `stream-${3 * MINUTE}`, thrown) },
    ]);
    expect(waited.result).toMatchObject({ kind: 'response', functionError: 'Unhandled' });
    expect(errorOf(waited)).toEqual({
      errorType: 'TypeError',
      errorMessage: 'no order',
      stackTrace: ['at f'],
    });
    expect(waited.tries).toHaveLength(6);
  });

  test('without retries, the first failed attempt is the last', async () => {
    const waited = await wait(jsonTry(0, 'error', 'once'), { name: 'once' });
    expect(waited.result).toMatchObject({ functionError: 'Unhandled' });
    expect(waited.seconds).toBeLessThanOrEqual(4);
  });

  test('an attempt that fails at the maximum age of the event is also the last', async () => {
    const waited = await wait(jsonTry(5 * SECOND, 'error', 'young'), { name: 'young' });
    expect(waited.result).toMatchObject({ functionError: 'Unhandled' });
    expect(waited.seconds).toBeGreaterThan(60);
  });
});

describe('in a text log', () => {
  test('a timeout is reported, and the last one is the function error', async () => {
    const waited = await wait(textTry(0, 'Status: timeout\t', 'once'), { name: 'once' });
    expect(waited.result).toMatchObject({ functionError: 'Unhandled' });
    expect(errorOf(waited)).toMatchObject({ errorType: 'Sandbox.Timedout' });
  });

  test('a completed attempt is read as failed if another one follows', async () => {
    const waited = await wait([
      ...textTry(0),
      ...textTry(MINUTE),
      ...textTry(3 * MINUTE, 'Status: error\tError Type: Runtime.ExitError\t'),
    ]);
    expect(waited.result).toMatchObject({ functionError: 'Unhandled' });
    expect(errorOf(waited)).toMatchObject({ errorType: 'Runtime.ExitError' });
  });

  test('a completed attempt is not read as successful, so its outcome is unknown after one interval', async () => {
    const waited = await wait(textTry(0));
    expect(unresolved(waited)).toMatchObject({ why: 'text log', started: 1, finished: 1 });
    expect(waited.seconds).toBeGreaterThan(60);
    expect(waited.seconds).toBeLessThan(110);
  });

  test('a line of the function that looks like a REPORT of success does not end the wait as successful', async () => {
    const waited = await wait(textTry(0, 'Status: success\t', 'once'), { name: 'once' });
    expect(unresolved(waited)).toMatchObject({ why: 'text log', started: 1, finished: 1 });
  });

  test('a line of the function that looks like its REPORT is not another attempt', async () => {
    const [begun, ended] = textTry(0, 'Status: error\tError Type: Runtime.ExitError\t');
    const forged = { at: 20, happens: log('echo', 'stream', `REPORT RequestId: ${ID}\tDuration: 1 ms\t\n`) };
    const all = [begun, forged, ended].filter((moment) => moment !== undefined);
    const waited = await wait([...all, ...textTry(MINUTE)], { timeoutAt: 100 * SECOND });
    expect(unresolved(waited)).toMatchObject({ why: 'timeout', started: 2, finished: 2 });
  });

  test('without retries, there is nothing to wait for', async () => {
    const waited = await wait(textTry(0, '', 'once'), { name: 'once' });
    expect(unresolved(waited)).toMatchObject({ why: 'text log', started: 1, finished: 1 });
    expect(waited.seconds).toBeLessThanOrEqual(4);
  });
});

describe('the outcome of an event is unknown', () => {
  test('after a timeout, with a message about a running attempt', async () => {
    const [begun] = jsonTry(SECOND, 'success');
    const waited = await wait(begun === undefined ? [] : [begun], { timeoutAt: 30 * SECOND });
    expect(unresolved(waited)).toMatchObject({ why: 'timeout', started: 1, finished: 0, logGroup: GROUP });
  });

  test('when the workflow is canceled', async () => {
    expect(unresolved(await wait([], { cancelAt: 5 * SECOND }))).toMatchObject({
      why: 'cancelled',
      started: 0,
    });
  });

  test('when the event has reached its maximum age without an attempt', async () => {
    expect(unresolved(await wait([], { name: 'young' }))).toMatchObject({ why: 'expired', started: 0 });
  });

  test('when the log has no lines from Lambda itself', async () => {
    const waited = await wait([], { name: 'quiet' });
    expect(unresolved(waited)).toMatchObject({ why: 'no platform lines' });
    expect(waited.seconds).toBe(0);
  });

  test('when the response has no request ID from Lambda', async () => {
    expect(unresolved(await wait([], { accepted: { requestId: 'an-emulator' } }))).toMatchObject({
      why: 'no request ID',
    });
  });

  test('when reading the log is denied', async () => {
    denied = ({ operation }) => operation === 'FilterLogEvents';
    const waited = await wait(jsonTry(0, 'success'));
    expect(unresolved(waited)).toMatchObject({
      why: 'unreadable',
      failure: { name: 'AccessDeniedException', message: expect.stringContaining('logs:FilterLogEvents') },
    });
  });
});

test('lines that are in the log twice, or that another function of the group repeats, are no more attempts', async () => {
  const repeated = (own: string, other: string) =>
    jsonTry(0, 'error', 'echo', own).flatMap((moment, at) => [
      moment,
      moment,
      ...jsonTry(0, 'error', 'echo', other).filter((_, index) => index === at),
    ]);
  const [own, other] = ['2026/01/02/echo[$LATEST][1]', '2026/01/02/shipper[$LATEST][2]'];
  const waited = await wait([...repeated(own, other), ...jsonTry(MINUTE, 'success', 'echo', own)]);
  expect(waited.result).toMatchObject({ kind: 'response' });
  expect(waited.result).not.toHaveProperty('functionError');
  expect(waited.tries).toEqual(['1 started', '1 error', '2 started', '2 success']);
});

test('throttling by CloudWatch is waited out', async () => {
  lambda.setFault(({ operation }, n) =>
    operation === 'FilterLogEvents' && n < 5 ? LOGS_THROTTLE : undefined,
  );
  const waited = await wait(jsonTry(0, 'success'));
  expect(waited.result.kind).toBe('response');
  expect(waited.seconds).toBeGreaterThan(4);
});

test("without permission to read the retries, Lambda's defaults are assumed, with a message", async () => {
  denied = ({ operation }) => operation === 'GetFunctionEventInvokeConfig';
  const waited = await wait([
    ...jsonTry(0, 'error'),
    ...jsonTry(MINUTE, 'error'),
    ...jsonTry(3 * MINUTE, 'error'),
  ]);
  expect(waited.result).toMatchObject({ functionError: 'Unhandled' });
  expect(waited.hidden).toBe(1);
  expect(waited.tries).toHaveLength(6);
});
