import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { type LocalLambda, startLocalLambda } from '../../local-lambda/server.ts';
import { Clients } from '../../src/lambda/client.ts';
import { deliver } from '../../src/lambda/delivery.ts';
import type { Delivery, Invocation } from '../../src/lambda/invocation.ts';

const ECHO = path.join(import.meta.dirname, '..', '..', 'local-lambda', 'handlers', 'echo.mjs.handler');
const saved = { ...process.env };
let lambda: LocalLambda;
let clients: Clients;

beforeAll(async () => {
  lambda = await startLocalLambda({ functions: { echo: { handler: ECHO } } });
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_LAMBDA: lambda.url,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  });
  clients = new Clients({});
});
afterEach(() => lambda.reset());
afterAll(async () => {
  clients.close();
  await lambda.close();
  process.env = saved;
});

const invocation: Invocation = {
  index: 0,
  functionName: 'echo',
  reference: { name: 'echo' },
  invocationType: 'RequestResponse',
  logType: 'None',
  payload: new TextEncoder().encode('{"a":1}'),
};
const delivered = (changes: Partial<Invocation> = {}): Promise<Delivery> =>
  deliver({ ...invocation, ...changes }, clients, Date.now);

test('an answer has what Lambda said', async () => {
  const { result, region, attempts } = await delivered({ logType: 'Tail' });
  expect(result).toMatchObject({ kind: 'answer', statusCode: 200, executedVersion: '$LATEST' });
  expect(result.kind === 'answer' && new TextDecoder().decode(result.payload)).toBe('{"a":1}');
  expect(result.kind === 'answer' && new TextDecoder().decode(result.logTail)).toContain('REPORT RequestId');
  expect(result.requestId).toMatch(/^[0-9a-f-]{36}$/);
  expect(region).toBe('us-east-1');
  expect(attempts).toBe(1);
});

test('a refusal proves that nothing ran', async () => {
  const { result } = await delivered({ functionName: 'nope' });
  expect(result).toMatchObject({
    kind: 'failure',
    name: 'ResourceNotFoundException',
    statusCode: 404,
    proof: 'never_ran',
  });
  expect(lambda.executions()).toHaveLength(0);
});

test.each(['before', 'after'] as const)('a connection lost %s the run proves nothing', async (when) => {
  lambda.setFault(() => ({ kind: 'reset', when }));
  const { result } = await delivered();
  expect(result).toMatchObject({ kind: 'failure', proof: 'may_have_run', sentAt: expect.any(Date) });
  expect(lambda.executions()).toHaveLength(when === 'after' ? 1 : 0);
});

test('a connection lost on a socket that was used before proves nothing either', async () => {
  await delivered();
  lambda.setFault(() => ({ kind: 'reset', when: 'after' }));
  const { result } = await delivered();
  expect(result).toMatchObject({ kind: 'failure', proof: 'may_have_run', sentAt: expect.any(Date) });
});
