import { ExitCode, info, setFailed, warning } from '@actions/core';
import { type Environment, readEnvironment, readInput } from './inputs/environment.ts';
import { makePlan, type Plan } from './inputs/plan.ts';
import { InvalidInputError } from './inputs/problems.ts';
import type { ClientListeners } from './lambda/api.ts';
import { invokeEach } from './lambda/invoker.ts';
import { REAL_TIMING } from './lambda/timing.ts';
import type { Evaluation } from './outcome/outcome.ts';
import { SecretTexts } from './outcome/secret-texts.ts';
import { Recorder } from './recorder.ts';
import { invalidInput, writeAnnotations } from './report/annotations.ts';
import { announcement, writeEnd, writeForeign, writeLog } from './report/log.ts';
import { LogThrottle } from './report/log-throttle.ts';
import { registerCredentials } from './report/masks.ts';
import { OutcomesFile } from './report/outcomes-file.ts';
import { isTooLong, outputsOf, writeOutputs } from './report/outputs.ts';
import { notWritten, ReportWriter } from './report/report-writer.ts';
import { writeResponseFile } from './report/response-file.ts';
import { StepResults } from './report/step-results.ts';
import { renderComment, renderJobSummary } from './report/summary/permissions.ts';
import { writeSummary } from './report/summary/summary.ts';
import { createInvokeContext, createResponseSink, type ResponseSink, responseFileOf } from './wiring.ts';

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
  outcomesFile: OutcomesFile;
  receiver: ResponseSink | undefined;
  /** What may not be shown; credentials first, then what the masks yield. */
  secrets: SecretTexts;
  results: StepResults;
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
  const context = await createInvokeContext(plan, { ...step, throttle, listeners: { onCredentials } });
  await writer.write('internal', () =>
    invokeEach(invocations, context, (delivery) => recorder.record(delivery)),
  );
  throttle.flush();
  context.clients.close();
}

/** Keeps the response of a single invocation in a file, where it is not there already and has to be. */
async function keepResponse(
  { response, responseFile }: Evaluation,
  plan: Plan,
  outcomesFile: string,
): Promise<string | undefined> {
  if (responseFile !== undefined) return responseFile.path;
  if (plan.responseStream) return undefined;
  if (response.length === 0 || (plan.responseFile === undefined && !isTooLong(response))) return undefined;
  const file = responseFileOf(plan, outcomesFile);
  await writeResponseFile(file, response);
  return file;
}

/** Keeps the comment on the pull request up to date. */
async function comment({ plan, results, cancel }: Step): Promise<void> {
  const { comment: wanted } = plan;
  if (wanted === undefined || cancel.aborted) return;
  const { pullRequest, key, token, apiUrl, repository } = wanted;
  if ('reason' in pullRequest) throw new Error(pullRequest.reason);
  const { writeComment } = await import('./report/comment/upsert-comment.ts');
  const job = { pullRequest, key, token, apiUrl, repository, timing: REAL_TIMING, signal: cancel };
  await writeComment(job, renderComment(results.outcomes, wanted));
}

function writeOutcomes({ plan, results, receiver }: Step): void {
  const { onlyShown } = results;
  if (onlyShown === undefined) writeEnd(results);
  else {
    writeLog(onlyShown, {
      showResponse: plan.showResponse,
      isShownAlready: receiver?.isShown ?? false,
    });
  }
}

/** Writes every report, whatever becomes of the others. The comment is last, as only that takes other people's time. */
async function report(step: Step): Promise<void> {
  const { plan, environment, outcomesFile, results, writer } = step;
  const { only } = results;
  await writer.write('log', () => writeOutcomes(step));
  await writer.write('outcomes_file', () => outcomesFile.complete());
  const response =
    only && (await writer.write('response', () => keepResponse(only, plan, outcomesFile.path)));
  await writer.write('outputs', () =>
    writeOutputs(outputsOf(results, { results: outcomesFile.path, response })),
  );
  if (plan.writeSummary && environment.hasSummary) {
    await writer.write('summary', () => writeSummary(renderJobSummary(results.outcomes)));
  }
  writeAnnotations(results.annotationsWith(writer.takeProblems()));
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
  const outcomesFile = new OutcomesFile(environment.temporaryFolder);
  const receiver = await createResponseSink(plan, outcomesFile.path, secrets);
  const results = new StepResults(plan.invocations.length);
  const step = { plan, environment, outcomesFile, receiver, secrets, results, writer, cancel };
  await invokeAll(step);
  await report(step);
  return results.failsStep || writer.failsStep;
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
