// Connects the parts that evaluate invocations and report their outcomes. It is loaded while the step waits for the
// first response.
import type { Plan } from '../inputs/plan.ts';
import type { CommentPlan } from '../inputs/pull-request.ts';
import type { Resumption } from '../journal/resumption.ts';
import type { InvocationResult } from '../lambda/invocation.ts';
import { type InvokeContext, withLog } from '../lambda/invoker.ts';
import { ABORTED, REAL_TIMING } from '../lambda/timing.ts';
import { type EvaluatedInvocation, Evaluator, type Rules } from '../outcome/evaluate.ts';
import type { Labels } from '../outcome/labels.ts';
import { StepResults } from '../outcome/step-results.ts';
import type { OutcomesFile } from '../report/outcomes-file.ts';
import type { LogThrottle } from '../report/progress.ts';
import { createReporters, Reports } from '../report/reporters.ts';
import { registerSecrets } from '../report/runner-secrets.ts';
import { limitYoungGeneration } from '../shared/young-generation.ts';
import type { StepLogs } from './function-logs.ts';
import { loadOnce } from './load-once.ts';
import type { StepParts } from './parts.ts';
import type { ResponseSink } from './response-sink.ts';

// Exported from here, so that it is in the same file of the bundle.
export { writeNotInvoked } from '../report/outputs.ts';
export { writeEarlyEnd, writeRefusal } from '../report/refusal.ts';

/** The parts that exist before the first request, and that outcomes are evaluated and reported with. */
export type OutcomeParts = Readonly<{
  outcomesFile: OutcomesFile;
  throttle: LogThrottle;
  labels: Labels;
  /** The functions' logs, if they are followed. */
  logs: StepLogs | undefined;
  /** Receives the response of the single invocation of a step that streams. */
  sink: ResponseSink | undefined;
  /** The file for the response. */
  file: string;
  resumption: Resumption | undefined;
  /** With `stop_on_failure`: aborted after the first failure. */
  halt: AbortController | undefined;
}>;

/** Keeps the comment on the pull request up to date. */
async function comment(wanted: CommentPlan, results: StepResults, cancel: AbortSignal): Promise<void> {
  if (cancel.aborted) return;
  const { pullRequest, key, token, apiUrl, repository, isFork } = wanted;
  if ('reason' in pullRequest) throw new Error(pullRequest.reason);
  const { writeComment } = await import('../report/comment/upsert-comment.ts');
  const { renderComment } = await import('../report/summary/permissions.ts');
  const job = { pullRequest, key, token, apiUrl, repository, isFork, timing: REAL_TIMING, signal: cancel };
  await writeComment(job, renderComment(results.outcomes, wanted));
}

function createReports(
  { plan, environment, guard, cancel }: StepParts,
  { outcomesFile, throttle, logs, sink, file, resumption }: OutcomeParts,
  results: StepResults,
): Reports {
  const wanted = plan.comment;
  const reporters = createReporters({
    results,
    guard,
    throttle,
    outcomesFile,
    showResponse: plan.showResponse,
    isShownAlready: sink?.isShown ?? false,
    followsLog: plan.followLog,
    writesSummary: plan.writeSummary && environment.hasSummary,
    stepId: environment.github.step,
    outputs: {
      total: plan.invocations.length,
      outcomesFile: outcomesFile.path,
      responseFile: {
        path: file,
        isNamed: plan.responseFile !== undefined,
        isStreamed: plan.responseStream,
      },
      ...(logs !== undefined && { logFile: () => logs.file }),
    },
    ...(resumption !== undefined && {
      journal: { add: (evaluated) => resumption.add(evaluated), write: () => resumption.write() },
    }),
    ...(wanted !== undefined && { comment: () => comment(wanted, results, cancel) }),
  });
  return new Reports(reporters, guard);
}

/** The readers of HTTP responses and of the errors of streams. They are loaded only if the step needs them. */
async function createReaders({
  invocations,
  responseStream,
}: Plan): Promise<Pick<Rules, 'readHttp' | 'readStreamError'>> {
  const hasHttp = invocations.some(({ http }) => http !== undefined);
  return {
    ...(hasHttp && { readHttp: (await import('../outcome/http-response.ts')).readHttpResponse }),
    ...(responseStream && {
      readStreamError: (await import('../outcome/stream-error.ts')).withErrorOfLog,
    }),
  };
}

async function createEvaluator(
  { plan, environment, secrets, guard }: StepParts,
  { labels, sink }: Pick<OutcomeParts, 'labels' | 'sink'>,
): Promise<Evaluator> {
  const { failOnFunctionError, expressions } = plan;
  const readers = await createReaders(plan);
  // The first failure can be minutes after the start. If these files are gone by then, its outcome is still reported.
  const job = { ...environment, retry: plan.policy.retry };
  const loadAdvice = loadOnce(() =>
    guard.run('internal', async () => (await import('../outcome/failure-advice.ts')).adviceFor(job)),
  );
  const loadFunctionErrors = loadOnce(() =>
    guard.run(
      'internal',
      async () => (await import('../outcome/function-error-advice.ts')).explainFunctionError,
    ),
  );
  // The first failure of a list can be that no file descriptor is left, and loading a file needs one.
  if (plan.invocations.length > 1) await Promise.all([loadAdvice(), loadFunctionErrors()]);
  return new Evaluator({
    rules: { failOnFunctionError, expressions, known: secrets, labelOf: labels.entryOf, ...readers },
    loadAdvice,
    loadFunctionErrors,
    secrets,
    register: (found) => registerSecrets(found, secrets),
    ...(sink && { endStream: sink.end }),
  });
}

/** The outcomes of a step. They are evaluated and recorded as invocations end, and reported at the end. */
export class StepOutcomes {
  readonly #parts: OutcomeParts;
  readonly #evaluator: Evaluator;
  readonly #results: StepResults;
  readonly #reports: Reports;

  constructor(
    parts: OutcomeParts,
    made: Readonly<{ evaluator: Evaluator; results: StepResults; reports: Reports }>,
  ) {
    this.#parts = parts;
    this.#evaluator = made.evaluator;
    this.#results = made.results;
    this.#reports = made.reports;
  }

  /** Evaluates and records an invocation that has ended, after its log is read to the end. */
  async evaluate(ended: InvocationResult): Promise<void> {
    const { logs } = this.#parts;
    const followed = await logs?.readToEnd(ended);
    const logGroup = followed?.source.logGroup ?? ended.logGroup;
    const evaluated = await this.#evaluator.evaluate({
      ...ended,
      ...(logGroup !== undefined && { logGroup }),
    });
    await logs?.add({ ended, evaluated }, followed);
    await this.#record(evaluated);
  }

  /** Evaluates the outcomes of earlier runs with the expressions of this run, and records them. */
  async evaluateEarlier(resumption: Resumption, { guard }: StepParts, context: InvokeContext): Promise<void> {
    const record = (evaluated: EvaluatedInvocation) => guard.run('internal', () => this.#record(evaluated));
    for await (const recorded of resumption.succeeded())
      await record(await this.#evaluator.takeOver(recorded));
    // The log of an earlier run is complete by now.
    const unknown = await Promise.all(resumption.unknown.map((result) => withLog(result, context)));
    for (const result of unknown) await record(await this.#evaluator.evaluate(result));
  }

  /** Writes every report. Returns the exit code, which is also 1 if a report is missing that later steps rely on. */
  async report(): Promise<0 | 1> {
    await this.#reports.write();
    return this.#reports.failsStep ? 1 : this.#results.exitCode;
  }

  async #record(evaluated: EvaluatedInvocation): Promise<void> {
    if (evaluated.evaluation.failsStep) this.#parts.halt?.abort(ABORTED);
    this.#results.add(evaluated.masked);
    limitYoungGeneration({ at: this.#results.outcomes.length, length: this.#results.expected });
    await this.#reports.add(evaluated);
  }
}

/** Connects the parts that evaluate and report the outcomes of a step. */
export async function createOutcomes(step: StepParts, parts: OutcomeParts): Promise<StepOutcomes> {
  const results = new StepResults(step.plan.invocations.length);
  const reports = createReports(step, parts, results);
  return new StepOutcomes(parts, { evaluator: await createEvaluator(step, parts), results, reports });
}
