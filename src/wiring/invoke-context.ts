import { randomUUID } from 'node:crypto';
import type { Environment } from '../inputs/environment.ts';
import type { Plan } from '../inputs/plan.ts';
import { RequestIds } from '../lambda/attempts.ts';
import type { Clients } from '../lambda/client.ts';
import type { InvokeContext } from '../lambda/invoker.ts';
import { AdaptiveLimiter } from '../lambda/limiter.ts';
import { REAL_TIMING, type Timing } from '../lambda/timing.ts';
import type { Labels } from '../outcome/labels.ts';
import { type LogThrottle, repeatedLogLines, waitLine } from '../report/progress.ts';
import type { LogReaders } from './log-readers.ts';
import type { StepParts } from './parts.ts';
import type { ResponseSink } from './response-sink.ts';
import type { Progress } from './waits.ts';

/** The parts that the invocations of a step share. */
export type InvokeParts = Readonly<{
  clients: Clients;
  timing: Timing;
  logReaders: LogReaders;
  throttle: LogThrottle;
  labels: Labels;
  sink: ResponseSink | undefined;
  halt: AbortSignal | undefined;
}>;

/** The waits before and after an invocation. They are loaded only if the step needs them. */
async function createWaiting(
  plan: Plan,
  environment: Environment,
  progress: Progress,
): Promise<Pick<InvokeContext, 'readiness' | 'follow'>> {
  if (!plan.waitUntilReady && !plan.waitForDurableExecution) return {};
  const { createReadiness, createFollower } = await import('./waits.ts');
  return {
    ...(plan.waitUntilReady && (await createReadiness(progress, plan))),
    ...(plan.waitForDurableExecution && (await createFollower(progress, { plan, environment }))),
  };
}

async function createStream(sink: ResponseSink): Promise<Pick<InvokeContext, 'stream'>> {
  return {
    stream: { invokeOnce: (await import('../lambda/stream.ts')).streamOnce, onChunk: sink.take },
  };
}

/** The context of all invocations of a plan, with the lines that they write while they are in progress. */
export async function createInvokeContext(
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
