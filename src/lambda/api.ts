import type {
  $Command,
  LambdaClient,
  LambdaClientResolvedConfig,
  ServiceInputTypes,
  ServiceOutputTypes,
} from '@aws-sdk/client-lambda';
import type { ActivityWatch } from './activity.ts';
import type { Agents } from './agents.ts';
import { AttemptProgress } from './attempt-progress.ts';
import { timeOfRefusal } from './clock.ts';
import { type Credentials, CredentialsUnavailable, fetchCredentials } from './credentials.ts';
import {
  type Exchange,
  type Expected,
  exchange,
  NoConnectionError,
  type RawResponse,
  REQUEST_ID,
  type Request,
} from './exchange.ts';
import { toCredentialsFailure, toFailure, toStopped } from './failures.ts';
import type { InvokeFailure } from './invocation.ts';
import { ABORTED, type Bounds, linkAbort, stopCauseOf } from './timing.ts';

/**
 * Middleware of the SDK that is removed. A retry could invoke a function twice. The SDK's signing uses this machine's
 * clock, and takes AWS's time from any Date header, which may be from a proxy.
 */
export const REMOVED = ['retryMiddleware', 'httpAuthSchemeMiddleware', 'httpSigningMiddleware'] as const;

/** Callbacks for what a client learns from its requests. */
export type ClientListeners = Readonly<{
  /** Called with the credentials of each request, before it is sent. */
  onCredentials?: (credentials: Credentials) => void;
  /** Called when a client finds by how many milliseconds AWS's clock is ahead of this machine's. */
  onClockOffset?: (offsetMs: number) => void;
  /** Called when a request is about to be written to its connection. */
  onSent?: () => void;
  /** Told before a request is sent, and when it has ended. */
  activity?: ActivityWatch;
}>;

type LambdaCommand<Input extends ServiceInputTypes, Output extends ServiceOutputTypes> = $Command<
  Input,
  Output,
  LambdaClientResolvedConfig,
  ServiceInputTypes,
  ServiceOutputTypes
>;

/** How one command is sent, and how its response is read. */
export type Attempt<Output, Result> = Readonly<{
  bounds: Bounds;
  /** Our own ID of an invocation's attempt. */
  sentAs?: string | undefined;
  /** The expected response; by default, a response about a function or an execution. */
  expected?: Expected;
  /** Reads the output. An error that it throws is a failure of the attempt. */
  read: (output: Output, progress: AttemptProgress) => Result | Promise<Result>;
}>;

// Lambda's responses about functions and executions, without a payload, have a few hundred KB at most.
const METADATA: Expected = { statusCode: 200, longestBody: 4 * 1024 * 1024 };

const isRequest = (value: unknown): value is Request =>
  typeof value === 'object' && value !== null && 'hostname' in value && 'headers' in value;

/** Lambda's API in one region: sends each command once, over connections of its own. */
export class LambdaApi {
  readonly #client: LambdaClient;
  readonly #agents: Agents;
  readonly #listeners: ClientListeners;
  /** The exchange of each command in progress, by the command's input, which every middleware passes on. */
  readonly #exchanges = new WeakMap<object, Exchange>();
  #signer: ReturnType<LambdaClientResolvedConfig['signer']> | undefined;

  constructor(client: LambdaClient, agents: Agents, listeners: ClientListeners = {}) {
    this.#client = client;
    this.#agents = agents;
    this.#listeners = listeners;
    for (const name of REMOVED) client.middlewareStack.remove(name);
    // The innermost middleware, which replaces the SDK's own sending.
    client.middlewareStack.add(
      () =>
        async ({ input, request }) => {
          const sending = this.#exchanges.get(input);
          if (sending === undefined || !isRequest(request)) throw new Error('not sent by LambdaApi.send()');
          return { response: await this.#exchange(request, sending) };
        },
      { step: 'deserialize', priority: 'low', name: 'exchangeMiddleware' },
    );
  }

  /** The region that requests are signed for. Rejects if none is configured. */
  region(): Promise<string> {
    return this.#client.config.region();
  }

  /** The credentials that requests are signed with. The listener for credentials gets them too. */
  async credentials(): Promise<Credentials> {
    const credentials = await fetchCredentials(this.#client, new AttemptProgress(Date.now));
    this.#listeners.onCredentials?.(credentials);
    return credentials;
  }

  /** How many milliseconds AWS's clock is ahead of this machine's clock, or 0 if that is not known. */
  get clockOffsetMs(): number {
    return this.#client.config.systemClockOffset;
  }

  /** Sends a command once. Never throws: an error becomes a failure that says how far the attempt got. */
  async send<Input extends ServiceInputTypes, Output extends ServiceOutputTypes, Result>(
    command: LambdaCommand<Input, Output>,
    { bounds, sentAs, expected = METADATA, read }: Attempt<Output, Result>,
  ): Promise<Result | InvokeFailure> {
    const { stop, timing } = bounds;
    const progress = new AttemptProgress(timing.now, { sentAs, onSent: this.#listeners.onSent });
    const beganAt = timing.now();
    const stopped = Promise.withResolvers<never>();
    const abort = (): void => stopped.reject(new Error('stopped'));
    if (stop.aborted) abort();
    stop.addEventListener('abort', abort);
    const over = new AbortController();
    const { signal, unlink } = linkAbort(stop, over.signal);
    this.#exchanges.set(command.input, { agents: this.#agents, stop: signal, timing, progress, expected });
    const send = async (): Promise<Result> => read(await this.#client.send(command), progress);
    try {
      // A request reacts to the signal only after it has started, and fetching credentials before that may hang.
      return await Promise.race([send(), stopped.promise]);
    } catch (error) {
      return failureOf(error, progress, bounds);
    } finally {
      // A stream ends with its last event; its connection may still be open.
      over.abort(ABORTED);
      unlink();
      stop.removeEventListener('abort', abort);
      this.#exchanges.delete(command.input);
      this.#listeners.activity?.end(command, progress, timing.now() - beganAt);
    }
  }

  /** Closes the connections that the SDK opened itself. */
  close(): void {
    this.#client.destroy();
  }

  /** Signs a request with AWS's time, if it is known, and exchanges it for its response. */
  async #exchange(request: Request, sending: Exchange): Promise<RawResponse> {
    const { config } = this.#client;
    const { timing, progress } = sending;
    const credentials = await fetchCredentials(this.#client, progress);
    this.#listeners.onCredentials?.(credentials);
    this.#listeners.activity?.request(request, config.logger);
    this.#signer ??= config.signer();
    const signer = await this.#signer;
    const signedAt = timing.now() + config.systemClockOffset;
    const { headers } = await signer.sign(request, { signingDate: new Date(signedAt) });
    const { sentAs } = progress;
    // This header is not signed, so that a proxy that rewrites it does not break the signature.
    const ownId = sentAs !== undefined && { [REQUEST_ID]: sentAs };
    try {
      const response = await exchange({ ...request, headers: { ...headers, ...ownId } }, sending);
      const time = timeOfRefusal(response, signedAt);
      if (time !== undefined) this.#correctClock(time - timing.now(), progress);
      return response;
    } catch (error) {
      progress.networkFailed(error);
      throw error;
    }
  }

  #correctClock(offsetMs: number, progress: AttemptProgress): void {
    this.#client.config.systemClockOffset = offsetMs;
    progress.clockWasWrong(offsetMs);
    this.#listeners.onClockOffset?.(offsetMs);
  }
}

function failureOf(error: unknown, progress: AttemptProgress, bounds: Bounds): InvokeFailure {
  const isUnconnected = progress.networkError instanceof NoConnectionError;
  const cause = stopCauseOf(bounds) ?? (isUnconnected ? 'connect' : undefined);
  if (cause !== undefined) return toStopped(cause, progress);
  return error instanceof CredentialsUnavailable
    ? toCredentialsFailure(error, progress)
    : toFailure(error, progress);
}
