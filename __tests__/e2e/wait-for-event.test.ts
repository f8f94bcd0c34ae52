import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import {
  type LambdaRequest,
  type LocalLambda,
  startLocalLambda,
} from '../../packages/local-lambda/server.ts';
import { type InvokeStep, invokeStep } from './step.ts';

const LINES = path.join(import.meta.dirname, 'handlers', 'logged.mjs.lines');
const ONCE = { $LATEST: { maximumRetryAttempts: 0 } } as const;

let lambda: LocalLambda;
let denied: (request: LambdaRequest) => boolean;

beforeAll(async () => {
  lambda = await startLocalLambda({
    functions: {
      json: { handler: LINES, logFormat: 'JSON' },
      once: { handler: LINES, logFormat: 'JSON', logGroup: '/apps/all', eventInvokeConfigs: ONCE },
      text: { handler: LINES, eventInvokeConfigs: ONCE },
    },
    asyncRetryDelaysMs: [100, 100],
    deny: (request) => (denied(request) ? { kind: 'no-identity-policy' } : undefined),
  });
});
beforeEach(() => {
  lambda.reset();
  denied = () => false;
});
afterAll(() => lambda.close());

const send = (name: string, event: Readonly<Record<string, unknown>>): Promise<InvokeStep> =>
  invokeStep(
    lambda,
    {
      function_name: name,
      invocation_type: 'Event',
      payload: JSON.stringify(event),
      wait_for_event: 'true',
      timeout_seconds: '60',
      expect: 'duration_ms < `60000`',
    },
    { env: { AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: lambda.url } },
  );
const texts = (step: InvokeStep): string[] => step.lines.map(({ text }) => text);
const outcomeOf = (step: InvokeStep): unknown => JSON.parse(step.outcomeLines[0] ?? '');

test('an event that the function handles succeeds, with the figures from the log', async () => {
  const step = await send('json', { count: 1 });
  expect(step.exitCode).toBe(0);
  expect(step.outputs).toMatchObject({ outcome: 'succeeded', status_code: '202', response: '' });
  expect(step.outputs['duration_ms']).not.toBe('');
  expect(texts(step)).toEqual(
    expect.arrayContaining([
      'json: try 1 of the event succeeded',
      expect.stringMatching(/^json handled its event successfully \(status: 202, duration: /),
    ]),
  );
  expect(lambda.executions('json')).toHaveLength(1);
});

test('an event with a failed last attempt is a function error, with the error from the log', async () => {
  const step = await send('json', { count: 1, fails: true });
  expect(step.exitCode).toBe(1);
  expect(step.outputs['outcome']).toBe('function_error');
  expect(JSON.parse(step.outputs['response'] ?? '')).toMatchObject({ errorMessage: 'the last step failed' });
  expect(step.annotations[0]?.message).toContain('the last step failed');
  expect(lambda.executions('json')).toHaveLength(3);
  expect(texts(step).filter((text) => text.endsWith('failed') && text.includes('try '))).toHaveLength(3);
}, 60_000);

test('without retries, the first failure is the last, also in a custom log group', async () => {
  const step = await send('once', { count: 1, fails: true });
  expect(step.outputs['outcome']).toBe('function_error');
  expect(step.outputs['log_url']).toContain('apps$252Fall');
  expect(lambda.executions('once')).toHaveLength(1);
});

test('in a text log, a completed event is unknown, and the advice says how to get its outcome', async () => {
  const step = await send('text', { count: 1 });
  expect(step.exitCode).toBe(1);
  expect(outcomeOf(step)).toMatchObject({
    outcome: 'unknown',
    ran: 'finished',
    error: { name: 'EventUnresolved' },
  });
  const { message = '' } = step.annotations[0] ?? {};
  expect(message).toContain('Its log shows 1 try, which ended.');
  expect(message).toContain('Set LogFormat to JSON');
  expect(texts(step)).toContain('text accepted the event, but how it ended is not known');
});

test('without permission to read the log, the outcome is unknown, with the missing statement', async () => {
  denied = ({ operation }) => operation === 'FilterLogEvents';
  const step = await send('json', { count: 1 });
  expect(step.exitCode).toBe(1);
  expect(step.outputs['outcome']).toBe('unknown');
  expect(step.annotations[0]?.message).toContain('"Action":["logs:FilterLogEvents","logs:GetLogEvents"]');
});

test('without wait_for_event, the log is not read', async () => {
  const inputs = { function_name: 'json', invocation_type: 'Event', payload: '{"count":1}' };
  const step = await invokeStep(lambda, inputs);
  expect(step.outputs).toMatchObject({ outcome: 'succeeded', duration_ms: '' });
  expect(lambda.requests.map(({ operation }) => operation)).toEqual(['Invoke']);
});
