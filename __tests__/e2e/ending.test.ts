import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type LocalLambda, startLocalLambda } from '../../packages/local-lambda/server.ts';
import { ECHO, type InvokeStep, invokeStep } from './step.ts';

let lambda: LocalLambda;
beforeAll(async () => {
  lambda = await startLocalLambda({ functions: { echo: { handler: ECHO } } });
});
afterAll(() => lambda.close());

// With these flags, threads of V8 nearly always wait for a garbage collection when a step ends.
const THREADS_WAIT = ['--stress-concurrent-allocation', '--no-incremental-marking', '--stress-marking=50'];

/** Runs a step, and kills it if it does not end within 20 s. */
async function boundedStep(options: Parameters<typeof invokeStep>[2]): Promise<InvokeStep> {
  const ended = new AbortController();
  try {
    return await invokeStep(
      lambda,
      { function_name: 'echo', payload: '{}' },
      {
        ...options,
        onStart: (child) => {
          sleep(20_000, undefined, { signal: ended.signal }).then(
            () => child.kill('SIGKILL'),
            () => {},
          );
        },
      },
    );
  } finally {
    ended.abort();
  }
}

test('a step ends although threads of V8 wait for its main thread', async () => {
  const codes: (number | null)[] = [];
  for (let round = 0; round < 4; round += 1) {
    const steps = Array.from({ length: 4 }, () => boundedStep({ nodeFlags: THREADS_WAIT }));
    codes.push(...(await Promise.all(steps)).map(({ exitCode }) => exitCode));
  }
  expect(codes).toEqual(Array.from({ length: 16 }, () => 0));
}, 120_000);
