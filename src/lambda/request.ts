import { AsyncLocalStorage } from 'node:async_hooks';
import { Buffer } from 'node:buffer';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import { follow } from './abort.ts';
import { observe } from './connection.ts';
import { type Stop, toFailure, toStopped } from './failures.ts';
import type { Failure } from './invocation.ts';
import { type Head, Progress } from './progress.ts';
import type { Timing } from './timing.ts';

const CONNECT_TIMEOUT_MS = 10_000;

/** How much is read, in bytes, of what somebody else answered in Lambda's place. */
export const LONGEST_STRANGE_TEXT = 64 * 1024;

/** What bounds one request. */
export type Bounds = Readonly<{ deadline: AbortSignal; cancel: AbortSignal; timing: Timing }>;

/** What a request is sent with: the signal that it has to heed, and where it is noted how far it came. */
export type Sending = Readonly<{ abortSignal: AbortSignal; progress: Progress }>;

type UnderWay = Readonly<{ progress: Progress; timing: Timing; connectLimit: AbortController }>;

// One client serves all requests; the asynchronous context tells whose one is under way.
const underWay = new AsyncLocalStorage<UnderWay>();

/** The raw answer, as the SDK's handler gives it before anything reads it. */
type RawResponse = { statusCode: number; headers: Record<string, string>; body?: unknown };

const isRawResponse = (value: unknown): value is RawResponse =>
  typeof value === 'object' && value !== null && 'statusCode' in value && 'headers' in value;

const isByteStream = (value: unknown): value is AsyncIterable<Uint8Array> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value;

function readHead({ statusCode, headers }: RawResponse): Head {
  const requestId = headers['x-amzn-requestid'];
  const retryAfter = Number(headers['retry-after']);
  return {
    statusCode,
    ...(requestId !== undefined && { requestId }),
    ...(retryAfter > 0 && { retryAfterSeconds: retryAfter }),
    ...(headers['content-type'] !== undefined && { mediaType: headers['content-type'] }),
  };
}

async function readBody(body: unknown): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  try {
    if (isByteStream(body)) for await (const chunk of body) chunks.push(chunk);
  } catch {
    // What came before it broke is what there is; the status has said the rest.
  }
  return Buffer.concat(chunks);
}

/** Notes an answer's head, and the text of one that is no success, before the SDK makes an error of it. */
async function noteAnswer(response: unknown, progress: Progress): Promise<void> {
  if (!isRawResponse(response)) return;
  progress.headCame(readHead(response));
  if (response.statusCode < 300) return;
  const body = await readBody(response.body);
  progress.textCame(body.toString('utf8', 0, LONGEST_STRANGE_TEXT));
  response.body = body;
}

/** Lets a client note how far the requests of `perform` come. */
export function watchRequests(client: LambdaClient): void {
  // Innermost of all middleware: credentials, which may need requests of their own, are found by then.
  client.middlewareStack.add(
    (next) => async (args) => {
      const request = underWay.getStore();
      if (request === undefined) return next(args);
      const { progress, timing, connectLimit } = request;
      const stopWaiting = timing.after(CONNECT_TIMEOUT_MS, () => {
        if (progress.sentAt === undefined) connectLimit.abort();
      });
      try {
        const output = await observe(progress, () => next(args));
        await noteAnswer(output.response, progress);
        return output;
      } catch (error) {
        progress.networkFailed(error);
        throw error;
      } finally {
        stopWaiting();
      }
    },
    { step: 'deserialize', priority: 'low', name: 'watchRequests' },
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
  { deadline, cancel, timing }: Bounds,
  send: (sending: Sending) => Promise<Result>,
): Promise<Result | Failure> {
  const progress = new Progress(timing.now);
  const connectLimit = new AbortController();
  const stopped = (): Stop | undefined => {
    if (cancel.aborted) return 'cancelled';
    if (deadline.aborted) return 'deadline';
    return connectLimit.signal.aborted ? 'connect' : undefined;
  };
  const { signal: abortSignal, letGo } = follow(deadline, cancel, connectLimit.signal);
  try {
    // The SDK heeds the signal only once the request is under way; credentials may hang before.
    return await underWay.run({ progress, timing, connectLimit }, () =>
      Promise.race([send({ abortSignal, progress }), rejectOn(abortSignal)]),
    );
  } catch (error) {
    const stop = stopped();
    return stop === undefined ? toFailure(error, progress) : toStopped(stop, progress);
  } finally {
    letGo();
  }
}
