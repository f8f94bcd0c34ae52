import path from 'node:path';
import type { Plan } from './inputs/plan.ts';
import type { ClientListeners } from './lambda/api.ts';
import { Clients } from './lambda/client.ts';
import { clockNote } from './lambda/clock.ts';
import type { ExecutionEvent } from './lambda/durable.ts';
import type { Invocation, InvokeFailure } from './lambda/invocation.ts';
import type { InvokeContext } from './lambda/invoker.ts';
import { AdaptiveLimiter } from './lambda/limiter.ts';
import type { FailedQuestion } from './lambda/polling.ts';
import type { StateChange } from './lambda/readiness.ts';
import type { OnChunk } from './lambda/stream.ts';
import { REAL_TIMING } from './lambda/timing.ts';
import type { SecretTexts } from './outcome/secret-texts.ts';
import { writeForeign } from './report/log.ts';
import type { LogThrottle } from './report/log-throttle.ts';
import {
  type Question,
  questionLine,
  type RepeatedLines,
  repeatedLogLines,
  waitLine,
  warnOfClock,
  warnOfHiddenHistory,
  warnOfNoExecution,
  writeDurableEvent,
  writeState,
} from './report/progress.ts';
import type { StreamedResponse } from './report/streamed-response.ts';

/** Receives a streamed response. */
export type ResponseSink = Readonly<{
  /** Whether the log shows it as it arrives. */
  isShown: boolean;
  take: OnChunk;
  end: StreamedResponse['end'];
}>;

/** Where a response is kept: where the user wants it, or where it has to be for its size. */
export const responseFileOf = ({ responseFile }: Plan, outcomesFile: string): string =>
  responseFile ?? path.join(path.dirname(outcomesFile), 'response');

/** Takes the response of the one invocation that streams: into its file, and with show_response into the log. */
export async function createResponseSink(
  plan: Plan,
  outcomesFile: string,
  secrets: SecretTexts,
): Promise<ResponseSink | undefined> {
  if (!plan.responseStream) return undefined;
  const { StreamedResponse } = await import('./report/streamed-response.ts');
  const { LiveResponse } = await import('./report/live-response.ts');
  const file = new StreamedResponse(responseFileOf(plan, outcomesFile));
  // What may have to be masked is known only when all of it is there.
  const live = plan.showResponse && plan.expressions.mask.length === 0 ? new LiveResponse() : undefined;
  const show = (lines = ''): void => {
    if (lines !== '') writeForeign(secrets.hide(lines));
  };
  return {
    isShown: live !== undefined,
    take: async (chunk) => {
      show(live?.next(chunk));
      await file.take(chunk);
    },
    end: async (whole) => {
      show(live?.end());
      return file.end(whole);
    },
  };
}

/** What deliveries tell of themselves, and whether to stop them. */
export type Surroundings = Readonly<{
  receiver: ResponseSink | undefined;
  throttle: LogThrottle;
  cancel: AbortSignal;
  listeners: ClientListeners;
}>;

/** What an invocation takes beside being sent, each loaded only where it is wanted. */
async function extrasFor(
  plan: Plan,
  { receiver, throttle }: Surroundings,
  lines: RepeatedLines,
): Promise<Pick<InvokeContext, 'readiness' | 'follow' | 'stream'>> {
  const onFailedQuestion =
    (about: Question['about']) =>
    ({ invocation, failure, waitMs }: FailedQuestion): void =>
      lines.add(questionLine({ label: invocation.functionName, about, error: failure.name, waitMs }));
  const readiness = plan.waitUntilReady && {
    waits: new (await import('./lambda/readiness.ts')).Readiness(),
    onStateChange: ({ invocation, state }: StateChange) =>
      throttle.write('changes of state', () => writeState({ label: invocation.functionName, state })),
    onFailedQuestion: onFailedQuestion('configuration'),
  };
  const follow = plan.waitForDurableExecution && {
    execution: (await import('./lambda/durable.ts')).followExecution,
    onExecutionEvent: ({ invocation, ...event }: ExecutionEvent) =>
      throttle.write('events of durable executions', () =>
        writeDurableEvent({ label: invocation.functionName, ...event }),
      ),
    onHiddenHistory: ({ functionName }: Invocation, { name }: InvokeFailure) =>
      throttle.write('histories that cannot be read', () =>
        warnOfHiddenHistory({ label: functionName, error: name }),
      ),
    onFailedQuestion: onFailedQuestion('durable execution'),
    onNotDurable: ({ functionName }: Invocation) =>
      throttle.write('without a durable execution', () => warnOfNoExecution({ label: functionName })),
  };
  const stream = receiver !== undefined && {
    invokeOnce: (await import('./lambda/stream.ts')).streamOnce,
    onChunk: receiver.take,
  };
  return { ...(readiness && { readiness }), ...(follow && { follow }), ...(stream && { stream }) };
}

/** What the deliveries of a plan share, told of in the log while they are under way. */
export async function createInvokeContext(plan: Plan, surroundings: Surroundings): Promise<InvokeContext> {
  const { throttle, cancel, listeners } = surroundings;
  const lines = repeatedLogLines(REAL_TIMING.now, throttle);
  let isClockKnown = false;
  // Each region finds out for itself, and each request that was signed before.
  const onClockOffset = (offsetMs: number): void => {
    if (!isClockKnown) warnOfClock(clockNote(offsetMs));
    isClockKnown = true;
  };
  return {
    ...(await extrasFor(plan, surroundings, lines)),
    clients: new Clients(plan.proxy, {
      ...listeners,
      onClockOffset,
      ...(plan.defaultRegion !== undefined && { defaultRegion: plan.defaultRegion }),
    }),
    policy: plan.delivery,
    timing: REAL_TIMING,
    limiter: new AdaptiveLimiter(plan.maxConcurrency),
    cancel,
    onWait: ({ invocation, failure, waitMs, leftMs }) =>
      lines.add(
        waitLine({
          label: invocation.functionName,
          error: failure.name,
          reason: failure.reason,
          ran: failure.evidence === 'did_not_run' ? 'never' : 'perhaps',
          waitMs,
          leftMs,
        }),
      ),
    onAllEnded: () => lines.end(),
  };
}
