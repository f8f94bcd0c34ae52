import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type LocalLambda, startLocalLambda } from '../../packages/local-lambda/server.ts';
import { invokeStep } from './step.ts';

const HOSTILE = path.join(import.meta.dirname, 'handlers', 'hostile.mjs');

let lambda: LocalLambda;

beforeAll(async () => {
  lambda = await startLocalLambda({
    functions: { long: { handler: `${HOSTILE}.longStack` } },
  });
});
afterAll(() => lambda.close());

test.each(['(', '(fmt/', '@v1', '(\n'])(
  'the step ends quickly when a function fails with a stack of 2.9 MB of %j',
  async (part) => {
    const before = Date.now();
    const step = await invokeStep(
      lambda,
      { function_name: 'long', payload: JSON.stringify({ part, bytes: 2_900_000 }) },
      // A process that still runs then is stuck in a pattern and ignores signals that can be caught.
      { onStart: (child) => setTimeout(() => child.kill('SIGKILL'), 20_000).unref() },
    );
    expect(step.signal).toBeNull();
    expect(step.exitCode).toBe(1);
    const error = step.annotations.find(({ title }) => title === 'Lambda Function Execution Error');
    expect(error?.message).toMatch(/^Error: boom\n/);
    expect(Date.now() - before).toBeLessThan(20_000);
  },
);
