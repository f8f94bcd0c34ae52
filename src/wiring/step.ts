import path from 'node:path';
import type { Plan } from '../inputs/plan.ts';
import type { Invocation, InvocationResult } from '../lambda/invocation.ts';
import type { InvokeContext } from '../lambda/invoker.ts';
import { eventLoopTurn, REAL_TIMING } from '../lambda/timing.ts';
import { labelsFor } from '../outcome/labels.ts';
import { OutcomesFile } from '../report/outcomes-file.ts';
import { LogThrottle, startHeartbeat } from '../report/progress.ts';
import { createClients, createDebug } from './clients.ts';
import { createInvokeContext, type InvokeParts } from './invoke-context.ts';
import { resume } from './journal.ts';
import { loadOnce } from './load-once.ts';
import { createLogReaders } from './log-readers.ts';
import type { OutcomeParts, StepOutcomes } from './outcomes.ts';
import type { StepParts } from './parts.ts';
import { createResponseSink } from './response-sink.ts';
import type { Progress } from './waits.ts';

/** A step that is ready to invoke, evaluate and report. */
export type Step = Readonly<{
  context: InvokeContext;
  /** What is left to invoke: with a journal, what no earlier run has sent. */
  remaining: Iterable<Invocation>;
  /** Evaluates and records what a journal has from earlier runs. */
  evaluateEarlier: () => Promise<void>;
  /** Evaluates an invocation the moment it ends, and records its outcome. */
  evaluate: (ended: InvocationResult) => Promise<void>;
  /** Reads what is wanted when all have ended: the logs of a list's failures. */
  readLogs: () => Promise<void>;
  /** Ends what is needed only while invocations are in progress. */
  close: () => void;
  /** Writes the reports. Its value is the exit code of the outcomes. */
  report: () => Promise<0 | 1>;
}>;

/** The file for a response where the user names none, for one that is too long for an output. */
const besideOutcomes = (outcomesFile: OutcomesFile): string =>
  path.join(path.dirname(outcomesFile.path), 'response');

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

/** Loads what evaluates and reports, and makes it for a step. */
async function loadOutcomes(parts: StepParts, made: OutcomeParts): Promise<StepOutcomes> {
  const { createOutcomes } = await import('./outcomes.ts');
  return createOutcomes(parts, made);
}

/** Puts the parts of a step together. */
export async function createStep(parts: StepParts): Promise<Step> {
  const { plan, environment, secrets, guard } = parts;
  const outcomesFile = new OutcomesFile(environment.temporaryFolder);
  const file = plan.responseFile ?? besideOutcomes(outcomesFile);
  const sink = await createResponseSink({ plan, secrets, guard, file });
  const throttle = new LogThrottle({ total: plan.invocations.length, now: REAL_TIMING.now });
  const halt = plan.stopOnFailure ? new AbortController() : undefined;
  const labels = labelsFor(plan);
  const { timing, ...debugging } = await createDebug(environment, plan.proxy);
  const clients = createClients(plan, { ...parts, ...debugging, onSent: () => void loadEarly() });
  const logReaders = await createLogReaders(parts, { clients, outcomesFile, throttle });
  const { logs } = logReaders;
  const resumption = await resume(parts, clients);
  const outcomes = loadOnce(() =>
    loadOutcomes(parts, { outcomesFile, throttle, labels, logs, sink, file, resumption, halt }),
  );
  const loadEarly = loadOnce(async () => {
    // The request is written in this turn of the event loop, and loading blocks it.
    await eventLoopTurn();
    // What goes wrong is thrown again where an outcome is evaluated.
    await outcomes().catch(() => {});
  });
  // The connections of many invocations may take every file descriptor, and to load a file takes one.
  if (plan.invocations.length > 1) await outcomes();
  const shared = { clients, timing, logReaders, throttle, labels, sink, halt: halt?.signal };
  const context = await createInvokeContext(parts, shared);
  return {
    context: { ...context, ...(resumption && { writeAhead: resumption.writeAhead }) },
    remaining: resumption?.remaining ?? plan.invocations,
    evaluateEarlier: async () => resumption && (await outcomes()).evaluateEarlier(resumption, parts, context),
    evaluate: async (ended) => (await outcomes()).evaluate(ended),
    readLogs: async () => logs?.readFailures(),
    close: startLasting(parts, shared),
    report: async () => (await outcomes()).report(),
  };
}
