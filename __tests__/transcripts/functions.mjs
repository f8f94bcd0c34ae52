// Functions for the transcripts, in addition to those of the examples.
import { setTimeout as sleep } from 'node:timers/promises';
import { withDurableExecution } from '@aws/durable-execution-sdk-js';

/** Returns a token and carelessly logs it. */
export const issueToken = async ({ user }) => {
  const token = 'tok-4f9d2a7c1e';
  console.log(`issued ${token} to ${user}`);
  return { user, token };
};

/** Runs longer than any timeout. */
export const rebuildIndex = async () => {
  await sleep(600_000);
};

/** Streams a report, line by line. */
export const report = awslambda.streamifyResponse(async ({ day }, stream) => {
  for (const line of [`Orders of ${day}`, 'open: 3', 'shipped: 14']) stream.write(`${line}\n`);
  stream.end();
});

let hasTried = false;

/** Fails once, then sends the invoice. */
export const sendInvoice = async ({ order }) => {
  const isFirst = !hasTried;
  hasTried = true;
  if (isFirst) throw new Error('the mail server did not respond');
  return { order, sent: true };
};

/** Rolls a release out to a few users, then waits longer than any test. */
export const trialRollOut = withDurableExecution(async ({ release }, context) => {
  await context.step('canary', async () => release);
  await context.wait('watch the alarms', { seconds: 3_600 });
  return { release };
});
