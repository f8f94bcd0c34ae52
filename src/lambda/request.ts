import { AsyncLocalStorage } from 'node:async_hooks';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { Agents } from './connection.ts';
import { exchange, NoConnectionError, type Sending, type SignedRequest } from './exchange.ts';
import { type Stop, toFailure, toStopped } from './failures.ts';
import type { Failure } from './invocation.ts';
import { Progress } from './progress.ts';
import type { Timing } from './timing.ts';
import { userAgentOf } from './user-agent.ts';

/** What bounds one request. */
export type Bounds = Readonly<{
  deadline: AbortSignal;
  cancel: AbortSignal;
  /** Aborts with the deadline and with `cancel`. */
  stop: AbortSignal;
  timing: Timing;
}>;

// One client serves all requests; the asynchronous context tells whose one is under way.
const underWay = new AsyncLocalStorage<Omit<Sending, 'agents'>>();

const isSignedRequest = (value: unknown): value is SignedRequest =>
  typeof value === 'object' && value !== null && 'hostname' in value && 'headers' in value;

/** Sends the requests of a client over `agents`, those of `perform` alone. */
export function carryRequests(client: LambdaClient, agents: Agents): void {
  let userAgent: Promise<string> | undefined;
  // Innermost of all middleware, in the place of the SDK's own sending: credentials, which may need requests of their
  // own, are found by then.
  client.middlewareStack.add(
    () =>
      async ({ request }) => {
        const sending = underWay.getStore();
        if (sending === undefined || !isSignedRequest(request)) throw new Error('not sent by perform()');
        userAgent ??= userAgentOf(client);
        request.headers['user-agent'] = await userAgent;
        try {
          return { response: await exchange(request, { ...sending, agents }) };
        } catch (error) {
          sending.progress.networkFailed(error);
          throw error;
        }
      },
    { step: 'deserialize', priority: 'low', name: 'carryRequests' },
  );
}

/** Performs one request within its bounds. Never throws: what went wrong is a Failure that says how far it came. */
export async function perform<Result>(
  { deadline, cancel, stop, timing }: Bounds,
  send: (progress: Progress) => Promise<Result>,
  { isStreamed = false }: { isStreamed?: boolean } = {},
): Promise<Result | Failure> {
  const progress = new Progress(timing.now);
  const whyStopped = (): Stop | undefined => {
    if (cancel.aborted) return 'cancelled';
    if (deadline.aborted) return 'deadline';
    return progress.networkError instanceof NoConnectionError ? 'connect' : undefined;
  };
  const stopped = Promise.withResolvers<never>();
  const abort = (): void => stopped.reject(new Error('stopped'));
  if (stop.aborted) abort();
  stop.addEventListener('abort', abort);
  try {
    // A request heeds the signal only once it is under way; credentials may hang before.
    return await underWay.run({ progress, timing, stop, isStreamed }, () =>
      Promise.race([send(progress), stopped.promise]),
    );
  } catch (error) {
    const why = whyStopped();
    return why === undefined ? toFailure(error, progress) : toStopped(why, progress);
  } finally {
    stop.removeEventListener('abort', abort);
  }
}
