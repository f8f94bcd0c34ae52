import { ExitCode, info, setFailed, warning } from '@actions/core';
import { courierFor, type Receiver, receiverFor, responseFileOf } from './courier.ts';
import { makePlan, type Plan } from './inputs/plan.ts';
import { InvalidInputError } from './inputs/problems.ts';
import { type Environment, readEnvironment, readInput } from './inputs/read.ts';
import { deliverAll } from './lambda/delivery.ts';
import type { ClientListeners } from './lambda/request.ts';
import { REAL_TIMING } from './lambda/timing.ts';
import type { Judgement } from './outcome/outcome.ts';
import { SecretTexts } from './outcome/secret-texts.ts';
import { Recorder } from './recorder.ts';
import { invalidInput, writeAnnotations } from './report/annotations.ts';
import { Ledger } from './report/ledger.ts';
import { announcement, writeEnd, writeForeign, writeLog } from './report/log.ts';
import { LogThrottle } from './report/log-throttle.ts';
import { registerCredentials } from './report/masks.ts';
import { isTooLong, outputsOf, writeOutputs } from './report/outputs.ts';
import { renderComment, renderJobSummary } from './report/permissions.ts';
import { notWritten, ReportWriter } from './report/report-writer.ts';
import { writeResponseFile } from './report/response-file.ts';
import { ResultsFile } from './report/results-file.ts';
import { writeSummary } from './report/summary.ts';

function announce({ warnings, notes, invocations, maxConcurrency }: Plan): void {
  for (const text of warnings) warning(text);
  // A note may name a path, which may hold anything.
  for (const text of notes) writeForeign(text);
  info(announcement({ labels: invocations.map(({ functionName }) => functionName), maxConcurrency }));
}

/** A step on its way: what it is to do, and where it tells what it did. */
type Step = Readonly<{
  plan: Plan;
  environment: Environment;
  resultsFile: ResultsFile;
  receiver: Receiver | undefined;
  /** What may not be shown; credentials first, then what the masks yield. */
  secrets: SecretTexts;
  ledger: Ledger;
  writer: ReportWriter;
  cancel: AbortSignal;
}>;

/** Invokes and evaluates everything that is planned, and records each outcome the moment it is known. */
async function invokeAll(step: Step): Promise<void> {
  const { plan, environment, writer, secrets } = step;
  const { failOnFunctionError, expressions, invocations } = plan;
  const throttle = new LogThrottle({ total: invocations.length, now: REAL_TIMING.now });
  const rules = { failOnFunctionError, expressions, job: environment, known: secrets };
  const recorder = new Recorder({ ...step, rules, throttle });
  // The SDK's chain may find other credentials than the environment names.
  const onCredentials: ClientListeners['onCredentials'] = ({ secretAccessKey, sessionToken }) =>
    registerCredentials('key', [secretAccessKey, sessionToken], secrets);
  const courier = await courierFor(plan, { ...step, throttle, listeners: { onCredentials } });
  await writer.write('internal', () =>
    deliverAll(invocations, courier, (delivery) => recorder.record(delivery)),
  );
  throttle.flush();
  courier.clients.close();
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
  await writeResponseFile(file, response);
  return file;
}

/** Keeps the comment on the pull request up to date. */
async function comment({ plan, ledger, cancel }: Step): Promise<void> {
  const { comment: wanted } = plan;
  if (wanted === undefined || cancel.aborted) return;
  const { pullRequest, key, token, apiUrl, repository } = wanted;
  if ('reason' in pullRequest) throw new Error(pullRequest.reason);
  const { writeComment } = await import('./report/comment.ts');
  const job = { pullRequest, key, token, apiUrl, repository, timing: REAL_TIMING, signal: cancel };
  await writeComment(job, renderComment(ledger.outcomes, wanted));
}

function writeOutcomes({ plan, ledger, receiver }: Step): void {
  const { onlyShown } = ledger;
  if (onlyShown === undefined) writeEnd(ledger);
  else {
    writeLog(onlyShown, {
      showResponse: plan.showResponse,
      isShownAlready: receiver?.isShown ?? false,
    });
  }
}

/** Writes every report, whatever becomes of the others. The comment is last, as only that takes other people's time. */
async function report(step: Step): Promise<void> {
  const { plan, environment, resultsFile, ledger, writer } = step;
  const { only } = ledger;
  await writer.write('log', () => writeOutcomes(step));
  await writer.write('results_file', () => resultsFile.complete());
  const response = only && (await writer.write('response', () => keepResponse(only, plan, resultsFile.path)));
  await writer.write('outputs', () =>
    writeOutputs(outputsOf(ledger, { results: resultsFile.path, response })),
  );
  if (plan.writeSummary && environment.hasSummary) {
    await writer.write('summary', () => writeSummary(renderJobSummary(ledger.outcomes)));
  }
  writeAnnotations(ledger.annotationsWith(writer.takeProblems()));
  await writer.write('comment', () => comment(step));
  writeAnnotations(writer.takeProblems());
}

/** Answers whether the step fails. */
async function run(writer: ReportWriter, cancel: AbortSignal): Promise<boolean> {
  const environment = readEnvironment();
  const secrets = new SecretTexts();
  registerCredentials('key', environment.credentials.keys, secrets);
  registerCredentials('password', environment.credentials.passwords, secrets);
  const plan = await makePlan(readInput, environment);
  announce(plan);
  const resultsFile = new ResultsFile(environment.temporaryFolder);
  const receiver = await receiverFor(plan, resultsFile.path, secrets);
  const ledger = new Ledger(plan.invocations.length);
  const step = { plan, environment, resultsFile, receiver, secrets, ledger, writer, cancel };
  await invokeAll(step);
  await report(step);
  return ledger.failsStep || writer.failsStep;
}

/** A runner cancels with SIGINT, and with SIGTERM 7.5 s later; what is known by then has to be reported. */
function cancelOnSignal(): AbortSignal {
  const cancel = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => cancel.abort());
  return cancel.signal;
}

/** Nothing that goes wrong on the side ends the process before the report, which tells of it. */
function keepGoing(writer: ReportWriter): void {
  process.on('uncaughtException', (error) => writer.fail('internal', error));
  // Whoever read the log is gone. The files are still to be written.
  process.stdout.on('error', () => {});
}

const LONGEST_END_MS = 3_000;

/** Lets the process end, and ends it where something is still open, as a connection that nobody closes. */
function end(): void {
  // A pipe takes text asynchronously, and exit() drops what has not been taken.
  process.stdout.write('', () => setTimeout(() => process.exit(), LONGEST_END_MS).unref());
}

/** Tells of an end that nobody expects. */
function endsTooEarly(): void {
  writeAnnotations([notWritten('internal', 'nothing is left to wait for, and the report is not written')]);
}

/** The action: read, plan, invoke, evaluate, report, and fail last. Never throws. */
export async function main(): Promise<void> {
  // Red until it is known to be green, however the process ends.
  process.exitCode = ExitCode.Failure;
  const writer = new ReportWriter();
  keepGoing(writer);
  process.once('beforeExit', endsTooEarly);
  try {
    // The annotations say why it fails; setFailed would add one more.
    if (!(await run(writer, cancelOnSignal()))) process.exitCode = ExitCode.Success;
  } catch (error) {
    if (error instanceof InvalidInputError) writeAnnotations([invalidInput(error.problems)]);
    else setFailed(error instanceof Error ? error : String(error));
  }
  process.off('beforeExit', endsTooEarly);
  end();
}
