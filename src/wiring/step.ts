import path from 'node:path';
import type { Plan } from '../inputs/plan.ts';
import type { Invocation, InvocationResult } from '../lambda/invocation.ts';
import type { InvokeContext } from '../lambda/invoker.ts';
import { eventLoopTurn, REAL_TIMING } from '../lambda/timing.ts';
import { labelsFor } from '../outcome/labels.ts';
import { OutcomesFile } from '../report/outcomes-file.ts';
import { LogThrottle, startHeartbeat } from '../report/progress.ts';
import { messageOf } from '../shared/values.ts';
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
  /** The invocations to send: with a journal, those that no earlier run has sent. */
  remaining: Iterable<Invocation>;
  /** Evaluates and records the outcomes of earlier runs in the journal. */
  evaluateEarlier: () => Promise<void>;
  /** Evaluates an invocation the moment it ends, and records its outcome. */
  evaluate: (ended: InvocationResult) => Promise<void>;
  /** Reads the logs of a list's failures, after all invocations have ended. */
  readLogs: () => Promise<void>;
  /** Closes connections, and stops the lines about invocations in progress. */
  close: () => void;
  /** Writes the reports. Returns the exit code. */
  report: () => Promise<0 | 1>;
}>;

/** The file for a response that is too long for an output, if the user names no file. */
const defaultResponseFile = (outcomesFile: OutcomesFile): string =>
  path.join(path.dirname(outcomesFile.path), 'response');

/** Names what a step still waits for: the function, or the number of invocations left. */
function waitedFor(
  { invocations }: Plan,
  { throttle, labels }: Pick<Progress, 'throttle' | 'labels'>,
): string {
  const [first] = invocations;
  return first !== undefined && invocations.length === 1
    ? labels.functionOf(first)
    : `${throttle.left} of ${invocations.length} invocations`;
}

/** Starts the line every minute that shows that the step is running. The returned function ends that and connections. */
function prepareClose(
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

/** Loads the parts that evaluate and report, and connects them for a step. */
async function loadOutcomes(parts: StepParts, made: OutcomeParts): Promise<StepOutcomes> {
  try {
    const { createOutcomes } = await import('./outcomes.ts');
    return await createOutcomes(parts, made);
  } catch (cause) {
    // Without these parts there are no reports, so only this error can say that the function may have run.
    throw new Error(
      `The outcome cannot be reported: ${messageOf(cause)}\nIf a request was sent, the function may have run. Check its log before you retry.`,
      { cause },
    );
  }
}

/** Creates and connects the parts of a step. */
export async function createStep(parts: StepParts): Promise<Step> {
  const { plan, environment, secrets, guard } = parts;
  const outcomesFile = new OutcomesFile(environment.temporaryFolder);
  const file = plan.responseFile ?? defaultResponseFile(outcomesFile);
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
    // The request is written in this turn of the event loop, which loading would block.
    await eventLoopTurn();
    // An error is thrown again when an outcome is evaluated.
    await outcomes().catch(() => {});
  });
  // The connections of many invocations can use every file descriptor, and loading a file needs one.
  if (plan.invocations.length > 1) await outcomes();
  const shared = { clients, timing, logReaders, throttle, labels, sink, halt: halt?.signal };
  const context = await createInvokeContext(parts, shared);
  return {
    context: { ...context, ...(resumption && { writeAhead: resumption.writeAhead }) },
    remaining: resumption?.remaining() ?? plan.invocations,
    evaluateEarlier: async () => resumption && (await outcomes()).evaluateEarlier(resumption, parts, context),
    evaluate: async (ended) => (await outcomes()).evaluate(ended),
    readLogs: async () => logs?.readFailures(),
    close: prepareClose(parts, shared),
    report: async () => (await outcomes()).report(),
  };
}
