import { ExitCode, info, setFailed, warning } from '@actions/core';
import { makePlan, type Plan } from './inputs/plan.ts';
import { InvalidInputError } from './inputs/problems.ts';
import { type Environment, readEnvironment, readInput } from './inputs/read.ts';
import { Clients } from './lambda/client.ts';
import { deliver } from './lambda/delivery.ts';
import type { Delivery } from './lambda/invocation.ts';
import { judge } from './outcome/judge.ts';
import type { Judgement } from './outcome/outcome.ts';
import { annotationsOf, invalidInput, writeAnnotations } from './report/annotations.ts';
import { announcement, writeLog } from './report/log.ts';
import { outputsOf, writeOutputs } from './report/outputs.ts';
import { appendResult, createResultsFile } from './report/results-file.ts';
import { renderSummary, writeSummary } from './report/summary.ts';

function announce(plan: Plan): void {
  for (const text of plan.warnings) warning(text);
  for (const text of plan.notes) info(text);
  for (const { functionName } of plan.invocations) info(announcement(functionName));
}

async function deliverAll(plan: Plan, environment: Environment): Promise<Delivery[]> {
  const clients = new Clients(environment.proxy);
  try {
    return await Promise.all(plan.invocations.map((invocation) => deliver(invocation, clients, Date.now)));
  } finally {
    clients.close();
  }
}

/** A report that is lost may not hide what Lambda said. */
async function orWarn(what: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    warning(`${what} was not written: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function report(judgements: readonly Judgement[], plan: Plan, environment: Environment): Promise<void> {
  for (const judgement of judgements) writeLog(judgement, plan.showResponse);
  const resultsFile = await createResultsFile(environment.temporaryFolder);
  for (const { outcome } of judgements) await appendResult(resultsFile, outcome);
  writeOutputs(outputsOf(judgements, resultsFile));
  if (plan.writeSummary && environment.hasSummary) {
    await orWarn('The job summary', () => writeSummary(renderSummary(judgements)));
  }
  writeAnnotations(annotationsOf(judgements));
}

async function run(): Promise<void> {
  const environment = readEnvironment();
  const plan = await makePlan(readInput, environment);
  announce(plan);
  const deliveries = await deliverAll(plan, environment);
  const judgements = deliveries.map((delivery) =>
    judge(delivery, { failOnFunctionError: plan.failOnFunctionError, job: environment }),
  );
  await report(judgements, plan, environment);
  // The annotations have said why; setFailed would add one more.
  if (judgements.some(({ failsStep }) => failsStep)) process.exitCode = ExitCode.Failure;
}

/** The action: read, plan, deliver, judge, report, and fail last. Never throws. */
export async function main(): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (error instanceof InvalidInputError) {
      writeAnnotations([invalidInput(error.problems)]);
      process.exitCode = ExitCode.Failure;
    } else {
      setFailed(error instanceof Error ? error : String(error));
    }
  }
}
