import { AsyncLocalStorage } from 'node:async_hooks';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import { follow } from './abort.ts';
import type { Agents } from './connection.ts';
import { exchange, type Sending, type SignedRequest } from './exchange.ts';
import { type Stop, toFailure, toStopped } from './failures.ts';
import type { Failure } from './invocation.ts';
import { Progress } from './progress.ts';
import type { Timing } from './timing.ts';

const CONNECT_TIMEOUT_MS = 10_000;

/** What bounds one request. */
export type Bounds = Readonly<{
  deadline: AbortSignal;
  cancel: AbortSignal;
  /** Aborts with the deadline and with `cancel`. */
  stop: AbortSignal;
  timing: Timing;
}>;

type UnderWay = Omit<Sending, 'agents'> & Readonly<{ timing: Timing; onUnconnected: () => void }>;

// One client serves all requests; the asynchronous context tells whose one is under way.
const underWay = new AsyncLocalStorage<UnderWay>();

const isSignedRequest = (value: unknown): value is SignedRequest =>
  typeof value === 'object' && value !== null && 'hostname' in value && 'headers' in value;

/** Sends the requests of a client over `agents`, those of `perform` alone. */
export function carryRequests(client: LambdaClient, agents: Agents): void {
  // Innermost of all middleware, in the place of the SDK's own sending: credentials, which may need requests of their
  // own, are found by then.
  client.middlewareStack.add(
    () =>
      async ({ request }) => {
        const sending = underWay.getStore();
        if (sending === undefined || !isSignedRequest(request)) throw new Error('not sent by perform()');
        const { progress, timing, onUnconnected } = sending;
        const stopWaiting = timing.after(CONNECT_TIMEOUT_MS, () => {
          if (progress.sentAt === undefined) onUnconnected();
        });
        try {
          return { response: await exchange(request, { ...sending, agents }) };
        } catch (error) {
          progress.networkFailed(error);
          throw error;
        } finally {
          stopWaiting();
        }
      },
    { step: 'deserialize', priority: 'low', name: 'carryRequests' },
  );
}

function rejectOn(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = (): void => reject(new Error('stopped'));
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}

/** Performs one request within its bounds. Never throws: what went wrong is a Failure that says how far it came. */
export async function perform<Result>(
  { deadline, cancel, stop, timing }: Bounds,
  send: (progress: Progress) => Promise<Result>,
  { isStreamed = false }: { isStreamed?: boolean } = {},
): Promise<Result | Failure> {
  const progress = new Progress(timing.now);
  const { signal, abort, letGo } = follow(stop);
  let isUnconnected = false;
  const onUnconnected = (): void => {
    isUnconnected = true;
    abort();
  };
  const stopped = (): Stop | undefined => {
    if (cancel.aborted) return 'cancelled';
    if (deadline.aborted) return 'deadline';
    return isUnconnected ? 'connect' : undefined;
  };
  try {
    // The signal is heeded only once the request is under way; credentials may hang before.
    return await underWay.run({ progress, timing, signal, isStreamed, onUnconnected }, () =>
      Promise.race([send(progress), rejectOn(signal)]),
    );
  } catch (error) {
    const why = stopped();
    return why === undefined ? toFailure(error, progress) : toStopped(why, progress);
  } finally {
    letGo();
  }
}
