import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { withDurableExecution } from '@aws/durable-execution-sdk-js';
import { CheckpointDurableExecutionCommand, LambdaClient } from '@aws-sdk/client-lambda';

/** Writes a line for each run of a step's body, so that runs are counted by a side effect of the run itself. */
const ran = (line) => appendFileSync(process.env.RUNS, `${line}\n`);
const timesRan = (line) =>
  readFileSync(process.env.RUNS, 'utf8')
    .split('\n')
    .filter((one) => one === line).length;

export const steps = withDurableExecution(async (event, context) => {
  const first = await context.step('first', async () => {
    ran('first');
    return event?.value ?? 1;
  });
  const second = await context.step('second', async () => {
    ran('second');
    return first * 2;
  });
  await context.wait('pause', { seconds: event?.waitSeconds ?? 1 });
  return await context.step('third', async () => {
    ran('third');
    return { value: second + 1 };
  });
});

export const flaky = withDurableExecution(async ({ failures }, context) =>
  context.step(
    'flaky',
    async ({ attempt }) => {
      ran(`attempt ${attempt}`);
      if (attempt <= failures) throw new RangeError(`attempt ${attempt} failed`);
      return attempt;
    },
    { retryStrategy: (_error, attempt) => ({ shouldRetry: attempt < 3, delay: { seconds: attempt } }) },
  ),
);

export const callback = withDurableExecution(async (_event, context) => {
  const [response] = await context.createCallback('approval');
  return { response: await response };
});

export const nested = withDurableExecution(async (_event, context) => {
  const child = await context.runInChildContext('child', async (inner) => {
    const a = await inner.step('a', async () => 1);
    await inner.wait('inner wait', { seconds: 1 });
    return a + (await inner.step('b', async () => 2));
  });
  const branches = await context.parallel('branches', [
    async (branch) => branch.step('left', async () => 'l'),
    async (branch) => branch.step('right', async () => 'r'),
  ]);
  const polled = await context.waitForCondition('condition', async (state) => state + 1, {
    initialState: 0,
    waitStrategy: (state) => ({ shouldContinue: state < 3, delay: { seconds: 1 } }),
  });
  return { child, branches: branches.getResults(), polled };
});

/** A step that runs until the test opens the gate. */
export const gated = withDurableExecution(async (_event, context) => {
  await context.step('gated', async () => {
    ran('gated');
    while (!existsSync(`${process.env.RUNS}.gate`)) await sleep(10);
  });
  return await context.step('after', async () => {
    ran('after');
    return 'through';
  });
});

/** Ends its process in the middle of a step, as many times as the event says. */
export const crashing = withDurableExecution(async ({ times }, context) => {
  await context.step('before', async () => ran('before'));
  return await context.step('crash', async () => {
    ran('crash');
    if (timesRan('crash') <= times) process.exit(3);
    return 'survived';
  });
});

export const many = withDurableExecution(async ({ count }, context) => {
  const numbers = Array.from({ length: count }, (_, index) => index);
  const results = await Promise.all(
    numbers.map((number) =>
      context.step(`step ${number}`, async () => {
        ran('one of many');
        return number;
      }),
    ),
  );
  await context.wait({ seconds: 1 });
  return results.reduce((sum, number) => sum + number, 0);
});

export const large = withDurableExecution(async ({ bytes }) => 'x'.repeat(bytes - 2));

export const silent = withDurableExecution(async () => undefined);

const inputOf = ({ InitialExecutionState: { Operations } }) =>
  JSON.parse(Operations[0].ExecutionDetails.InputPayload);

// The other handlers do not use the SDK, so that they can do what the SDK would not.

/** Returns what the event says, with or without an envelope. */
export const responding = async (event) => inputOf(event).response;

/** Sends the checkpoints in the event and suspends. When invoked again, it returns what it received. */
export const bare = async (event) => {
  const { DurableExecutionArn, CheckpointToken, InitialExecutionState, UpdatedOperationIds } = event;
  const operations = InitialExecutionState.Operations;
  if (operations.some(({ Id }) => Id === 'pause')) {
    const Result = JSON.stringify({ operations: operations.map(({ Id }) => Id), UpdatedOperationIds });
    return { Status: 'SUCCEEDED', Result };
  }
  const client = new LambdaClient({ maxAttempts: 1 });
  const { checkpoints, stale = false } = inputOf(event);
  let token = CheckpointToken;
  for (const Updates of checkpoints) {
    const input = { DurableExecutionArn, CheckpointToken: token, Updates };
    const response = await client.send(new CheckpointDurableExecutionCommand(input));
    if (!stale) token = response.CheckpointToken;
  }
  return { Status: 'PENDING' };
};

/** Returns the names of its environment variables, durable or not. */
export const environment = async (event) => {
  const names = Object.keys(process.env);
  return event.DurableExecutionArn === undefined
    ? names
    : { Status: 'SUCCEEDED', Result: JSON.stringify(names) };
};
