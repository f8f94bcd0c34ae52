import { randomUUID } from 'node:crypto';
import path from 'node:path';
import type { Environment } from './inputs/environment.ts';
import type { Plan } from './inputs/plan.ts';
import { InvalidInputError, quote } from './inputs/problems.ts';
import type { CommentPlan } from './inputs/pull-request.ts';
import type { OpenTestEvents } from './inputs/test-event.ts';
import type { Resumption } from './journal/resumption.ts';
import type { ClientListeners } from './lambda/api.ts';
import { RequestIds } from './lambda/attempts.ts';
import { Clients } from './lambda/client.ts';
import { clockNote } from './lambda/clock.ts';
import type { EarlyConnection } from './lambda/early-connection.ts';
import { toUnresolvedEarlier } from './lambda/failures.ts';
import type { Invocation, InvocationResult } from './lambda/invocation.ts';
import { type InvokeContext, withLog } from './lambda/invoker.ts';
import { AdaptiveLimiter } from './lambda/limiter.ts';
import type { OnChunk } from './lambda/stream.ts';
import { ABORTED, REAL_TIMING, type Timing } from './lambda/timing.ts';
import type { StepLogs } from './log-wiring.ts';
import type { LogsClients } from './logs/client.ts';
import { type EvaluatedInvocation, Evaluator, type Rules } from './outcome/evaluate.ts';
import { type Labels, labelsFor } from './outcome/labels.ts';
import type { SecretTexts } from './outcome/secret-texts.ts';
import { StepResults } from './outcome/step-results.ts';
import { writeForeign } from './report/log.ts';
import { OutcomesFile } from './report/outputs.ts';
import { LogThrottle, repeatedLogLines, startHeartbeat, waitLine, warnOfClock } from './report/progress.ts';
import { createReporters, type ReportGuard, Reports } from './report/reporters.ts';
import { registerCredentials, registerSecrets } from './report/runner-secrets.ts';
import { type SavedResponse, StreamedResponse } from './report/saved-response.ts';
import { isFields, messageOf } from './shared/values.ts';
import type { Progress } from './wait-wiring.ts';

/** What surrounds a step: what guards its reports, what cancels it, and the connection that was opened for it. */
export type Surroundings = Readonly<{ guard: ReportGuard; cancel: AbortSignal; early?: EarlyConnection }>;

/** What a step is made of. */
export type StepParts = Surroundings &
  Readonly<{
    plan: Plan;
    environment: Environment;
    /** What must not be shown: credentials first, then what the masks find. */
    secrets: SecretTexts;
  }>;

/** A step that is ready to invoke, evaluate and report. */
export type Step = Readonly<{
  context: InvokeContext;
  results: StepResults;
  reports: Reports;
  /** What is left to invoke: with a journal, what no earlier run has sent. */
  remaining: readonly Invocation[];
  /** What a journal has from earlier runs. */
  earlier: AsyncIterable<EvaluatedInvocation>;
  /** Takes an outcome into the reports. */
  record: (evaluated: EvaluatedInvocation) => Promise<void>;
  /** Evaluates an invocation the moment it ends, and records its outcome. */
  take: (ended: InvocationResult) => Promise<void>;
  /** Reads what is wanted when all have ended: the logs of a list's failures. */
  readLogs: () => Promise<void>;
  /** Ends what is needed only while invocations are in progress. */
  close: () => void;
}>;

/** Receives a streamed response. */
type ResponseSink = Readonly<{
  /** Whether the log shows it as it arrives. */
  isShown: boolean;
  take: OnChunk;
  end: (options: { isWhole: boolean }) => Promise<SavedResponse | undefined>;
}>;

type SinkParts = Pick<StepParts, 'plan' | 'secrets' | 'guard'> & Readonly<{ file: string }>;

/** Takes the response of the one invocation that streams: into its file, and with show_response into the log. */
async function createResponseSink(parts: SinkParts): Promise<ResponseSink | undefined> {
  const { plan, secrets, guard, file } = parts;
  if (!plan.responseStream) return undefined;
  const { LiveResponse } = await import('./report/live-response.ts');
  const response = new StreamedResponse(file);
  // What may have to be masked is known only when all of it is there.
  const live = plan.showResponse && plan.expressions.mask.length === 0 ? new LiveResponse() : undefined;
  const show = (lines = ''): void => {
    if (lines !== '') writeForeign(secrets.hide(lines));
  };
  let saved: Promise<SavedResponse | undefined> | undefined;
  return {
    isShown: live !== undefined,
    take: async (chunk) => {
      show(live?.next(chunk));
      await response.take(chunk);
    },
    end: ({ isWhole }) => {
      saved ??= guard.run('response', () => {
        show(live?.end());
        return response.end({ isWhole });
      });
      return saved;
    },
  };
}

/** Opens what reads shareable test events, which a plan may need. It has clients of its own. */
export const openTestEvents =
  ({ environment, secrets, cancel }: Pick<StepParts, 'environment' | 'secrets' | 'cancel'>): OpenTestEvents =>
  async (proxy) => {
    const { TestEventReader } = await import('./lambda/test-events.ts');
    const clients = createClients({ proxy, ...environment.aws }, { environment, secrets });
    return new TestEventReader({ clients, timing: REAL_TIMING, cancel });
  };

/** The time of a step, and where the job has debug logging, who is told what its clients do. */
type Debugging = Readonly<{ timing: Timing }> & Pick<ClientListeners, 'activity'>;

/** What waits before and after an invocation, loaded only where it is wanted. */
async function createWaiting(
  plan: Plan,
  environment: Environment,
  progress: Progress,
): Promise<Pick<InvokeContext, 'readiness' | 'follow'>> {
  if (!plan.waitUntilReady && !plan.waitForDurableExecution) return {};
  const { createReadiness, createFollower } = await import('./wait-wiring.ts');
  return {
    ...(plan.waitUntilReady && (await createReadiness(progress, plan))),
    ...(plan.waitForDurableExecution && (await createFollower(progress, { plan, environment }))),
  };
}

async function createStream(sink: ResponseSink): Promise<Pick<InvokeContext, 'stream'>> {
  return {
    stream: { invokeOnce: (await import('./lambda/stream.ts')).streamOnce, onChunk: sink.take },
  };
}

// One invocation has the requests to itself; many share one a second, as an account has a few for everybody in it.
const APART_MS = { one: 200, many: 1_000 } as const;

/** The clients for logs, loaded with the first that is needed. All who read logs share them and their pace. */
function logsClientsFor({ plan, cancel }: StepParts, clients: Clients): () => Promise<LogsClients> {
  let loaded: Promise<LogsClients> | undefined;
  const load = async (): Promise<LogsClients> => {
    const { LogsClients } = await import('./logs/client.ts');
    const apartMs = APART_MS[plan.invocations.length === 1 ? 'one' : 'many'];
    return new LogsClients((region) => clients.settingsFor(region), {
      ...{ timing: REAL_TIMING, cancel, apartMs },
    });
  };
  return () => {
    loaded ??= load();
    return loaded;
  };
}

/** Looks into the log of a function that may have run. What reads logs is loaded with the first that does. */
function witnessOnDemand(
  parts: StepParts,
  clients: Clients,
  logsClients: () => Promise<LogsClients>,
): InvokeContext['witness'] {
  if (!parts.environment.aws.hasLogs) return undefined;
  const create = async () => {
    const [logs, { createWitness }] = await Promise.all([logsClients(), import('./log-wiring.ts')]);
    return createWitness({ ...parts, clients, logs });
  };
  let witness: ReturnType<typeof create> | undefined;
  return async (ended) => {
    witness ??= create();
    return (await witness)(ended);
  };
}

/** Warns of a wrong clock once, though each region finds out for itself, and each request that was signed before. */
function clockWarning(): (offsetMs: number) => void {
  let isClockKnown = false;
  return (offsetMs) => {
    if (!isClockKnown) warnOfClock(clockNote(offsetMs));
    isClockKnown = true;
  };
}

/** What waits for accepted events. */
async function createEventWait(
  logsClients: () => Promise<LogsClients>,
  throttle: LogThrottle,
): Promise<Pick<InvokeContext, 'waitForEvent'>> {
  const [logs, { eventWait }] = await Promise.all([logsClients(), import('./log-wiring.ts')]);
  return { waitForEvent: eventWait(logs, throttle) };
}

/** What reads the functions' logs, and what of it invocations need. */
type LogReaders = Readonly<{
  logs: StepLogs | undefined;
  context: Pick<InvokeContext, 'witness' | 'onSend' | 'waitForEvent'>;
}>;

type LogReaderParts = Readonly<{ clients: Clients; outcomesFile: OutcomesFile; throttle: LogThrottle }>;

async function createLogReaders(
  parts: StepParts,
  { clients, outcomesFile, throttle }: LogReaderParts,
): Promise<LogReaders> {
  const { followLog, waitForEvent } = parts.plan;
  const logsClients = logsClientsFor(parts, clients);
  const witness = witnessOnDemand(parts, clients, logsClients);
  const common = {
    ...(witness !== undefined && { witness }),
    ...(waitForEvent && (await createEventWait(logsClients, throttle))),
  };
  if (!followLog) return { logs: undefined, context: common };
  const { StepLogs } = await import('./log-wiring.ts');
  const folder = path.dirname(outcomesFile.path);
  const logs = new StepLogs({ ...parts, clients, folder, logs: await logsClients() });
  return { logs, context: { ...common, onSend: (sending) => logs.begin(sending) } };
}

type InvokeParts = Readonly<{
  clients: Clients;
  timing: Timing;
  logReaders: LogReaders;
  throttle: LogThrottle;
  labels: Labels;
  sink: ResponseSink | undefined;
  halt: AbortSignal | undefined;
}>;

/** What writes debug lines, where the job has debug logging. */
async function createDebug({ isDebug }: Environment, proxy: Plan['proxy']): Promise<Debugging> {
  if (!isDebug) return { timing: REAL_TIMING };
  const [{ ActivityWatch }, { writeDebugEvent, writeDebugProxies, writeDebugWait }] = await Promise.all([
    import('./lambda/activity.ts'),
    import('./report/debug-log.ts'),
  ]);
  writeDebugProxies(proxy);
  return {
    timing: {
      ...REAL_TIMING,
      sleep: (ms, signal) => {
        writeDebugWait(ms);
        return REAL_TIMING.sleep(ms, signal);
      },
    },
    activity: new ActivityWatch(writeDebugEvent),
  };
}

/** The SDK's clients. They say which credentials they find, so that no text shows them. */
function createClients(
  { proxy, defaultRegion }: Pick<Plan, 'proxy' | 'defaultRegion'>,
  {
    environment,
    secrets,
    activity,
    early,
  }: Pick<StepParts, 'environment' | 'secrets' | 'early'> & Pick<ClientListeners, 'activity'>,
): Clients {
  return new Clients(proxy, {
    // The SDK's chain may find other credentials than the environment names.
    onCredentials: ({ secretAccessKey, sessionToken }) =>
      registerCredentials('key', [secretAccessKey, sessionToken], secrets),
    onClockOffset: clockWarning(),
    runId: environment.github.runId,
    ...(defaultRegion !== undefined && { defaultRegion }),
    ...(activity !== undefined && { activity }),
    ...(early && { early }),
  });
}

/** What all invocations of a plan share, and what they write into the log while they are in progress. */
async function createInvokeContext(
  { plan, environment, cancel }: StepParts,
  { clients, timing, logReaders, throttle, labels, sink, halt }: InvokeParts,
): Promise<InvokeContext> {
  const lines = repeatedLogLines(REAL_TIMING.now, throttle);
  return {
    ...(await createWaiting(plan, environment, { throttle, lines, labels })),
    ...(sink !== undefined && (await createStream(sink))),
    ...logReaders.context,
    clients,
    policy: plan.policy,
    timing,
    limiter: new AdaptiveLimiter(plan.maxConcurrency),
    requestIds: new RequestIds(randomUUID),
    cancel,
    onWait: ({ invocation, failure: { name, reason, evidence }, waitMs, leftMs }) => {
      const ran = evidence === 'did_not_run' ? 'never' : 'perhaps';
      lines.add(waitLine({ label: labels.functionOf(invocation), error: name, reason, ran, waitMs, leftMs }));
    },
    onAllEnded: () => lines.end(),
    ...(halt !== undefined && { halt }),
  };
}

/** Keeps the comment on the pull request up to date. */
async function comment(wanted: CommentPlan, results: StepResults, cancel: AbortSignal): Promise<void> {
  if (cancel.aborted) return;
  const { pullRequest, key, token, apiUrl, repository, isFork } = wanted;
  if ('reason' in pullRequest) throw new Error(pullRequest.reason);
  const { writeComment } = await import('./report/comment/upsert-comment.ts');
  const { renderComment } = await import('./report/summary/permissions.ts');
  const job = { pullRequest, key, token, apiUrl, repository, isFork, timing: REAL_TIMING, signal: cancel };
  await writeComment(job, renderComment(results.outcomes, wanted));
}

/** The file for a response where the user names none, for one that is too long for an output. */
const besideOutcomes = (outcomesFile: OutcomesFile): string =>
  path.join(path.dirname(outcomesFile.path), 'response');

function whenSaved({ responseStream, responseFile }: Plan): 'always' | 'if_too_long' | 'never' {
  if (responseStream) return 'never';
  return responseFile === undefined ? 'if_too_long' : 'always';
}

/** The parts of a step that exist before its reports. */
type ReportParts = Readonly<{
  results: StepResults;
  outcomesFile: OutcomesFile;
  throttle: LogThrottle;
  logs: StepLogs | undefined;
  file: string;
  isShownAlready: boolean;
  resumption: Resumption | undefined;
}>;

function createReports({ plan, environment, guard, cancel }: StepParts, parts: ReportParts): Reports {
  const { results, outcomesFile, throttle, logs, file, isShownAlready, resumption } = parts;
  const wanted = plan.comment;
  const reporters = createReporters({
    results,
    guard,
    throttle,
    outcomesFile,
    showResponse: plan.showResponse,
    isShownAlready,
    followsLog: plan.followLog,
    writesSummary: plan.writeSummary && environment.hasSummary,
    stepId: environment.github.step,
    outputs: {
      total: plan.invocations.length,
      outcomesFile: outcomesFile.path,
      responseFile: { path: file, isSaved: whenSaved(plan) },
      ...(logs !== undefined && { logFile: () => logs.file }),
    },
    ...(resumption !== undefined && {
      journal: { add: (evaluated) => resumption.add(evaluated), write: () => resumption.write() },
    }),
    ...(wanted !== undefined && { comment: () => comment(wanted, results, cancel) }),
  });
  return new Reports(reporters, guard);
}

/** Takes in an invocation that has ended. Its log is read to its end before its outcome is recorded. */
const takeWith =
  (evaluator: Evaluator, logs: StepLogs | undefined, record: Step['record']): Step['take'] =>
  async (ended) => {
    const followed = await logs?.readToEnd(ended);
    const logGroup = followed?.source.logGroup ?? ended.logGroup;
    const evaluated = await evaluator.evaluate({ ...ended, ...(logGroup !== undefined && { logGroup }) });
    await logs?.add({ ended, evaluated }, followed);
    await record(evaluated);
  };

/** What a step still waits for: the function, or how many of several invocations. */
function waitedFor(
  { invocations }: Plan,
  { throttle, labels }: Pick<Progress, 'throttle' | 'labels'>,
): string {
  const [first, ...others] = invocations;
  return first !== undefined && others.length === 0
    ? labels.functionOf(first)
    : `${throttle.left} of ${invocations.length} invocations`;
}

/** Opens the journal, and finds out what it leaves to do. Throws an InvalidInputError where it can't be used. */
async function resume({ plan, environment }: StepParts, clients: Clients): Promise<Resumption | undefined> {
  const file = plan.journalFile;
  if (file === undefined) return undefined;
  const [{ Journal }, { Resumption }] = await Promise.all([
    import('./journal/journal.ts'),
    import('./journal/resumption.ts'),
  ]);
  const place = { file, temporaryFolder: environment.temporaryFolder };
  const journal = await Journal.open(place, randomUUID()).catch((error: unknown) => {
    const why = isFields(error) && error['name'] === 'JournalError' ? '' : 'cannot be used: ';
    throw new InvalidInputError([`journal ${quote(file)} ${why}${messageOf(error)}.`]);
  });
  return Resumption.of(plan.invocations, {
    journal,
    retry: plan.policy.retry,
    waitsFor: { event: plan.waitForEvent, execution: plan.waitForDurableExecution },
    regionOf: ({ region }) => clients.of(region).region(),
    toUnresolved: toUnresolvedEarlier,
    now: REAL_TIMING.now,
  });
}

/** What a journal has from earlier runs, evaluated by the expressions of this one. */
async function* evaluateEarlier(
  resumption: Resumption | undefined,
  evaluator: Evaluator,
  context: InvokeContext,
): AsyncGenerator<EvaluatedInvocation, void> {
  if (resumption === undefined) return;
  for await (const recorded of resumption.succeeded()) yield evaluator.takeOver(recorded);
  // What was sent in an earlier run has had time to get into the log.
  const unknown = await Promise.all(resumption.unknown.map((result) => withLog(result, context)));
  for (const result of unknown) yield await evaluator.evaluate(result);
}

/** What reads responses as an API does, where a payload was made from an HTTP request. */
async function createHttpReader({ invocations }: Plan): Promise<Pick<Rules, 'readHttp'>> {
  if (!invocations.some(({ http }) => http !== undefined)) return {};
  return { readHttp: (await import('./outcome/http-response.ts')).readHttpResponse };
}

async function createEvaluator(
  { plan, environment, secrets }: StepParts,
  { labels, sink }: Pick<InvokeParts, 'labels' | 'sink'>,
): Promise<Evaluator> {
  const { failOnFunctionError, expressions } = plan;
  const http = await createHttpReader(plan);
  return new Evaluator({
    rules: {
      ...{ failOnFunctionError, expressions, job: environment, known: secrets, labelOf: labels.entryOf },
      ...http,
    },
    secrets,
    register: (found) => registerSecrets(found, secrets),
    ...(sink && { endStream: sink.end }),
  });
}

/** What lasts as long as the step does: the log is told that it is alive, and connections stay open. */
function startLasting(
  { plan }: StepParts,
  { clients, throttle, labels }: Pick<InvokeParts, 'clients' | 'throttle' | 'labels'>,
): Step['close'] {
  const endHeartbeat = startHeartbeat(REAL_TIMING.after, () => waitedFor(plan, { throttle, labels }));
  return () => {
    endHeartbeat();
    throttle.flush();
    clients.close();
  };
}

/** Puts the parts of a step together. */
export async function createStep(parts: StepParts): Promise<Step> {
  const { plan, environment, secrets, guard } = parts;
  const total = plan.invocations.length;
  const outcomesFile = new OutcomesFile(environment.temporaryFolder);
  const file = plan.responseFile ?? besideOutcomes(outcomesFile);
  const sink = await createResponseSink({ plan, secrets, guard, file });
  const throttle = new LogThrottle({ total, now: REAL_TIMING.now });
  const results = new StepResults(total);
  const halt = plan.stopOnFailure ? new AbortController() : undefined;
  const { timing, ...debugging } = await createDebug(environment, plan.proxy);
  const clients = createClients(plan, { ...parts, ...debugging });
  const logReaders = await createLogReaders(parts, { clients, outcomesFile, throttle });
  const { logs } = logReaders;
  const resumption = await resume(parts, clients);
  const isShownAlready = sink?.isShown ?? false;
  const forReports = { results, outcomesFile, throttle, logs, file, isShownAlready, resumption };
  const reports = createReports(parts, forReports);
  const labels = labelsFor(plan);
  const evaluator = await createEvaluator(parts, { labels, sink });
  const shared = { clients, timing, logReaders, throttle, labels, sink, halt: halt?.signal };
  const context = await createInvokeContext(parts, shared);
  const record: Step['record'] = async (evaluated) => {
    if (evaluated.evaluation.failsStep) halt?.abort(ABORTED);
    results.add(evaluated.masked);
    await reports.add(evaluated);
  };
  return {
    context: { ...context, ...(resumption && { writeAhead: resumption.writeAhead }) },
    results,
    reports,
    remaining: resumption?.remaining ?? plan.invocations,
    earlier: evaluateEarlier(resumption, evaluator, context),
    record,
    take: takeWith(evaluator, logs, record),
    readLogs: async () => logs?.readFailures(),
    close: startLasting(parts, shared),
  };
}
