import { Buffer } from 'node:buffer';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { invokeComplete, payloadChunk } from '../../packages/local-lambda/event-stream.ts';
import { type LocalLambda, startLocalLambda, throttle } from '../../packages/local-lambda/server.ts';
import type { InvocationType } from '../../src/lambda/invocation.ts';
import { streamOnce } from '../../src/lambda/stream.ts';
import { evaluate } from '../../src/outcome/evaluate.ts';
import { adviceFor } from '../../src/outcome/failure-advice.ts';
import { startRawServer } from '../raw-server.ts';
import {
  type Delivered,
  ECHO,
  freshIds,
  INVOCATION,
  invokeOn,
  quietReadiness,
  useLambda,
} from './invoke-context.ts';

// The action's own request ID as the endpoint gets it, and how an endpoint can use it.

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const OTHER = '11111111-2222-4333-8444-555555555555';
const STREAM = { invokeOnce: streamOnce, onChunk: async () => {} };

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

const idIn = (head: string): string | undefined => /^x-amzn-requestid: (.*)$/im.exec(head)?.[1];

/** A response to a request with this ID. Undefined if it has none. */
type Responder = (id: string | undefined, n: number) => Buffer | 'reset' | Readonly<{ part: Buffer }>;

/** Starts an endpoint that records the received IDs. */
async function startEndpoint(respond: Responder) {
  const ids: (string | undefined)[] = [];
  const server = await startRawServer((socket, n, head) => {
    const id = idIn(head);
    ids.push(id);
    const bytes = respond(id, n);
    if (bytes === 'reset') socket.resetAndDestroy();
    else if ('part' in bytes) socket.end(bytes.part);
    else socket.write(bytes);
  });
  undo.push(() => server.close(), useLambda(server.url));
  return { server, ids };
}

function response(status: number, headers: Readonly<Record<string, string>>, body: string | Buffer): Buffer {
  const lines = Object.entries({ 'content-length': String(Buffer.byteLength(body)), ...headers });
  const head = [`HTTP/1.1 ${status} Status`, ...lines.map(([name, value]) => `${name}: ${value}`)];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), Buffer.from(body)]);
}

const refusal = (message: string, type = 'InvalidRequestContentException'): Buffer =>
  response(
    400,
    { 'content-type': 'application/json', 'x-amzn-errortype': type, 'x-amzn-requestid': OTHER },
    JSON.stringify({ Type: 'User', message }),
  );

const success = (id: string, headers: Readonly<Record<string, string>> = {}): Buffer =>
  response(200, { 'x-amzn-requestid': id, 'x-amz-executed-version': '$LATEST', ...headers }, '{"a":1}');

const outcomeOf = (delivered: Delivered) =>
  evaluate(delivered, {
    failOnFunctionError: true,
    expressions: { expect: [], mask: [] },
    advise: adviceFor({ eventName: 'push', hasOidc: false }),
  }).outcome;

describe("the action's own request ID", () => {
  let lambda: LocalLambda;
  let restore: () => void;

  beforeAll(async () => {
    lambda = await startLocalLambda({ functions: { echo: { handler: ECHO } } });
    restore = useLambda(lambda.url);
  });
  afterEach(() => lambda.reset());
  afterAll(async () => {
    restore();
    await lambda.close();
  });

  test.each<[string, InvocationType, { stream?: typeof STREAM }]>([
    ['RequestResponse', 'RequestResponse', {}],
    ['Event', 'Event', {}],
    ['DryRun', 'DryRun', {}],
    ['a stream', 'RequestResponse', { stream: STREAM }],
  ])('is sent with every attempt of %s, a fresh one each time, and not signed', async (_, type, extras) => {
    lambda.setFault((__, n) =>
      n < 2 ? throttle('ReservedFunctionConcurrentInvocationLimitExceeded') : undefined,
    );
    const { sent, attempts } = await invokeOn(lambda, { invocation: { invocationType: type }, extras });
    const ids = lambda.requests.map(({ headers }) => headers['x-amzn-requestid']);
    expect(attempts).toBe(3);
    expect(new Set(ids).size).toBe(3);
    for (const id of ids) expect(id).toMatch(UUID);
    expect(sent.map(({ sentAs }) => sentAs)).toEqual(ids);
    for (const { headers } of lambda.requests) {
      expect(headers['authorization']).toMatch(/SignedHeaders=/);
      expect(headers['authorization']).not.toContain('requestid');
    }
  });

  test('is not sent with a request that invokes nothing', async () => {
    await invokeOn(lambda, { extras: { readiness: quietReadiness() } });
    expect(lambda.requests.map(({ headers }) => headers['x-amzn-requestid'] !== undefined)).toEqual([
      false,
      true,
    ]);
  });

  test.each(['honor', 'ignore', 'reject'] as const)(
    'or the one that Lambda has in its place is the one of START, where it is told to %s ours',
    async (rule) => {
      lambda.setRequestIds(() => rule);
      const delivered = await invokeOn(lambda);
      const outcome = outcomeOf(delivered);
      const starts = lambda.logs.written.map(({ message }) => message).filter((line) => /^START/.test(line));
      expect(outcome.outcome).toBe('succeeded');
      expect(starts).toEqual([`START RequestId: ${outcome.request_id} Version: $LATEST\n`]);
      const isOurs = delivered.sent.some(({ sentAs }) => sentAs === outcome.request_id);
      expect(isOurs).toBe(rule === 'honor');
    },
  );

  test('is kept for each attempt, with when it was sent and whether it may have run', async () => {
    lambda.setFault((_, n) => {
      if (n === 0) return throttle('ReservedFunctionConcurrentInvocationLimitExceeded');
      return n === 1 ? { kind: 'reset', when: 'after' } : undefined;
    });
    const { sent, startedAt } = await invokeOn(lambda, { policy: { retry: 'idempotent' } });
    expect(sent.map(({ mayHaveRun }) => mayHaveRun)).toEqual([false, true, true]);
    const times = sent.map(({ sentAt }) => sentAt.getTime());
    expect(times).toEqual(times.toSorted((one, other) => one - other));
    expect(times[0]).toBeGreaterThanOrEqual(startedAt.getTime());
  });
});

describe('an endpoint that', () => {
  test('accepts the ID has it in its response', async () => {
    const { server, ids } = await startEndpoint((id = '') => success(id));
    const delivered = await invokeOn(server);
    expect(outcomeOf(delivered)).toMatchObject({ outcome: 'succeeded', request_id: ids[0] });
  });

  test('has its own ID is believed', async () => {
    const { server } = await startEndpoint(() => success(OTHER));
    const delivered = await invokeOn(server);
    expect(outcomeOf(delivered)).toMatchObject({ outcome: 'succeeded', request_id: OTHER });
  });

  test('sends its own ID along with ours, which a proxy reflects, is believed', async () => {
    const { server } = await startEndpoint((id = '') => success(`${id}\r\nx-amzn-requestid: ${OTHER}`));
    const delivered = await invokeOn(server);
    expect(outcomeOf(delivered)).toMatchObject({ outcome: 'succeeded', request_id: OTHER });
  });

  test('loses the connection leaves the sent ID in the message and the links', async () => {
    const { server, ids } = await startEndpoint(() => 'reset');
    const outcome = outcomeOf(await invokeOn(server));
    expect(outcome).toMatchObject({
      outcome: 'unknown',
      request_id: ids[0],
      log_url: expect.stringContaining(ids[0] ?? 'none'),
      error: {
        message: expect.stringMatching(
          `The request was sent at \\S+Z with request ID ${ids[0]}\\. It is not known`,
        ),
        advice: expect.stringMatching(`retry: https://\\S+${ids[0]}\\S+\\n.*: https://\\S+start\\S+end`),
      },
    });
  });

  test('loses the first of two attempts, and refuses the second, leaves the ID of the first', async () => {
    const { server, ids } = await startEndpoint((_, n) =>
      n === 0 ? 'reset' : refusal('User: x is not authorized', 'AccessDeniedException'),
    );
    const outcome = outcomeOf(await invokeOn(server, { policy: { retry: 'idempotent' } }));
    expect(ids).toHaveLength(2);
    expect(outcome).toMatchObject({ outcome: 'unknown', request_id: ids[0] });
    expect(JSON.stringify(outcome)).not.toContain(ids[1]);
  });
});

describe('an endpoint that refuses the id', () => {
  const refusing: Responder = (id) =>
    id === undefined ? success(OTHER) : refusal('The request ID is not valid.');

  test.each(['safe', 'never'] as const)(
    'is sent the request once more without, with retry: %s',
    async (retry) => {
      const { server, ids } = await startEndpoint(refusing);
      const delivered = await invokeOn(server, { policy: { retry } });
      expect(outcomeOf(delivered)).toMatchObject({ outcome: 'succeeded', attempts: 2, request_id: OTHER });
      expect(ids).toEqual([expect.stringMatching(UUID), undefined]);
      expect(delivered.waits).toEqual([]);
    },
  );

  test('is sent no ID any more in the step', async () => {
    const { server, ids } = await startEndpoint(refusing);
    const requestIds = freshIds();
    for (let n = 0; n < 3; n += 1) await invokeOn(server, { requestIds });
    expect(ids).toEqual([expect.stringMatching(UUID), undefined, undefined, undefined]);
  });

  test('of a request that had none is not read again', async () => {
    const { server, ids } = await startEndpoint(() => refusal('x-amzn-RequestId is missing.'));
    const delivered = await invokeOn(server);
    expect(outcomeOf(delivered)).toMatchObject({ outcome: 'not_invoked', attempts: 2 });
    expect(ids).toEqual([expect.stringMatching(UUID), undefined]);
  });

  test.each([
    ['another problem with the request', refusal('Could not parse request body into json.')],
    ['another error', refusal('The request ID is not valid.', 'ResourceNotFoundException')],
  ])('is not one that names %s', async (_, bytes) => {
    const { server, ids } = await startEndpoint(() => bytes);
    const delivered = await invokeOn(server);
    expect(outcomeOf(delivered)).toMatchObject({ outcome: 'not_invoked', attempts: 1 });
    expect(ids).toHaveLength(1);
  });
});

describe('a proxy that reflects the ID does not make its page a response of Lambda', () => {
  const TEXT = { 'content-type': 'text/plain' };
  const reflecting =
    (status: number): Responder =>
    (id = '') =>
      response(status, { ...TEXT, 'x-amzn-requestid': id }, 'Please log in');

  test.each([200, 500, 502])('with status %i', async (status) => {
    const { server, ids } = await startEndpoint(reflecting(status));
    const outcome = outcomeOf(await invokeOn(server));
    expect(outcome).toMatchObject({
      outcome: 'unknown',
      request_id: ids[0],
      error: { name: `HTTP ${status}` },
    });
    // The time is linked to as well: Lambda has not taken this ID.
    expect(outcome).toHaveProperty('error.advice', expect.stringContaining('check the log of that time'));
  });

  test('instead of a stream', async () => {
    const { server } = await startEndpoint(reflecting(200));
    const { result } = await invokeOn(server, { extras: { stream: STREAM } });
    expect(result).toMatchObject({ kind: 'failure', name: 'HTTP 200', evidence: 'may_have_run' });
  });

  test.each([
    ['its own id', () => OTHER],
    ['ours', (id: string) => id],
  ])('but a stream of a function that has text for its type is its own, with %s', async (_, idOf) => {
    const events = Buffer.concat([
      payloadChunk(Buffer.from('plain')),
      invokeComplete({ error: undefined, logResult: undefined }),
    ]);
    const { server, ids } = await startEndpoint((id = '') =>
      response(200, { ...TEXT, 'x-amzn-requestid': idOf(id), 'x-amz-executed-version': '$LATEST' }, events),
    );
    const { result } = await invokeOn(server, { extras: { stream: STREAM } });
    expect(result).toMatchObject({ kind: 'response', streamedBytes: 5, requestId: idOf(ids[0] ?? '') });
  });

  test('that is interrupted', async () => {
    const { server } = await startEndpoint((id = '') => ({
      part: response(200, { ...TEXT, 'x-amzn-requestid': id, 'content-length': '999' }, 'Please'),
    }));
    const { result } = await invokeOn(server);
    expect(result).toMatchObject({ kind: 'failure', name: 'HTTP 200', evidence: 'may_have_run' });
  });
});

test('an invocation in a function whose configuration was read links to its own log group', async () => {
  const configuration = {
    FunctionName: 'echo',
    State: 'Active',
    LastUpdateStatus: 'Successful',
    LoggingConfig: { LogGroup: '/app/logs' },
  };
  const { server } = await startEndpoint((id) =>
    id === undefined ? response(200, {}, JSON.stringify(configuration)) : success(id),
  );
  const readiness = quietReadiness();
  const outcome = outcomeOf(await invokeOn(server, { invocation: INVOCATION, extras: { readiness } }));
  expect(outcome.log_url).toContain('log-group/$252Fapp$252Flogs/');
});
