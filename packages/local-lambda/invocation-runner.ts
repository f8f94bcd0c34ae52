import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  type EnvironmentEvent,
  ExecutionEnvironment,
  memorySizeOf,
  type RuntimeInvocation,
} from './execution-environment.ts';
import { type FunctionVersion, logGroupOf, logLevelsOf } from './function-definition.ts';
import { INIT_PHASE_MS, RESPONSE_BYTES } from './limits.ts';
import { EnvironmentLog, type LogTail, type PlatformLog, platformLog, type ReportStatus } from './log.ts';
import type { LogWrite } from './logs/log-store.ts';
import { collect, type StreamedResponse } from './streamed-response.ts';

/** One start of a handler, as reported by its own process just before the call. */
export type Execution = Readonly<{
  functionName: string;
  version: string;
  requestId: string;
  tenantId: string | undefined;
  environmentId: string;
  /** Milliseconds since 1970. */
  startedAt: number;
  /** True for the first execution in its environment. */
  coldStart: boolean;
}>;

/** An error at the end of a stream: its code, and the error payload if there is one. */
export type StreamError = Readonly<{ code: string; details?: string }>;

/** The outcome of an invocation: the response body, and whether it is an error payload. */
export type RunResult = Readonly<{
  body: Buffer;
  functionError: boolean;
  /** Set if the response is streamed. */
  streamError: StreamError | undefined;
  /** The output of a streaming handler that was buffered and is within the response limit. */
  written: Buffer | undefined;
  log: LogTail;
}>;

type RunOptions = Readonly<{
  onStream?: ((response: StreamedResponse) => void) | undefined;
  signal?: AbortSignal | undefined;
}>;

type Ending = Readonly<{ body: Buffer; functionError: boolean; outcome: ReportStatus | undefined }>;

type Started = Readonly<{
  environment: ExecutionEnvironment;
  event: EnvironmentEvent;
  initMs: number | undefined;
}>;

/** The identity of an environment, and its log. */
type EnvironmentPlace = Readonly<{ id: string; logStream: string; log: EnvironmentLog }>;

type Idle = Readonly<{ version: FunctionVersion; environments: ExecutionEnvironment[] }>;

const SIGNAL_NAMES: Readonly<Partial<Record<NodeJS.Signals, string>>> = {
  SIGABRT: 'aborted',
  SIGBUS: 'bus error',
  SIGFPE: 'floating point exception',
  SIGHUP: 'hangup',
  SIGILL: 'illegal instruction',
  SIGINT: 'interrupt',
  SIGKILL: 'killed',
  SIGQUIT: 'quit',
  SIGSEGV: 'segmentation fault',
  SIGTERM: 'terminated',
  SIGTRAP: 'trace/breakpoint trap',
};

function writeAll(log: EnvironmentLog, events: readonly string[]): void {
  for (const event of events) log.event(event);
}

/** The log stream of an environment. In a custom log group, its name includes the function's name. */
function logStreamName({ version, id, date }: { version: FunctionVersion; id: string; date: Date }): string {
  const day = date.toISOString().slice(0, 10).replaceAll('-', '/');
  const { functionName, definition } = version;
  return definition.logGroup === undefined
    ? `${day}/[${version.version}]${id}`
    : `${day}/${functionName}[${version.version}][${id}]`;
}

/** The sandbox's error type for a response that ends before its last byte. */
const TRUNCATED = 'Runtime.TruncatedResponse';

/** The last event for a streamed response that was buffered. */
const collected = (written: Buffer | undefined): EnvironmentEvent =>
  written === undefined ? { kind: 'result-too-large' } : { kind: 'result', body: written };

// The names are those of the sandbox, which sends no payload when a response is ended from outside.
function streamErrorOf(event: EnvironmentEvent, payload: Buffer, opened: boolean): StreamError {
  if (!opened || event.kind === 'stream-failed') {
    return { code: errorTypeOf(payload), details: payload.toString('utf8') };
  }
  return { code: event.kind === 'timed-out' ? 'Sandbox.Timeout' : TRUNCATED };
}

function errorTypeOf(body: Buffer): string {
  const error: unknown = JSON.parse(body.toString('utf8'));
  const hasType = typeof error === 'object' && error !== null && 'errorType' in error;
  return hasType ? String(error.errorType) : 'Unknown';
}

// The platform knows the runtime's error types. Any other error that ends an init phase is reported as unknown.
function platformErrorType(errorType: string): string {
  return /^(Runtime|Function)\.[A-Z][A-Za-z]+$/.test(errorType) ? errorType : 'Runtime.Unknown';
}

function exitMessage(event: Extract<EnvironmentEvent, { kind: 'exited' }>): string {
  if (event.outOfMemory) return 'Runtime exited with error: signal: killed';
  if (event.signal !== null) {
    return `Runtime exited with error: signal: ${SIGNAL_NAMES[event.signal] ?? event.signal}`;
  }
  if (event.code === null || event.code === 0) return 'Runtime exited without providing a reason';
  return `Runtime exited with error: exit status ${event.code}`;
}

/** Invokes a handler and ends its environment as soon as the signal is aborted. */
async function invokeUntil(
  signal: AbortSignal | undefined,
  environment: ExecutionEnvironment,
  invoke: () => Promise<EnvironmentEvent>,
): Promise<EnvironmentEvent> {
  const end = () => environment.destroy();
  if (signal?.aborted) {
    await end();
    return { kind: 'exited', code: null, signal: 'SIGKILL', outOfMemory: false };
  }
  signal?.addEventListener('abort', end, { once: true });
  try {
    return await invoke();
  } finally {
    signal?.removeEventListener('abort', end);
  }
}

/** Runs invocations in execution environments. It starts one when none is idle and keeps it for later invocations. */
export class InvocationRunner {
  readonly #region: string;
  readonly #now: () => number;
  readonly #onExecution: (execution: Execution) => void;
  readonly #onLog: (write: LogWrite) => void;
  readonly #environments = new Set<ExecutionEnvironment>();
  readonly #isCurrent: (version: FunctionVersion) => boolean;
  /** Idle environments by version and tenant, the most recently used last. */
  readonly #idle = new Map<string, Idle>();
  /** The compile cache: with it, a runtime process starts in a third of the time. */
  readonly #compileCache: string;
  /** The log streams that several environments share, by version. */
  readonly #sharedStreams = new Map<string, string>();
  #closing = false;

  constructor(options: {
    region: string;
    /** The clock of the log. */
    now: () => number;
    onExecution: (execution: Execution) => void;
    /** Called for each log event when it is written. */
    onLog: (write: LogWrite) => void;
    /** False for a version whose code was replaced. Its environments are not reused. */
    isCurrent: (version: FunctionVersion) => boolean;
  }) {
    this.#region = options.region;
    this.#now = options.now;
    this.#onExecution = options.onExecution;
    this.#onLog = options.onLog;
    this.#isCurrent = options.isCurrent;
    this.#compileCache = mkdtempSync(path.join(tmpdir(), 'local-lambda-compile-cache-'));
  }

  /** Ends the environments of replaced code, now or when their invocation ends. */
  retire(): void {
    for (const [key, { version, environments }] of this.#idle) {
      if (this.#isCurrent(version)) continue;
      for (const environment of environments) void environment.destroy();
      this.#idle.delete(key);
    }
  }

  /**
   * Runs one invocation. A streamed response is passed to the caller when it starts, or buffered. An aborted signal
   * ends the environment.
   */
  async run(
    version: FunctionVersion,
    invocation: RuntimeInvocation,
    { onStream, signal }: RunOptions = {},
  ): Promise<RunResult> {
    if (this.#closing) throw new Error('The local Lambda is closing.');
    this.retire();
    const platform = platformLog({
      format: version.definition.logFormat ?? 'Text',
      systemLogLevel: logLevelsOf(version)?.system ?? 'INFO',
      managedInstances: version.definition.managedInstances === true,
      now: this.#now,
      region: this.#region,
      functionName: version.functionName,
      functionVersion: version.version,
    });
    const limitMs = (version.definition.timeoutSeconds ?? 3) * 1000;
    const started = await this.#ready({ version, tenantId: invocation.tenantId, platform, limitMs });
    const { environment } = started;
    const { log } = environment;
    environment.onStarted = (requestId) =>
      this.#onExecution({
        functionName: version.functionName,
        version: version.version,
        requestId,
        tenantId: invocation.tenantId,
        environmentId: environment.id,
        startedAt: Date.now(),
        coldStart: started.initMs !== undefined,
      });
    let opened = false;
    let collecting: Promise<Buffer | undefined> | undefined;
    environment.onStream = (response) => {
      opened = true;
      if (onStream === undefined) collecting = collect(response.body, RESPONSE_BYTES);
      else onStream(response);
    };
    writeAll(log, platform.start(invocation.requestId, version.version));
    const startedAt = performance.now();
    const invoke = () => invokeUntil(signal, environment, () => environment.invoke(invocation, limitMs));
    const event = started.event.kind === 'ready' ? await invoke() : started.event;
    const durationMs = performance.now() - startedAt;
    const written = await collecting;
    log.endLine();
    const ending = this.#judge({
      event: event.kind === 'streamed' && collecting !== undefined ? collected(written) : event,
      platform,
      log,
      version,
      requestId: invocation.requestId,
    });
    const outOfMemory = event.kind === 'exited' && event.outOfMemory;
    writeAll(
      log,
      platform.report({
        requestId: invocation.requestId,
        durationMs: started.event.kind === 'ready' ? durationMs : (started.initMs ?? 0),
        initDurationMs: started.event.kind === 'ready' ? started.initMs : undefined,
        memorySize: memorySizeOf(version),
        // A process that V8 aborted can't report its memory. It died because it reached the limit.
        maxMemoryUsed: outOfMemory ? memorySizeOf(version) : environment.maxMemoryUsed,
        outcome: ending.outcome,
      }),
    );
    const tail = log.takeTail();
    this.#putBack(environment, version, invocation.tenantId);
    return {
      body: ending.body,
      functionError: ending.functionError,
      streamError: ending.functionError ? streamErrorOf(event, ending.body, opened) : undefined,
      written,
      log: tail,
    };
  }

  /** Ends all runtime processes. */
  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all([...this.#environments].map((environment) => environment.destroy()));
    rmSync(this.#compileCache, { recursive: true, force: true });
  }

  #key(version: FunctionVersion, tenantId: string | undefined): string {
    return [version.functionName, version.version, version.deployment, tenantId ?? ''].join('\n');
  }

  /** Returns an idle environment, or a new one after its init phase. A failed init phase is retried once, as on Lambda. */
  async #ready(options: {
    version: FunctionVersion;
    tenantId: string | undefined;
    platform: PlatformLog;
    limitMs: number;
  }): Promise<Started> {
    const { version, tenantId, platform, limitMs } = options;
    const idle = this.#idle.get(this.#key(version, tenantId))?.environments ?? [];
    for (let environment = idle.pop(); environment !== undefined; environment = idle.pop()) {
      if (!environment.alive) continue;
      return { environment, event: { kind: 'ready' }, initMs: undefined };
    }
    const place = this.#newPlace(version);
    const { log } = place;
    writeAll(log, platform.initStart());
    const first = await this.#start({ version, place, limitMs: INIT_PHASE_MS });
    if (first.event.kind === 'ready' || this.#closing) return first;
    log.endLine();
    writeAll(log, this.#initReport({ started: first, phase: 'init', platform }));
    const second = await this.#start({ version, place, limitMs });
    if (second.event.kind !== 'ready') {
      log.endLine();
      writeAll(log, this.#initReport({ started: second, phase: 'invoke', platform }));
    }
    return second;
  }

  /** Creates the name and the log of a new environment. One stream contains its whole life, including the init phase. */
  #newPlace(version: FunctionVersion): EnvironmentPlace {
    const id = randomUUID().replaceAll('-', '');
    const { definition } = version;
    const logGroup = logGroupOf(version);
    const logStream = this.#logStream(version, id);
    const log = new EnvironmentLog({
      json: definition.logFormat === 'JSON',
      write: (message) => {
        if (definition.mayWriteLogs !== false) this.#onLog({ logGroup, logStream, message });
      },
    });
    return { id, logStream, log };
  }

  #logStream(version: FunctionVersion, id: string): string {
    const ownStream = logStreamName({ version, id, date: new Date(this.#now()) });
    if (version.definition.managedInstances !== true) return ownStream;
    const key = this.#key(version, undefined);
    const shared = this.#sharedStreams.get(key) ?? ownStream;
    this.#sharedStreams.set(key, shared);
    return shared;
  }

  async #start(options: {
    version: FunctionVersion;
    place: EnvironmentPlace;
    limitMs: number;
  }): Promise<Started> {
    const startedAt = performance.now();
    const environment = new ExecutionEnvironment({
      ...options.place,
      version: options.version,
      region: this.#region,
      compileCache: this.#compileCache,
    });
    this.#environments.add(environment);
    environment.onExit = () => this.#environments.delete(environment);
    const event = await environment.init(options.limitMs);
    return { environment, event, initMs: performance.now() - startedAt };
  }

  #initReport(options: {
    started: Started;
    phase: 'init' | 'invoke';
    platform: PlatformLog;
  }): readonly string[] {
    const { event, initMs = 0 } = options.started;
    const outcome: ReportStatus =
      event.kind === 'timed-out'
        ? { status: 'timeout' }
        : {
            status: 'error',
            errorType:
              event.kind === 'failed' ? platformErrorType(errorTypeOf(event.body)) : 'Runtime.ExitError',
          };
    return options.platform.initReport({ phase: options.phase, durationMs: initMs, outcome });
  }

  #judge(options: {
    event: EnvironmentEvent;
    platform: PlatformLog;
    log: EnvironmentLog;
    version: FunctionVersion;
    requestId: string;
  }): Ending {
    const { event, platform, log, version, requestId } = options;
    const failure = (errorType: string, errorMessage: string): Buffer =>
      Buffer.from(
        JSON.stringify({ errorType, errorMessage: `RequestId: ${requestId} Error: ${errorMessage}` }),
      );
    switch (event.kind) {
      case 'result':
        return { body: event.body, functionError: false, outcome: undefined };
      case 'streamed':
        return { body: Buffer.alloc(0), functionError: false, outcome: undefined };
      case 'stream-destroyed': {
        const body = failure(TRUNCATED, 'The response was interrupted');
        return { body, functionError: true, outcome: { status: 'error', errorType: TRUNCATED } };
      }
      case 'stream-failed':
      case 'failed': {
        const errorType = errorTypeOf(event.body);
        const duringInit = /^Runtime\.(ImportModuleError|HandlerNotFound|UserCodeSyntaxError)$/.test(
          errorType,
        );
        const outcome = duringInit
          ? ({ status: 'error', errorType } as const)
          : ({ status: 'thrown', errorType } as const);
        return { body: event.body, functionError: true, outcome };
      }
      case 'result-too-large': {
        const errorType = 'Function.ResponseSizeTooLarge';
        const errorMessage = `Response payload size exceeded maximum allowed payload size (${RESPONSE_BYTES} bytes).`;
        const body = Buffer.from(JSON.stringify({ errorMessage, errorType }));
        return { body, functionError: true, outcome: { status: 'error', errorType } };
      }
      case 'timed-out': {
        const seconds = version.definition.timeoutSeconds ?? 3;
        writeAll(log, platform.timedOut(requestId, seconds));
        const body = failure('Sandbox.Timedout', `Task timed out after ${seconds.toFixed(2)} seconds`);
        return { body, functionError: true, outcome: { status: 'timeout' } };
      }
      case 'ready':
        throw new Error('A runtime process registered a second time.');
      case 'exited': {
        const errorType = event.outOfMemory ? 'Runtime.OutOfMemory' : 'Runtime.ExitError';
        const message = exitMessage(event);
        writeAll(log, platform.exited(`RequestId: ${requestId} Error: ${message}`, errorType));
        return {
          body: failure(errorType, message),
          functionError: true,
          outcome: { status: 'error', errorType },
        };
      }
    }
  }

  #putBack(environment: ExecutionEnvironment, version: FunctionVersion, tenantId: string | undefined): void {
    if (!environment.alive) return;
    const key = this.#key(version, tenantId);
    const environments = this.#idle.get(key)?.environments ?? [];
    environments.push(environment);
    this.#idle.set(key, { version, environments });
    this.retire();
  }
}
