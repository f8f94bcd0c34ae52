import { ExitCode, info, setFailed, warning } from '@actions/core';
import { courierFor, type Receiver, receiverFor, responseFileOf } from './courier.ts';
import { makePlan, type Plan } from './inputs/plan.ts';
import { InvalidInputError } from './inputs/problems.ts';
import { readEnvironment, readInput } from './inputs/read.ts';
import { type Courier, deliverAll } from './lambda/delivery.ts';
import { REAL_TIMING } from './lambda/timing.ts';
import type { JobFacts } from './outcome/advice.ts';
import { judge } from './outcome/judge.ts';
import { maskJudgement } from './outcome/masks.ts';
import type { Judgement } from './outcome/outcome.ts';
import { SecretTexts } from './outcome/secret-texts.ts';
import { invalidInput, unwrittenResponse, writeAnnotations } from './report/annotations.ts';
import { Ledger } from './report/ledger.ts';
import { announcement, isFunctionError, noteOf, progressLine, writeEnd, writeLog } from './report/log.ts';
import { registerSecrets } from './report/masks.ts';
import { isTooLong, outputsOf, writeOutputs } from './report/outputs.ts';
import { renderComment, renderJobSummary } from './report/permissions.ts';
import { writeResponseFile } from './report/response-file.ts';
import { ResultsFile } from './report/results-file.ts';
import type { KeptResponse } from './report/streamed-response.ts';
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

/** A response that is not where later steps look for it fails the step; undefined where it could not be written. */
async function orFail<Written>(write: () => Promise<Written>): Promise<Written | undefined> {
  try {
    return await write();
  } catch (error) {
    writeAnnotations([unwrittenResponse(error)]);
    process.exitCode = ExitCode.Failure;
    return undefined;
  }
}

/** Ends the file of a streamed response: under its own name where all of it came and the function did not fail. */
function endOfStream(
  receiver: Receiver | undefined,
  { outcome }: Judgement,
): Promise<KeptResponse | undefined> | undefined {
  if (receiver === undefined || outcome.invocation_type !== 'RequestResponse') return undefined;
  const isWhole = 'status_code' in outcome && !isFunctionError(outcome);
  return orFail(() => receiver.end({ isWhole }));
}

/** Delivers and judges every invocation of the plan, keeping each outcome the moment it is known. */
async function invokeAll(
  plan: Plan,
  courier: Courier,
  job: JobFacts & { resultsFile: ResultsFile; receiver: Receiver | undefined },
): Promise<Ledger> {
  const { failOnFunctionError, expressions } = plan;
  const total = plan.invocations.length;
  const ledger = new Ledger(total);
  const secrets = new SecretTexts();
  let ended = 0;
  try {
    await deliverAll(plan.invocations, courier, async (delivery) => {
      const judged = judge(delivery, { failOnFunctionError, expressions, job });
      const responseFile = await endOfStream(job.receiver, judged);
      const judgement = { ...judged, ...(responseFile && { responseFile }) };
      registerSecrets(judgement.secrets);
      secrets.add(judgement.secrets.texts);
      const shown = maskJudgement(judgement, secrets);
      ended += 1;
      if (total > 1) info(progressLine(shown, ended, total));
      const shownJson = JSON.stringify(shown.outcome);
      ledger.add({ judgement, shown, shownJson }, noteOf);
      await orWarn('The results file', async () => job.resultsFile.append(shownJson));
    });
  } finally {
    courier.clients.close();
  }
  return ledger;
}

/** Keeps the response of a single invocation in a file, where it is not there already and has to be. */
async function keepResponse(
  { response, responseFile }: Judgement,
  plan: Plan,
  resultsFile: string,
): Promise<string | undefined> {
  if (responseFile !== undefined) return responseFile.path;
  if (plan.responseStream) return undefined;
  if (response.length === 0 || (plan.resultFile === undefined && !isTooLong(response))) return undefined;
  const file = responseFileOf(plan, resultsFile);
  return orFail(async () => {
    await writeResponseFile(file, response);
    return file;
  });
}

/** Keeps the comment on the pull request up to date. Only its own failure is a warning: Lambda's word stands. */
async function comment(ledger: Ledger, { comment: wanted }: Plan, cancel: AbortSignal): Promise<void> {
  if (wanted === undefined || cancel.aborted) return;
  const { pullRequest, key, token, apiUrl, repository } = wanted;
  await orWarn('The comment on the pull request', async () => {
    if ('reason' in pullRequest) throw new Error(pullRequest.reason);
    const { writeComment } = await import('./report/comment.ts');
    const job = { pullRequest, key, token, apiUrl, repository, timing: REAL_TIMING, signal: cancel };
    await writeComment(job, renderComment(ledger.outcomes, wanted));
  });
}

async function report(
  ledger: Ledger,
  plan: Plan,
  job: { hasSummary: boolean; resultsFile: ResultsFile; receiver: Receiver | undefined },
): Promise<void> {
  const { only, onlyShown } = ledger;
  if (onlyShown) {
    const isShownAlready = job.receiver?.isShown ?? false;
    writeLog(onlyShown, { showResponse: plan.showResponse, isShownAlready });
  } else writeEnd(ledger);
  const response = only && (await keepResponse(only, plan, job.resultsFile.path));
  writeOutputs(outputsOf(ledger, { results: job.resultsFile.path, response }));
  if (plan.writeSummary && job.hasSummary) {
    await orWarn('The job summary', () => writeSummary(renderJobSummary(ledger.outcomes)));
  }
  writeAnnotations(ledger.annotations);
}

async function run(cancel: AbortSignal): Promise<void> {
  const environment = readEnvironment();
  const plan = await makePlan(readInput, environment);
  announce(plan);
  const resultsFile = new ResultsFile(environment.temporaryFolder);
  const receiver = await receiverFor(plan, resultsFile.path);
  const courier = await courierFor(plan, receiver, cancel);
  const ledger = await invokeAll(plan, courier, { ...environment, resultsFile, receiver });
  await report(ledger, plan, { ...environment, resultsFile, receiver });
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
