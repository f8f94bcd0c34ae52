import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { SAMPLE_FUNCTIONS } from '../../packages/local-lambda/sample-functions.ts';
import { type LocalLambda, startLocalLambda } from '../../packages/local-lambda/server.ts';
import { startLocalProxy } from '../../packages/local-proxy/server.ts';
import { type InvokeStep, invokeStep, unusedUrl } from './step.ts';

const ORDER = { order: 7, items: ['größe', null] };
const STATEMENT = {
  Effect: 'Allow',
  Action: 'schemas:DescribeSchema',
  Resource: 'arn:aws:schemas:us-east-1:123456789012:schema/lambda-testevent-schemas/_shop-schema',
};
/** More digits than a number in JavaScript has. */
const EXACT = '{"id": 12345678901234567890, "rate": 1.0}';

let lambda: LocalLambda;
let isDenied = false;

beforeAll(async () => {
  const { echo, health } = SAMPLE_FUNCTIONS;
  const schema = { openapi: '3.0.0', components: { examples: { exact: { value: 'EXACT' } } } };
  lambda = await startLocalLambda({
    functions: {
      shop: {
        ...echo,
        testEvents: { order: { value: ORDER, invocationType: 'Event' }, refund: { value: 'a text' } },
      },
      other: { ...echo, testEvents: { order: { value: { other: true } } } },
      exact: { ...echo, testEvents: JSON.stringify(schema).replace('"EXACT"', EXACT) },
      odd: { ...echo, testEvents: 'no JSON at all' },
      none: health,
    },
    deny: ({ operation }) =>
      operation === 'DescribeSchema' && isDenied ? { kind: 'no-identity-policy' } : undefined,
  });
});
beforeEach(() => {
  lambda.reset();
  isDenied = false;
});
afterAll(() => lambda.close());

const step = (
  inputs: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
): Promise<InvokeStep> =>
  invokeStep(lambda, inputs, { env: { AWS_ENDPOINT_URL_SCHEMAS: lambda.url, ...env } });
const problemsOf = ({ annotations }: InvokeStep): string[] =>
  annotations.filter(({ title }) => title === 'Invalid Input').flatMap(({ message }) => message.split('\n'));
const operations = (): (string | undefined)[] => lambda.requests.map(({ operation }) => operation);

/** What was sent to a function, in order. */
const eventsOf = (name: string): unknown[] =>
  lambda.requests
    .filter(({ operation, functionName }) => operation === 'Invoke' && functionName === name)
    .map(({ body }) => JSON.parse(String(body)));

describe('a test event', () => {
  test('is the payload, with its invocation type where the step gives none', async () => {
    const ran = await step({ function_name: 'shop', test_event: 'order' });
    await lambda.idle();
    expect(ran.exitCode).toBe(0);
    expect(ran.outputs).toMatchObject({ outcome: 'succeeded', status_code: '202' });
    expect(eventsOf('shop')).toEqual([ORDER]);
    expect(operations()).toEqual(['DescribeSchema', 'Invoke']);
  });

  test('has the invocation type that the step gives', async () => {
    const ran = await step({
      function_name: 'shop',
      test_event: 'order',
      invocation_type: 'RequestResponse',
      expect: 'response.order == `7`',
    });
    expect(ran.outputs).toMatchObject({ outcome: 'succeeded', status_code: '200' });
  });

  test('without an invocation type is invoked synchronously', async () => {
    const ran = await step({ function_name: 'shop', test_event: 'refund' });
    expect(ran.outputs).toMatchObject({ status_code: '200', response: '"a text"' });
  });

  test('is sent as it was saved, with every digit', async () => {
    await step({ function_name: 'exact', test_event: 'exact' });
    const invoked = lambda.requests.find(({ operation }) => operation === 'Invoke');
    expect(String(invoked?.body)).toBe(EXACT);
  });

  test('is read once for each function, and each function has its own', async () => {
    const ran = await step({
      function_name: 'shop\nother\nshop:$LATEST',
      test_event: 'order',
      invocation_type: 'RequestResponse',
    });
    expect(ran.outputs).toMatchObject({ total: '3', succeeded: '3' });
    expect(eventsOf('shop')).toEqual([ORDER, ORDER]);
    expect(eventsOf('other')).toEqual([{ other: true }]);
    expect(operations().filter((operation) => operation === 'DescribeSchema')).toHaveLength(2);
  });

  test('of an entry replaces the payload of the step', async () => {
    const ran = await step({
      function_name: 'shop',
      payload: '{"step": true}',
      invocations: JSON.stringify([{ test_event: 'refund' }, {}]),
      max_concurrency: '1',
    });
    expect(ran.outputs).toMatchObject({ total: '2', succeeded: '2' });
    expect(eventsOf('shop')).toEqual(['a text', { step: true }]);
  });

  test('is read with the credentials and the user agent of the invocation, through the proxy', async () => {
    const proxy = await startLocalProxy();
    const ran = await step(
      { function_name: 'shop', test_event: 'refund' },
      { HTTP_PROXY: `http://127.0.0.1:${proxy.port}`, GITHUB_RUN_ID: '4711' },
    );
    await proxy.close();
    expect(ran.exitCode).toBe(0);
    expect(proxy.requests.map(({ target }) => new URL(target).pathname)).toEqual([
      '/v1/registries/name/lambda-testevent-schemas/schemas/name/_shop-schema',
      '/2015-03-31/functions/shop/invocations',
    ]);
    const [asked] = lambda.requests;
    expect(asked?.headers['user-agent']).toMatch(/aws-lambda-invoke\/\S+ run\/4711/);
    expect(asked?.headers['authorization']).toMatch(/Credential=AKIAIOSFODNN7EXAMPLE\/.*\/schemas\//);
  });
});

describe('before anything is invoked, and with all other problems', () => {
  test.each([
    [
      'an unknown name lists those there are',
      { function_name: 'shop', test_event: 'orde' },
      'test_event "orde" of shop does not exist (did you mean "order"?). The function\'s shareable test events in us-east-1 are "order", "refund".',
    ],
    [
      'a function without test events is told how to save one',
      { function_name: 'none', test_event: 'order' },
      'test_event "order" of none does not exist: the function has no shareable test events in us-east-1. Save one as shareable in the Lambda console, or with sam remote test-event put. A private one cannot be read.',
    ],
    [
      'a schema that is not JSON',
      { function_name: 'odd', test_event: 'order' },
      'test_event "order" of odd cannot be read: their schema is not JSON.',
    ],
    [
      'a payload too',
      { function_name: 'shop', test_event: 'order', payload: '{}' },
      'payload and test_event are both given. Keep one of them.',
    ],
  ])('%s', async (_, inputs, problem) => {
    const refused = await step({ ...inputs, repeat: 'many' });
    expect(refused.exitCode).toBe(1);
    expect(refused.outputs['outcome']).toBe('not_invoked');
    expect(problemsOf(refused)).toEqual([
      problem,
      'repeat must be a whole number from 1 to 10000; got "many".',
    ]);
    expect(operations()).not.toContain('Invoke');
  });

  test('what applies to its invocation type applies to it', async () => {
    const refused = await step({
      function_name: 'shop',
      test_event: 'order',
      expect: 'response.ok == `true`',
    });
    expect(problemsOf(refused)[0]).toMatch(/^expect: invocation_type: Event has no response\./);
  });

  test('a denied request has the statement to add', async () => {
    isDenied = true;
    const refused = await step({ function_name: 'shop', test_event: 'order' });
    const [problem = '', ...others] = problemsOf(refused);
    expect(others).toEqual([]);
    const [what, statement = ''] = problem.split("Add this statement to the caller's policy: ");
    expect(what).toBe(
      'test_event "order" of shop cannot be read: the caller is not authorized to perform schemas:DescribeSchema. ',
    );
    expect(JSON.parse(statement)).toEqual(STATEMENT);
  });

  test('an endpoint where nobody listens says so', async () => {
    const refused = await step(
      { function_name: 'shop', test_event: 'order' },
      { AWS_ENDPOINT_URL_SCHEMAS: await unusedUrl() },
    );
    expect(problemsOf(refused)[0]).toMatch(
      /^test_event "order" of shop cannot be read: connect ECONNREFUSED 127\.0\.0\.1:\d+\.$/,
    );
    expect(operations()).toEqual([]);
  });
});
