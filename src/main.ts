import { ExitCode, info, setFailed, warning } from '@actions/core';
import { makePlan, type Plan } from './inputs/plan.ts';
import { InvalidInputError } from './inputs/problems.ts';
import { type Environment, readEnvironment, readInput } from './inputs/read.ts';
import { Clients } from './lambda/client.ts';
import { type Courier, deliver } from './lambda/delivery.ts';
import { REAL_TIMING } from './lambda/timing.ts';
import { judge } from './outcome/judge.ts';
import type { Judgement } from './outcome/outcome.ts';
import { annotationsOf, invalidInput, writeAnnotations } from './report/annotations.ts';
import { announcement, waitLine, writeLog } from './report/log.ts';
import { outputsOf, writeOutputs } from './report/outputs.ts';
import { appendResult, createResultsFile } from './report/results-file.ts';
import { renderSummary, writeSummary } from './report/summary.ts';

function announce(plan: Plan): void {
  for (const text of plan.warnings) warning(text);
  for (const text of plan.notes) info(text);
  for (const { functionName } of plan.invocations) info(announcement(functionName));
}

/** A report that is lost may not hide what Lambda said. */
async function orWarn(what: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    warning(`${what} was not written: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function invokeAll(
  plan: Plan,
  environment: Environment,
  job: { cancel: AbortSignal; resultsFile: string },
): Promise<Judgement[]> {
  const clients = new Clients(plan.proxy);
  const courier: Courier = {
    clients,
    policy: plan.delivery,
    timing: REAL_TIMING,
    cancel: job.cancel,
    onWait: ({ invocation, failure, waitMs, leftMs }) =>
      info(
        waitLine({
          label: invocation.functionName,
          error: failure.name,
          reason: failure.reason,
          ran: failure.proof === 'never_ran' ? 'never' : 'perhaps',
          waitMs,
          leftMs,
        }),
      ),
  };
  const rules = { failOnFunctionError: plan.failOnFunctionError, job: environment };
  try {
    return await Promise.all(
      plan.invocations.map(async (invocation) => {
        const judgement = judge(await deliver(invocation, courier), rules);
        await orWarn('The results file', () => appendResult(job.resultsFile, judgement.outcome));
        return judgement;
      }),
    );
  } finally {
    clients.close();
  }
}

async function report(
  judgements: readonly Judgement[],
  plan: Plan,
  job: { hasSummary: boolean; resultsFile: string },
): Promise<void> {
  for (const judgement of judgements) writeLog(judgement, { showResponse: plan.showResponse });
  writeOutputs(outputsOf(judgements, job.resultsFile));
  if (plan.writeSummary && job.hasSummary)
    await orWarn('The job summary', () => writeSummary(renderSummary(judgements)));
  writeAnnotations(annotationsOf(judgements));
}

async function run(cancel: AbortSignal): Promise<void> {
  const environment = readEnvironment();
  const plan = await makePlan(readInput, environment);
  announce(plan);
  const resultsFile = await createResultsFile(environment.temporaryFolder);
  const judgements = await invokeAll(plan, environment, { cancel, resultsFile });
  await report(judgements, plan, { hasSummary: environment.hasSummary, resultsFile });
  // The annotations have said why; setFailed would add one more.
  if (judgements.some(({ failsStep }) => failsStep)) process.exitCode = ExitCode.Failure;
}

/** A runner cancels with SIGINT, and with SIGTERM 7.5 s later; what is known by then has to be reported. */
function cancelOnSignal(): AbortSignal {
  const cancel = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => cancel.abort());
  return cancel.signal;
}

/** The action: read, plan, deliver, judge, report, and fail last. Never throws. */
export async function main(): Promise<void> {
  try {
    await run(cancelOnSignal());
  } catch (error) {
    if (error instanceof InvalidInputError) {
      writeAnnotations([invalidInput(error.problems)]);
      process.exitCode = ExitCode.Failure;
    } else {
      setFailed(error instanceof Error ? error : String(error));
    }
  }
}
