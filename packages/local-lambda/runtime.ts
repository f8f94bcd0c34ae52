// The program in an execution environment: it loads the handler, then runs one invocation after another.
// Handlers with fewer than three parameters behave as under nodejs24.x, those with a callback as under
// nodejs22.x, the last runtime with callbacks. There are few imports because they count toward Init Duration.
import { existsSync, writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { Socket } from 'node:net';
import { pathToFileURL } from 'node:url';
import { decodePairs, encodePairs, FRAME, FrameReader, frameHeader } from './frames.ts';
import { RESPONSE_BYTES } from './limits.ts';
import {
  errorForLog,
  errorPayload,
  loadError,
  RuntimeError,
  UnhandledPromiseRejection,
} from './runtime-errors.ts';
import { type LogContext, patchConsole } from './runtime-log.ts';
import { awslambda, highWaterMarkOf, isStreaming, ResponseStream, whenEnded } from './runtime-stream.ts';

type Callback = (error: unknown, result?: unknown) => void;
type Handler = (event: unknown, ...rest: unknown[]) => unknown;

const REPORT_FD = 3;
const INVOCATION_FD = 4;
const RESPONSE_FD = 5;

const logContext: LogContext = { requestId: undefined, tenantId: undefined };
let initialising = true;

function writeFully(bytes: Buffer): void {
  for (let offset = 0; offset < bytes.length; ) {
    try {
      offset += writeSync(REPORT_FD, bytes, offset);
    } catch (error) {
      // The pipe is full, and its descriptor does not block: wait for the reader.
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

// Writes are synchronous and use one pipe, so that all output before a crash arrives in order.
function report(kind: string, content: string | Uint8Array = ''): void {
  const bytes = Buffer.from(content);
  writeFully(frameHeader(kind, bytes.length));
  writeFully(bytes);
}

function reportMemory(): void {
  report(FRAME.memory, String(process.resourceUsage().maxRSS));
}

function captureOutput(): void {
  const write = (
    chunk: string | Uint8Array,
    encodingOrCallback?: BufferEncoding | ((error?: Error | null) => void),
    callback?: (error?: Error | null) => void,
  ): boolean => {
    const encoding = typeof encodingOrCallback === 'string' ? encodingOrCallback : 'utf8';
    report(FRAME.log, typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk);
    const done = typeof encodingOrCallback === 'function' ? encodingOrCallback : callback;
    if (done !== undefined) process.nextTick(done);
    return true;
  };
  process.stdout.write = write;
  process.stderr.write = write;
  patchConsole({
    json: process.env['AWS_LAMBDA_LOG_FORMAT'] === 'JSON',
    level: process.env['AWS_LAMBDA_LOG_LEVEL'],
    context: logContext,
    write: (text) => report(FRAME.logEvent, text),
  });
}

function logError(title: string, thrown: unknown): void {
  if (process.env['AWS_LAMBDA_LOG_FORMAT'] === 'JSON') {
    console.error(thrown instanceof Error ? thrown : new Error(String(thrown)));
  } else {
    console.error(title, errorForLog(thrown));
  }
}

function initFailed(thrown: unknown): void {
  reportMemory();
  report(FRAME.initFailed, errorPayload(thrown));
}

function isHandler(value: unknown): value is Handler {
  return typeof value === 'function';
}

function exportOf(module: unknown, name: string): unknown {
  if (typeof module !== 'object' || module === null) return undefined;
  const own: unknown = Reflect.get(module, name);
  return (
    own ?? ('default' in module && module.default !== module ? exportOf(module.default, name) : undefined)
  );
}

async function loadHandler(modulePath: string, exportName: string): Promise<Handler> {
  if (!existsSync(modulePath)) {
    throw new RuntimeError('Runtime.ImportModuleError', `Error: Cannot find module '${modulePath}'`);
  }
  let module: unknown;
  try {
    module = await import(pathToFileURL(modulePath).href);
  } catch (error) {
    throw loadError(error);
  }
  const handler = exportOf(module, exportName);
  const name = process.env['_HANDLER'];
  if (handler === undefined) {
    throw new RuntimeError('Runtime.HandlerNotFound', `${name} is undefined or not exported`);
  }
  if (!isHandler(handler)) throw new RuntimeError('Runtime.HandlerNotFound', `${name} is not a function`);
  return handler;
}

function stringify(result: unknown): string {
  try {
    // A function or a symbol has no JSON form. A handler without a return value returns undefined.
    return JSON.stringify(result === undefined ? null : result) ?? 'null';
  } catch {
    throw new RuntimeError('Runtime.JSONStringifyError', 'Unable to stringify response body');
  }
}

function reportResult(json: string): void {
  const size = Buffer.byteLength(json);
  reportMemory();
  if (size > RESPONSE_BYTES) report(FRAME.resultTooLarge, String(size));
  else report(FRAME.result, json);
}

function contextFor(headers: Map<string, string>): Record<string, unknown> {
  const deadline = Number(headers.get('deadlineMs'));
  const clientContext = headers.get('clientContext');
  return {
    functionName: process.env['AWS_LAMBDA_FUNCTION_NAME'],
    functionVersion: process.env['AWS_LAMBDA_FUNCTION_VERSION'],
    memoryLimitInMB: process.env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'],
    logGroupName: process.env['AWS_LAMBDA_LOG_GROUP_NAME'],
    logStreamName: process.env['AWS_LAMBDA_LOG_STREAM_NAME'],
    clientContext: clientContext === undefined ? undefined : JSON.parse(clientContext),
    identity: undefined,
    invokedFunctionArn: headers.get('invokedFunctionArn'),
    awsRequestId: headers.get('requestId'),
    tenantId: headers.get('tenantId'),
    getRemainingTimeInMillis: () => deadline - Date.now(),
    callbackWaitsForEmptyEventLoop: true,
  };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/** Runs a handler that streams its response. */
class StreamingInvoker {
  readonly #handler: Handler;
  readonly #responses = new Socket({ fd: RESPONSE_FD, readable: false, writable: true });

  constructor(handler: Handler) {
    this.#handler = handler;
  }

  async run(event: unknown, context: unknown): Promise<void> {
    const responseStream = new ResponseStream({
      responses: this.#responses,
      onOpen: (contentType) => report(FRAME.streamOpened, contentType),
      highWaterMark: highWaterMarkOf(this.#handler),
    });
    const ended = whenEnded(responseStream);
    // Awaited below, if the handler gets that far.
    ended.catch(() => undefined);
    try {
      const returned = this.#handler(event, responseStream, context);
      if (!isThenable(returned)) throw new Error('Streaming does not support non-async handlers.');
      const result = await returned;
      if (result !== undefined) console.warn('Streaming handlers ignore return values.');
      await ended;
      reportMemory();
      report(FRAME.streamEnded, String(responseStream.sentBytes));
    } catch (error) {
      logError('Invoke Error', error);
      await this.#fail(responseStream, error);
    }
  }

  async #fail(responseStream: ResponseStream, error: unknown): Promise<void> {
    // Lambda is told about an error after the last byte. It is too late if the handler has already ended the stream.
    const tooLate = responseStream.writableEnded;
    if (!responseStream.destroyed) {
      const ended = whenEnded(responseStream);
      responseStream.end();
      await ended.catch(() => undefined);
    }
    reportMemory();
    const bytes = String(responseStream.sentBytes);
    if (!responseStream.writableFinished) {
      responseStream.open();
      report(FRAME.streamDestroyed, bytes);
    } else if (tooLate) report(FRAME.streamEnded, bytes);
    else report(FRAME.streamFailed, encodePairs({ bytes, error: errorPayload(error) }));
  }
}

/** Runs the handler of one environment. The channel keeps the process alive only between invocations. */
class Invoker {
  readonly #handler: Handler;
  readonly #channel: Socket;
  readonly #streaming: StreamingInvoker | undefined;
  #whenEventLoopIsEmpty: (() => void) | undefined;

  constructor(handler: Handler, channel: Socket) {
    this.#handler = handler;
    this.#channel = channel;
    if (isStreaming(handler)) this.#streaming = new StreamingInvoker(handler);
    process.on('beforeExit', () => this.#whenEventLoopIsEmpty?.());
  }

  run(headers: Map<string, string>, payload: Buffer): void {
    logContext.requestId = headers.get('requestId');
    logContext.tenantId = headers.get('tenantId');
    process.env['_X_AMZN_TRACE_ID'] = headers.get('traceId') ?? '';
    const event: unknown = JSON.parse(payload.toString('utf8'));
    const context = contextFor(headers);
    if (this.#streaming === undefined) {
      this.#runBuffered(event, context);
    } else {
      report(FRAME.started, logContext.requestId ?? '');
      void this.#streaming.run(event, context);
    }
  }

  #runBuffered(event: unknown, context: Record<string, unknown>): void {
    let finished = false;
    const finish = (send: () => void): void => {
      if (finished) return;
      finished = true;
      this.#whenEventLoopIsEmpty = undefined;
      this.#channel.ref();
      send();
    };
    // Belongs to this invocation only, because leftover code of an earlier one may still call its own callback.
    const fail = (thrown: unknown): void =>
      finish(() => {
        logError('Invoke Error', thrown);
        reportMemory();
        report(FRAME.failed, errorPayload(thrown));
      });
    const succeed = (result: unknown): void => {
      try {
        const json = stringify(result);
        finish(() => reportResult(json));
      } catch (error) {
        fail(error);
      }
    };
    // The immediate lets output and rejections of the same turn go first, as in the real runtime.
    const settle = (send: () => void) => setImmediate(send);
    const done = (error: unknown, result: unknown) =>
      error === undefined || error === null ? succeed(result) : fail(error);

    const callback: Callback = (error, result) => {
      if (context['callbackWaitsForEmptyEventLoop'] === false || (error !== undefined && error !== null)) {
        settle(() => done(error, result));
      } else {
        this.#whenEventLoopIsEmpty = () => succeed(result);
      }
    };
    Object.assign(context, {
      succeed: (result: unknown) => settle(() => succeed(result)),
      fail: (error: unknown) => settle(() => fail(error ?? 'handled')),
      done: (error: unknown, result: unknown) => settle(() => done(error, result)),
    });

    this.#channel.unref();
    const takesCallback = this.#handler.length >= 3;
    if (takesCallback) this.#whenEventLoopIsEmpty = () => succeed(null);
    report(FRAME.started, logContext.requestId ?? '');
    try {
      const returned = takesCallback
        ? this.#handler(event, context, callback)
        : this.#handler(event, context);
      if (isThenable(returned)) {
        returned.then(
          (result) => settle(() => succeed(result)),
          (error) => settle(() => fail(error)),
        );
      } else if (!takesCallback) {
        settle(() => succeed(returned));
      }
    } catch (error) {
      settle(() => fail(error));
    }
  }
}

function listen(handler: Handler): void {
  const channel = new Socket({ fd: INVOCATION_FD, readable: true, writable: false });
  const invoker = new Invoker(handler, channel);
  const reader = new FrameReader();
  let headers = new Map<string, string>();
  channel.on('data', (chunk: Buffer) => {
    for (const frame of reader.push(chunk)) {
      if (frame.kind === FRAME.invocationHeaders) headers = decodePairs(frame.bytes.toString('utf8'));
      if (frame.kind === FRAME.invocationPayload) invoker.run(headers, frame.bytes);
    }
  });
  // The server has exited, and an environment must not outlive it. process.exit() waits for threads, and one of them may
  // wait for a DNS server, or for a garbage collection (nodejs/node#54918).
  channel.on('end', () => process.kill(process.pid, 'SIGKILL'));
  initialising = false;
  reportMemory();
  report(FRAME.ready);
  // Now and not at exit, because environments are killed. The next environment uses the cache.
  flushCompileCache();
}

function watchForUncaught(): void {
  const failAndExit = (title: string, thrown: unknown, code: number) => {
    logError(title, thrown);
    reportMemory();
    report(initialising ? FRAME.initFailed : FRAME.failedAndExiting, errorPayload(thrown));
    process.exit(code);
  };
  process.on('uncaughtException', (error: unknown) => failAndExit('Uncaught Exception', error, 129));
  process.on('unhandledRejection', (reason, promise) =>
    failAndExit('Unhandled Promise Rejection', new UnhandledPromiseRejection(reason, promise), 128),
  );
  process.on('exit', reportMemory);
}

delete process.env['NODE_COMPILE_CACHE'];
Object.assign(globalThis, { awslambda });
captureOutput();
watchForUncaught();
try {
  listen(await loadHandler(process.argv[2] ?? '', process.argv[3] ?? ''));
} catch (error) {
  logError('Uncaught Exception', error);
  initFailed(error);
  process.exit(1);
}
