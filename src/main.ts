import path from 'node:path';
import { ExitCode, info, setFailed, warning } from '@actions/core';
import { makePlan, type Plan } from './inputs/plan.ts';
import { InvalidInputError } from './inputs/problems.ts';
import { type Environment, readEnvironment, readInput } from './inputs/read.ts';
import { Clients } from './lambda/client.ts';
import { type Courier, deliver } from './lambda/delivery.ts';
import { REAL_TIMING } from './lambda/timing.ts';
import { judge } from './outcome/judge.ts';
import { joinSecrets, maskJudgement, NO_SECRETS } from './outcome/masks.ts';
import type { Judgement } from './outcome/outcome.ts';
import { annotationsOf, invalidInput, unwrittenResponse, writeAnnotations } from './report/annotations.ts';
import { announcement, waitLine, writeLog } from './report/log.ts';
import { registerSecrets } from './report/masks.ts';
import { isTooLong, outputsOf, writeOutputs } from './report/outputs.ts';
import { writeResponseFile } from './report/response-file.ts';
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
  const { failOnFunctionError, expressions } = plan;
  const rules = { failOnFunctionError, expressions, job: environment };
  try {
    return await Promise.all(
      plan.invocations.map(async (invocation) => {
        const judgement = judge(await deliver(invocation, courier), rules);
        registerSecrets(judgement.secrets);
        const shown = maskJudgement(judgement, judgement.secrets);
        await orWarn('The results file', () => appendResult(job.resultsFile, shown.outcome));
        return judgement;
      }),
    );
  } finally {
    clients.close();
  }
}

/** Keeps the response of a single invocation in a file: where the user wants it, or where it has to be for its size. */
async function keepResponse(
  judgements: readonly Judgement[],
  plan: Plan,
  resultsFile: string,
): Promise<string | undefined> {
  const [only] = judgements;
  if (only === undefined || judgements.length > 1 || only.response.length === 0) return undefined;
  const file = plan.resultFile ?? path.join(path.dirname(resultsFile), 'response');
  if (plan.resultFile === undefined && !isTooLong(only.response)) return undefined;
  await writeResponseFile(file, only.response);
  return file;
}

async function report(
  judgements: readonly Judgement[],
  plan: Plan,
  job: { hasSummary: boolean; resultsFile: string },
): Promise<void> {
  const secrets = judgements.map((judgement) => judgement.secrets).reduce(joinSecrets, NO_SECRETS);
  const shown = judgements.map((judgement) => maskJudgement(judgement, secrets));
  for (const judgement of shown) writeLog(judgement, { showResponse: plan.showResponse });
  const response = await keepResponse(judgements, plan, job.resultsFile).catch((error: unknown) => {
    writeAnnotations([unwrittenResponse(error)]);
    process.exitCode = ExitCode.Failure;
    return undefined;
  });
  writeOutputs(outputsOf(judgements, { results: job.resultsFile, response }));
  if (plan.writeSummary && job.hasSummary) {
    await orWarn('The job summary', () => writeSummary(renderSummary(shown)));
  }
  writeAnnotations(annotationsOf(shown));
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
