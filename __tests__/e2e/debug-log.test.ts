import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { throttle } from '../../packages/local-lambda/faults.ts';
import { SAMPLE_FUNCTIONS } from '../../packages/local-lambda/sample-functions.ts';
import { type LocalLambda, startLocalLambda } from '../../packages/local-lambda/server.ts';
import { startLocalProxy } from '../../packages/local-proxy/server.ts';
import { type InvokeStep, invokeStep } from './step.ts';

const DEBUG = { RUNNER_DEBUG: '1' };
const PAYLOAD = 'the-payload-of-the-event';
const SESSION_TOKEN = 'FwoGZXIvYXdzEXAMPLESESSIONTOKEN';

let lambda: LocalLambda;
beforeAll(async () => {
  lambda = await startLocalLambda({ functions: { echo: SAMPLE_FUNCTIONS.echo } });
});
beforeEach(() => lambda.reset());
afterAll(() => lambda.close());

const invokeEcho = (
  env: Readonly<Record<string, string>>,
  inputs: Readonly<Record<string, string>> = {},
): Promise<InvokeStep> =>
  invokeStep(
    lambda,
    { function_name: 'echo', payload: JSON.stringify({ key3: PAYLOAD }), ...inputs },
    { env },
  );
const debugLines = ({ stdout }: InvokeStep): string[] =>
  stdout
    .split('\n')
    .flatMap((line) => (line.startsWith('::debug::') ? [line.slice('::debug::'.length)] : []));

test('with debug logging, each attempt is told with its ID and time, and each wait', async () => {
  lambda.setFault((_, n) => (n === 0 ? throttle('ConcurrentInvocationLimitExceeded') : undefined));
  const step = await invokeEcho(DEBUG);
  expect(step.outputs['attempts']).toBe('2');
  const request = `POST ${lambda.url}/2015-03-31/functions/echo/invocations, with credentials from the environment`;
  const ended = (status: number): RegExp =>
    new RegExp(
      `^Invoke echo: HTTP ${status} after \\d+ ms, sent at \\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z, request ID [\\da-f-]{36}$`,
    );
  expect(debugLines(step)).toEqual([
    request,
    expect.stringMatching(ended(429)),
    expect.stringMatching(/^Waiting \d\.\d s$/),
    request,
    expect.stringMatching(ended(200)),
  ]);
  expect(debugLines(step).at(-1)).toContain(step.outputs['request_id']);
});

test('an attempt without a response names the error of the network', async () => {
  lambda.setFault(() => ({ kind: 'reset', when: 'after' }));
  const step = await invokeEcho(DEBUG);
  expect(step.outputs['outcome']).toBe('unknown');
  expect(debugLines(step).at(-1)).toMatch(/^Invoke echo: ECONNRESET after \d+ ms, sent at /);
});

test('a proxy is told by its host, and no line has a payload, a response or a credential', async () => {
  const proxy = await startLocalProxy();
  const step = await invokeEcho(
    {
      ...DEBUG,
      HTTP_PROXY: `http://user:the-password@127.0.0.1:${proxy.port}`,
      AWS_SESSION_TOKEN: SESSION_TOKEN,
    },
    { show_response: 'true', wait_until_ready: 'true' },
  );
  await proxy.close();
  expect(step.exitCode).toBe(0);
  const lines = debugLines(step);
  expect(lines[0]).toBe(`http_proxy: 127.0.0.1:${proxy.port}`);
  expect(lines.at(-1)).toMatch(/through the proxy$/);
  expect(lines.some((line) => line.startsWith('GetFunctionConfiguration echo: HTTP 200 after '))).toBe(true);
  const text = lines.join('\n');
  for (const secret of [PAYLOAD, 'the-password', 'wJalrXUtnFEMI', 'AKIAIOSFODNN7EXAMPLE', SESSION_TOKEN])
    expect(text).not.toContain(secret);
});

test('without debug logging there is no such line', async () => {
  const step = await invokeEcho({});
  expect(step.exitCode).toBe(0);
  expect(step.stdout).not.toContain('::debug::');
});
