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
import { createStep } from './wiring/step.ts';

/** Writes what the user should know before anything is invoked. */
function announce(plan: Plan): void {
  for (const text of plan.warnings) warning(text);
  // A note may name a path, which may hold anything.
  for (const text of plan.notes) writeForeign(text);
  info(announcement(plan));
}

/** Reads, plans, invokes, evaluates and reports. No error after the plan prevents the reports. */
async function run(surroundings: Surroundings): Promise<ExitCode> {
  const { guard } = surroundings;
  const environment = readEnvironment();
  const secrets = hideCredentials(environment.credentials);
  const plan = await makePlan(readInput, environment, {
    openTestEvents: openTestEvents({ environment, secrets, ...surroundings }),
    stamp: { at: new Date(), id: randomUUID() },
  });
  announce(plan);
  const step = await createStep({ plan, environment, secrets, ...surroundings });
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

/** Reports invalid inputs. The code for that is loaded only if it is needed. */
async function refuse({ problems }: InvalidInputError, { guard }: Surroundings): Promise<void> {
  const { writeRefusal } = await import('./wiring/outcomes.ts');
  await writeRefusal(problems, guard);
}

/** The action. Never throws: its value is the exit code. */
export async function main(surroundings: Surroundings): Promise<ExitCode> {
  try {
    return await run(surroundings);
  } catch (thrown) {
    if (thrown instanceof InvalidInputError) await refuse(thrown, surroundings);
    else error(thrown instanceof Error ? thrown : String(thrown));
    return ExitCode.Failure;
  }
}
