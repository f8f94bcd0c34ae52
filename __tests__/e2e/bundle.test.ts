import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type LocalLambda, startLocalLambda } from '../../local-lambda/server.ts';
import { ECHO, invokeStep } from './step.ts';

const CHECKOUT = path.resolve(import.meta.dirname, '..', '..');
const INPUTS = { function_name: 'echo', payload: '{"a":1}' };

let lambda: LocalLambda;
let action: string;

beforeAll(async () => {
  lambda = await startLocalLambda({ functions: { echo: { handler: ECHO } } });
  // The bundle without any chunk that is loaded on demand.
  action = mkdtempSync(path.join(tmpdir(), 'action-'));
  cpSync(path.join(CHECKOUT, 'action.yml'), path.join(action, 'action.yml'));
  for (const file of ['index.js', 'package.json']) {
    cpSync(path.join(CHECKOUT, 'dist', file), path.join(action, 'dist', file));
  }
});
afterAll(async () => {
  rmSync(action, { recursive: true });
  await lambda.close();
});

test('one plain invocation loads nothing but the main file', async () => {
  const step = await invokeStep(lambda, { ...INPUTS, log_type: 'Tail', show_response: 'true' }, { action });
  expect(step.stderr).toBe('');
  expect(step.exitCode).toBe(0);
  expect(step.outputs['result']).toBe('{"a":1}');
  expect(step.summary).toContain('✅ succeeded');
});

test.each([
  [
    'the comment',
    { comment_on_pull_request: 'true' },
    { GITHUB_EVENT_NAME: 'push', GITHUB_EVENT_PATH: '/dev/null' },
  ],
  ['JMESPath', { query: 'result.a' }, {}],
  ['YAML', { invocations: '- {}' }, {}],
])('%s is in a chunk of its own, loaded only where it is wanted', async (_, wanted, env) => {
  const whole = await invokeStep(lambda, { ...INPUTS, ...wanted }, { env });
  const without = await invokeStep(lambda, { ...INPUTS, ...wanted }, { action, env });
  const missing = 'Cannot find module';
  expect(whole.stdout).not.toContain(missing);
  if ('comment_on_pull_request' in wanted) {
    // Without a pull request nothing of GitHub is loaded either.
    expect(without.stdout).not.toContain(missing);
  } else {
    expect(without.exitCode).toBe(1);
    expect(without.stdout).toContain(missing);
  }
});

test('GitHub’s client is in none of what a plain invocation loads', () => {
  const chunks = readdirSync(path.join(CHECKOUT, 'dist')).filter((file) => /^\d+\.index\.js$/.test(file));
  const has = (file: string): boolean =>
    readFileSync(path.join(CHECKOUT, 'dist', file), 'utf8').includes('octokit-core.js/');
  expect(has('index.js')).toBe(false);
  expect(chunks.some(has)).toBe(true);
});
