import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type LocalLambda, startLocalLambda } from '../../packages/local-lambda/server.ts';
import { ECHO, HANDLERS, type InvokeStep, invokeStep } from './step.ts';

let lambda: LocalLambda;
beforeAll(async () => {
  lambda = await startLocalLambda({
    functions: { echo: { handler: ECHO }, failing: { handler: `${HANDLERS}.failing` } },
  });
});
afterAll(() => lambda.close());

// With these flags, threads of V8 nearly always wait for a garbage collection when a step ends.
const THREADS_WAIT = ['--stress-concurrent-allocation', '--no-incremental-marking', '--stress-marking=50'];

// On a busy machine, a step with these flags takes up to 30 s.
const LONGEST_STEP_MS = 60_000;

/** Runs a step, and kills it if it does not end. */
async function boundedStep(
  options: Parameters<typeof invokeStep>[2],
  functionName = 'echo',
): Promise<InvokeStep> {
  const ended = new AbortController();
  try {
    return await invokeStep(
      lambda,
      { function_name: functionName, payload: '{}' },
      {
        ...options,
        onStart: (child) => {
          sleep(LONGEST_STEP_MS, undefined, { signal: ended.signal }).then(
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

test(
  'a step ends although threads of V8 wait for its main thread',
  async () => {
    const codes: (number | null)[] = [];
    for (let round = 0; round < 4; round += 1) {
      const steps = Array.from({ length: 4 }, () => boundedStep({ nodeFlags: THREADS_WAIT }));
      codes.push(...(await Promise.all(steps)).map(({ exitCode }) => exitCode));
    }
    expect(codes).toEqual(Array.from({ length: 16 }, () => 0));
  },
  5 * LONGEST_STEP_MS,
);

// Windows has no FIFOs.
const fifoTest = process.platform === 'win32' ? test.skip : test;

for (const [functionName, outcome, exitCode] of [
  ['echo', 'succeeded', 0],
  ['failing', 'function_error', 1],
] as const) {
  fifoTest(
    `a step ends with ${exitCode} although one of its threads still waits`,
    async () => {
      const preload = path.join(import.meta.dirname, 'preload', 'blocks-thread.mjs');
      const step = await boundedStep({ nodeFlags: [`--import=${preload}`] }, functionName);
      expect(step).toMatchObject({ exitCode, signal: null, outputs: { outcome } });
    },
    60_000,
  );
}
