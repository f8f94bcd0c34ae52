import { randomUUID } from 'node:crypto';
import { ExitCode, error, info, warning } from '@actions/core';
import { readEnvironment, readInput } from './inputs/environment.ts';
import { makePlan, type Plan } from './inputs/plan.ts';
import { InvalidInputError } from './inputs/problems.ts';
import { invokeAll } from './lambda/invoker.ts';
import { announcement } from './outcome/labels.ts';
import { writeForeign } from './report/foreign-text.ts';
import { hideCredentials } from './report/runner-secrets.ts';
import { openTestEvents } from './wiring/clients.ts';
import type { Surroundings } from './wiring/parts.ts';
import { createStep, type Step } from './wiring/step.ts';

/** Writes what the user should know before anything is invoked. */
function announce(plan: Plan): void {
  for (const text of plan.warnings) warning(text);
  // A note may name a path, which may hold anything.
  for (const text of plan.notes) writeForeign(text);
  info(announcement(plan));
}

/** Reads and plans, and creates the parts of the step. Nothing is invoked. */
async function prepare(surroundings: Surroundings): Promise<Step> {
  const environment = readEnvironment();
  const secrets = hideCredentials(environment.credentials);
  const plan = await makePlan(readInput, environment, {
    openTestEvents: openTestEvents({ environment, secrets, ...surroundings }),
    stamp: { at: new Date(), id: randomUUID() },
  });
  announce(plan);
  return createStep({ plan, environment, secrets, ...surroundings });
}

/** Invokes, evaluates and reports. No error prevents the reports. */
async function run(step: Step, { guard }: Surroundings): Promise<ExitCode> {
  await guard.run('internal', async () => {
    await step.evaluateEarlier();
    for await (const result of invokeAll(step.remaining, step.context)) {
      await guard.run('internal', () => step.evaluate(result));
    }
  });
  await guard.run('log_file', step.readLogs);
  step.close();
  return step.report();
}

const writeError = (thrown: unknown, properties: { title?: string } = {}): void =>
  error(thrown instanceof Error ? thrown : String(thrown), properties);

/** Reports that nothing was invoked, and why. The code for that is loaded only if it is needed. */
async function refuse(thrown: unknown, { guard }: Surroundings): Promise<void> {
  const load = () => import('./wiring/outcomes.ts');
  if (thrown instanceof InvalidInputError) {
    await (await load()).writeRefusal(thrown.problems, guard);
    return;
  }
  writeError(thrown, { title: 'Failed to Invoke Lambda Function' });
  await guard.run('outputs', async () => (await load()).writeNotInvoked());
}

/** The action. Never throws: its value is the exit code. */
export async function main(surroundings: Surroundings): Promise<ExitCode> {
  try {
    const step = await prepare(surroundings).catch((thrown: unknown) => refuse(thrown, surroundings));
    return step === undefined ? ExitCode.Failure : await run(step, surroundings);
  } catch (thrown) {
    writeError(thrown);
    return ExitCode.Failure;
  }
}
