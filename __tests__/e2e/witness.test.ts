import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { type Fault, type LocalLambda, startLocalLambda } from '../../packages/local-lambda/server.ts';
import { makeJobFolder } from '../../packages/local-runner/run-step.ts';
import { ECHO, invokeStep } from './step.ts';

// The log is evidence if no response arrives.

let lambda: LocalLambda;
let isDenied = false;

beforeAll(async () => {
  lambda = await startLocalLambda({
    functions: { echo: { handler: ECHO } },
    deny: ({ headers }) =>
      isDenied && headers['x-amz-target'] !== undefined ? { kind: 'no-identity-policy' } : undefined,
  });
});
afterEach(() => {
  isDenied = false;
  lambda.reset();
});
afterAll(() => lambda.close());

const lost: Fault = { kind: 'reset', when: 'after' };
const loseInvocations = (): void =>
  lambda.setFault(({ operation }) => (operation === 'Invoke' ? lost : undefined));

const invoke = (env: Readonly<Record<string, string>>, inputs: Readonly<Record<string, string>> = {}) =>
  invokeStep(lambda, { function_name: 'echo', payload: '{"a":1}', ...inputs }, { env });

const logsEnvironment = () => ({ AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: lambda.url });

test('a lost response is unknown, and the first sentence says that the function ran to its end', async () => {
  loseInvocations();
  const step = await invoke(logsEnvironment());
  const [annotation, ...others] = step.annotations;
  expect(step.exitCode).toBe(1);
  expect(others).toEqual([]);
  expect(annotation?.message).toMatch(
    /^echo: ECONNRESET: The function ran to its end in \d\S* m?s\. Its response was lost\. The connection was reset /,
  );
  expect(step.outputs).toMatchObject({ outcome: 'unknown', duration_ms: expect.stringMatching(/^\d/) });
  expect(JSON.parse(step.outputs['outcomes'] ?? '')).toMatchObject([{ ran: 'finished' }]);
  expect(step.summary).toMatch(/^### ❓ `echo` ran, but its response was lost\n/);
  expect(lambda.executions('echo')).toHaveLength(1);
});

test('a log without read permission gives one warning with the statement and does not change the outcome', async () => {
  isDenied = true;
  loseInvocations();
  const step = await invoke(logsEnvironment(), { repeat: '3' });
  const warnings = step.annotations.filter(({ level }) => level === 'warning');
  expect(step.exitCode).toBe(1);
  expect(step.annotations.filter(({ level }) => level === 'error')).toHaveLength(3);
  expect(warnings.map(({ message }) => message)).toEqual([
    'The log of echo cannot be read (AccessDeniedException). Add this statement to the caller\'s policy:\n{"Effect":"Allow","Action":["logs:FilterLogEvents","logs:GetLogEvents"],"Resource":["arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/echo","arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/echo:*"]}',
  ]);
  expect(JSON.parse(step.outputs['outcomes'] ?? '')).toMatchObject([
    { outcome: 'unknown', ran: 'may_have_run' },
    { outcome: 'unknown', ran: 'may_have_run' },
    { outcome: 'unknown', ran: 'may_have_run' },
  ]);
});

test('a log without read permission gives one warning with follow_log too, also for an event', async () => {
  isDenied = true;
  loseInvocations();
  for (const inputs of [
    { follow_log: 'true' },
    { follow_log: 'true', repeat: '2' },
    { follow_log: 'true', invocation_type: 'Event' },
  ]) {
    const step = await invoke(logsEnvironment(), inputs);
    const titles = step.annotations.map(({ title }) => title);
    expect(titles.filter((title) => title === 'Function Log Not Read')).toHaveLength(1);
  }
});

test('invocations of an earlier run without an outcome in its journal are also looked up', async () => {
  const job = makeJobFolder();
  const run = (env: Readonly<Record<string, string>>) =>
    invokeStep(lambda, { function_name: 'echo', payload: '{"a":1}', journal: 'journal.jsonl' }, { job, env });
  loseInvocations();
  const first = await run({});
  const second = await run(logsEnvironment());
  job.dispose();
  expect(JSON.parse(first.outputs['outcomes'] ?? '')).toMatchObject([{ ran: 'may_have_run' }]);
  expect(JSON.parse(second.outputs['outcomes'] ?? '')).toMatchObject([
    { outcome: 'unknown', ran: 'finished', request_id: first.outputs['request_id'] },
  ]);
  expect(second.annotations[0]?.message).toMatch(
    /: The function ran to its end in \d\S* m?s\. Its response was lost\. An earlier run/,
  );
  expect(lambda.executions('echo')).toHaveLength(1);
});

test('without a logs endpoint for an emulator, neither the emulator nor AWS gets a request', async () => {
  loseInvocations();
  const step = await invoke({});
  expect(step.outputs['outcome']).toBe('unknown');
  expect(step.annotations[0]?.message).toMatch(/It is not known whether the function ran\./);
  expect(lambda.requests.map(({ operation }) => operation)).toEqual(['Invoke']);
});

test('the log is not read if there is a response', async () => {
  const step = await invoke(logsEnvironment());
  expect(step.exitCode).toBe(0);
  expect(lambda.requests.map(({ operation }) => operation)).toEqual(['Invoke']);
});
