import path from 'node:path';
import { ExitCode, info, setFailed, warning } from '@actions/core';
import { makePlan, type Plan } from './inputs/plan.ts';
import { InvalidInputError } from './inputs/problems.ts';
import { readEnvironment, readInput } from './inputs/read.ts';
import { Clients } from './lambda/client.ts';
import { type Courier, deliverAll } from './lambda/delivery.ts';
import { Gate } from './lambda/gate.ts';
import { REAL_TIMING } from './lambda/timing.ts';
import type { JobFacts } from './outcome/advice.ts';
import { judge } from './outcome/judge.ts';
import { joinSecrets, maskJudgement, NO_SECRETS } from './outcome/masks.ts';
import { invalidInput, unwrittenResponse, writeAnnotations } from './report/annotations.ts';
import { Ledger } from './report/ledger.ts';
import { announcement, noteOf, progressLine, waitLine, writeEnd, writeLog } from './report/log.ts';
import { registerSecrets } from './report/masks.ts';
import { isTooLong, outputsOf, writeOutputs } from './report/outputs.ts';
import { renderComment, renderJobSummary } from './report/permissions.ts';
import { writeResponseFile } from './report/response-file.ts';
import { appendResult, createResultsFile } from './report/results-file.ts';
import { writeSummary } from './report/summary.ts';
import { messageOf } from './thrown.ts';

function announce({ warnings, notes, invocations, maxConcurrency }: Plan): void {
  for (const text of warnings) warning(text);
  for (const text of notes) info(text);
  info(announcement({ labels: invocations.map(({ functionName }) => functionName), maxConcurrency }));
}

/** A report that is lost may not hide what Lambda said. */
async function orWarn(what: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    warning(`${what} was not written: ${messageOf(error)}`);
  }
}

function courierFor(plan: Plan, cancel: AbortSignal): Courier {
  return {
    clients: new Clients(plan.proxy),
    policy: plan.delivery,
    timing: REAL_TIMING,
    gate: new Gate(plan.maxConcurrency),
    cancel,
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
}

/** Delivers and judges every invocation of the plan, keeping each outcome the moment it is known. */
async function invokeAll(
  plan: Plan,
  courier: Courier,
  job: JobFacts & { resultsFile: string },
): Promise<Ledger> {
  const { failOnFunctionError, expressions } = plan;
  const total = plan.invocations.length;
  const ledger = new Ledger(total);
  let secrets = NO_SECRETS;
  let ended = 0;
  try {
    await deliverAll(plan.invocations, courier, async (delivery) => {
      const judgement = judge(delivery, { failOnFunctionError, expressions, job });
      registerSecrets(judgement.secrets);
      secrets = joinSecrets(secrets, { ...judgement.secrets, complete: true });
      const shown = maskJudgement(judgement, { ...secrets, complete: judgement.secrets.complete });
      ended += 1;
      if (total > 1) info(progressLine(shown, ended, total));
      ledger.add(judgement, shown, noteOf);
      await orWarn('The results file', async () => appendResult(job.resultsFile, shown.outcome));
    });
  } finally {
    courier.clients.close();
  }
  return ledger;
}

/** Keeps the response of a single invocation in a file: where the user wants it, or where it has to be for its size. */
async function keepResponse(
  response: Uint8Array,
  wanted: string | undefined,
  resultsFile: string,
): Promise<string | undefined> {
  if (response.length === 0 || (wanted === undefined && !isTooLong(response))) return undefined;
  const file = wanted ?? path.join(path.dirname(resultsFile), 'response');
  await writeResponseFile(file, response);
  return file;
}

/** Keeps the comment on the pull request up to date. Only its own failure is a warning: Lambda's word stands. */
async function comment(ledger: Ledger, { comment: wanted }: Plan, cancel: AbortSignal): Promise<void> {
  if (wanted === undefined || cancel.aborted) return;
  const { pullRequest, key, token, apiUrl, repository } = wanted;
  await orWarn('The comment on the pull request', async () => {
    if ('reason' in pullRequest) throw new Error(pullRequest.reason);
    const { writeComment } = await import('./report/comment.ts');
    const timing = { now: REAL_TIMING.now, sleep: (ms: number) => REAL_TIMING.sleep(ms, cancel) };
    const job = { pullRequest, key, token, apiUrl, repository, timing };
    await writeComment(job, renderComment(ledger.outcomes, wanted));
  });
}

async function report(
  ledger: Ledger,
  plan: Plan,
  job: { hasSummary: boolean; resultsFile: string },
): Promise<void> {
  const { only, onlyShown } = ledger;
  if (onlyShown) writeLog(onlyShown, { showResponse: plan.showResponse });
  else writeEnd(ledger);
  const response =
    only &&
    (await keepResponse(only.response, plan.resultFile, job.resultsFile).catch((error: unknown) => {
      writeAnnotations([unwrittenResponse(error)]);
      process.exitCode = ExitCode.Failure;
      return undefined;
    }));
  writeOutputs(outputsOf(ledger, { results: job.resultsFile, response }));
  if (plan.writeSummary && job.hasSummary) {
    await orWarn('The job summary', () => writeSummary(renderJobSummary(ledger.outcomes)));
  }
  writeAnnotations(ledger.annotations);
}

async function run(cancel: AbortSignal): Promise<void> {
  const environment = readEnvironment();
  const plan = await makePlan(readInput, environment);
  announce(plan);
  const resultsFile = await createResultsFile(environment.temporaryFolder);
  const ledger = await invokeAll(plan, courierFor(plan, cancel), { ...environment, resultsFile });
  await report(ledger, plan, { ...environment, resultsFile });
  await comment(ledger, plan, cancel);
  // The annotations have said why; setFailed would add one more.
  if (ledger.failsStep) process.exitCode = ExitCode.Failure;
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
