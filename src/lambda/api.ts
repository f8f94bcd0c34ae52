import { AsyncLocalStorage } from 'node:async_hooks';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import { AttemptProgress } from './attempt-progress.ts';
import { timeOfRefusal } from './clock.ts';
import type { Agents } from './connection.ts';
import { CredentialsUnavailable, fetchCredentials } from './credentials.ts';
import { type Stop, toFailure, toStopped, toUncredentialed } from './evidence.ts';
import { exchange, NoConnectionError, type Request, type Sending } from './exchange.ts';
import type { Expected } from './flaws.ts';
import type { InvokeFailure } from './invocation.ts';
import { linkAbort } from './link-abort.ts';
import { type Credentials, Signer } from './signature.ts';
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

const isRequest = (value: unknown): value is Request =>
  typeof value === 'object' && value !== null && 'hostname' in value && 'headers' in value;

/** What the SDK has for signing, for saying who it is, and to no end here: there is no logger, and nothing is repeated. */
export const REPLACED = [
  'getUserAgentMiddleware',
  'httpAuthSchemeMiddleware',
  'httpSigningMiddleware',
  'loggerMiddleware',
  'retryMiddleware',
] as const;

/** Who wants to know what a client finds out. */
export type ClientListeners = Readonly<{
  /** Called with the credentials of each request, before it is sent. */
  onCredentials?: (credentials: Credentials) => void;
  /** Told when a client finds by how many milliseconds AWS's clock is ahead of this machine's. */
  onClockOffset?: (offsetMs: number) => void;
}>;

/** Signs the requests of a client, by AWS's clock once it is known, and sends them over `agents`: those of `perform` alone. */
export function carryRequests(
  client: LambdaClient,
  agents: Agents,
  { onCredentials, onClockOffset }: ClientListeners = {},
): void {
  const { config } = client;
  for (const name of REPLACED) client.middlewareStack.remove(name);
  const signer = new Signer('lambda');
  let userAgent: Promise<string> | undefined;
  // Innermost of all middleware, in the place of the SDK's own sending.
  client.middlewareStack.add(
    () =>
      async ({ request }) => {
        const sending = underWay.getStore();
        if (sending === undefined || !isRequest(request)) throw new Error('not sent by perform()');
        userAgent ??= userAgentOf(client);
        const { timing, progress } = sending;
        const credentials = await fetchCredentials(client, progress);
        onCredentials?.(credentials);
        const signedAt = timing.now() + config.systemClockOffset;
        const headers = signer.sign(
          { ...request, headers: { ...request.headers, 'user-agent': await userAgent } },
          {
            credentials,
            region: await config.region(),
            date: new Date(signedAt),
          },
        );
        try {
          const response = await exchange({ ...request, headers }, { ...sending, agents });
          const time = timeOfRefusal(response, signedAt);
          if (time !== undefined) {
            config.systemClockOffset = time - timing.now();
            progress.clockWasWrong(config.systemClockOffset);
            onClockOffset?.(config.systemClockOffset);
          }
          return { response };
        } catch (error) {
          progress.networkFailed(error);
          throw error;
        }
      },
    { step: 'deserialize', priority: 'low', name: 'carryRequests' },
  );
}

// Lambda's answers about functions and executions, without a payload, have a few hundred KB at most.
const QUESTION: Expected = { statusCode: 200, longestBody: 4 * 1024 * 1024 };

/** Performs one request within its bounds. Never throws: what went wrong is a Failure that says how far it came. */
export async function perform<Result>(
  { deadline, cancel, stop, timing }: Bounds,
  send: (progress: AttemptProgress) => Promise<Result>,
  expected: Expected = QUESTION,
): Promise<Result | InvokeFailure> {
  const progress = new AttemptProgress(timing.now);
  const whyStopped = (): Stop | undefined => {
    if (cancel.aborted) return 'cancelled';
    if (deadline.aborted) return 'deadline';
    return progress.networkError instanceof NoConnectionError ? 'connect' : undefined;
  };
  const stopped = Promise.withResolvers<never>();
  const abort = (): void => stopped.reject(new Error('stopped'));
  if (stop.aborted) abort();
  stop.addEventListener('abort', abort);
  const over = new AbortController();
  const { signal, unlink } = linkAbort(stop, over.signal);
  try {
    // A request heeds the signal only once it is under way; credentials may hang before.
    return await underWay.run({ progress, timing, stop: signal, expected }, () =>
      Promise.race([send(progress), stopped.promise]),
    );
  } catch (error) {
    const why = whyStopped();
    if (why !== undefined) return toStopped(why, progress);
    return error instanceof CredentialsUnavailable
      ? toUncredentialed(error, progress)
      : toFailure(error, progress);
  } finally {
    // A stream is over with its last event; its connection may be open still.
    over.abort();
    unlink();
    stop.removeEventListener('abort', abort);
  }
}
