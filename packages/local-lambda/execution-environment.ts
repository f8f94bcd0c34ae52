import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { decodePairs, encodePairs, FRAME, type Frame, FrameReader, frameHeader } from './frames.ts';
import { type FunctionVersion, logGroupOf, logLevelsOf, splitHandler } from './function-definition.ts';
import type { EnvironmentLog } from './log.ts';
import { StreamedResponse } from './streamed-response.ts';

/** How an init phase or an invocation ended, as seen from outside the process. */
export type EnvironmentEvent =
  | Readonly<{ kind: 'ready' }>
  | Readonly<{ kind: 'result'; body: Buffer }>
  | Readonly<{ kind: 'result-too-large' }>
  /** The response was passed to onStream. */
  | Readonly<{ kind: 'streamed' }>
  /** The same, but the handler threw before the response ended. */
  | Readonly<{ kind: 'stream-failed'; body: Buffer }>
  /** The same, but the handler destroyed the response. */
  | Readonly<{ kind: 'stream-destroyed' }>
  /** The error payload from the runtime. After 'exiting', the environment is lost. */
  | Readonly<{ kind: 'failed'; body: Buffer; exiting: boolean }>
  | Readonly<{ kind: 'exited'; code: number | null; signal: NodeJS.Signals | null; outOfMemory: boolean }>
  | Readonly<{ kind: 'timed-out' }>;

/** What a runtime process receives for one invocation. */
export type RuntimeInvocation = Readonly<{
  requestId: string;
  invokedFunctionArn: string;
  payload: Buffer;
  /** JSON text. */
  clientContext: string | undefined;
  tenantId: string | undefined;
  traceId: string;
}>;

const RUNTIME = fileURLToPath(new URL('./runtime.ts', import.meta.url));
/** How long to read output after a process has ended, because a grandchild could keep the pipes open. */
const LAST_OUTPUT_MS = 200;

function environmentVariables(options: {
  version: FunctionVersion;
  region: string;
  logStreamName: string;
}): Record<string, string> {
  const { version, region, logStreamName } = options;
  const { definition, functionName } = version;
  const { modulePath, exportName } = splitHandler(definition.handler);
  const levels = logLevelsOf(version);
  return {
    // The environment is not inherited, because the function must not see the parent's credentials.
    PATH: [path.dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin', '/opt/bin'].join(
      path.delimiter,
    ),
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    LAMBDA_TASK_ROOT: path.dirname(modulePath),
    LAMBDA_RUNTIME_DIR: path.dirname(RUNTIME),
    _HANDLER: `${path.parse(modulePath).name}.${exportName}`,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_NAME: functionName,
    AWS_LAMBDA_FUNCTION_VERSION: version.version,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memorySizeOf(version)),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_FORMAT: definition.logFormat ?? 'Text',
    ...(levels && { AWS_LAMBDA_LOG_LEVEL: levels.application }),
    AWS_LAMBDA_LOG_GROUP_NAME: logGroupOf(version),
    AWS_LAMBDA_LOG_STREAM_NAME: logStreamName,
    ...definition.environment,
  };
}

/** All pipes of a process. The type of its stdio covers only the first five. */
const pipesOf = ({ stdio }: ChildProcess): readonly unknown[] => stdio;

/** The memory size of a version, in MB. */
export function memorySizeOf({ definition }: FunctionVersion): number {
  return definition.memorySize ?? 128;
}

/** An execution environment: a process that runs one invocation at a time, for one version and one tenant. */
export class ExecutionEnvironment {
  readonly id: string;
  /** Output from the init phase and between invocations belongs to the log tail of the next invocation. */
  readonly log: EnvironmentLog;
  onStarted: ((requestId: string) => void) | undefined;
  /** Called when a handler starts to stream its response. */
  onStream: ((response: StreamedResponse) => void) | undefined;
  onExit: (() => void) | undefined;
  readonly #child: ChildProcess;
  readonly #invocations: Writable;
  readonly #responses: Readable;
  #response: StreamedResponse | undefined;
  readonly #closed: Promise<void>;
  #alive = true;
  #usedAlready = false;
  #maxMemoryKilobytes = 0;
  #heapExhausted = false;
  #settle: ((event: EnvironmentEvent) => void) | undefined;
  /** An event that arrived before anything waited for it, for example after a fast init. */
  #early: EnvironmentEvent | undefined;

  constructor(options: {
    id: string;
    version: FunctionVersion;
    region: string;
    log: EnvironmentLog;
    logStream: string;
    compileCache: string;
  }) {
    const { version, region } = options;
    this.id = options.id;
    this.log = options.log;
    const { modulePath, exportName } = splitHandler(version.definition.handler);
    const heapLimit = `--max-old-space-size=${memorySizeOf(version)}`;
    this.#child = spawn(process.execPath, [heapLimit, RUNTIME, modulePath, exportName], {
      env: {
        ...environmentVariables({ version, region, logStreamName: options.logStream }),
        // The runtime removes this variable before any code of the function runs.
        NODE_COMPILE_CACHE: options.compileCache,
      },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
    });
    const [, stdout, stderr, reports, invocations, responses] = pipesOf(this.#child);
    if (!(stdout instanceof Readable) || !(stderr instanceof Readable) || !(reports instanceof Readable)) {
      throw new Error('The runtime process has no pipes to read from.');
    }
    if (!(invocations instanceof Writable)) throw new Error('The runtime process has no pipe to write to.');
    if (!(responses instanceof Readable)) throw new Error('The runtime process has no pipe for responses.');
    this.#invocations = invocations;
    this.#responses = responses;
    // A write to a process that has just died fails here. Its exit event has the cause.
    invocations.on('error', () => undefined);
    const reader = new FrameReader();
    reports.on('data', (chunk: Buffer) => {
      for (const frame of reader.push(chunk)) this.#receive(frame);
    });
    // The runtime captures the output of JavaScript. The output of native code and child processes arrives here.
    const appendRaw = (chunk: Buffer) => {
      if (chunk.includes('JavaScript heap out of memory')) this.#heapExhausted = true;
      this.log.output(chunk);
    };
    stdout.on('data', appendRaw);
    stderr.on('data', appendRaw);
    this.#closed = new Promise((resolve) => {
      this.#child.once('close', () => resolve());
      this.#child.once('exit', () => setTimeout(resolve, LAST_OUTPUT_MS).unref());
      this.#child.once('error', () => resolve());
    });
    void this.#watchExit();
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** True until the first invocation. */
  get fresh(): boolean {
    return !this.#usedAlready;
  }

  /** The largest resident memory of the process, in MB, as far as is known. */
  get maxMemoryUsed(): number {
    return Math.ceil(this.#maxMemoryKilobytes / 1024);
  }

  /** Waits for the init phase to end. Kills the process when the time limit is exceeded. */
  init(limitMs: number): Promise<EnvironmentEvent> {
    return this.#next(limitMs);
  }

  /** Runs the handler once. Kills the process when the time limit is exceeded. */
  invoke(invocation: RuntimeInvocation, limitMs: number): Promise<EnvironmentEvent> {
    this.#usedAlready = true;
    const { requestId, invokedFunctionArn, payload, clientContext, tenantId, traceId } = invocation;
    const headers = encodePairs({
      requestId,
      invokedFunctionArn,
      traceId,
      deadlineMs: String(Date.now() + limitMs),
      ...(clientContext === undefined ? {} : { clientContext }),
      ...(tenantId === undefined ? {} : { tenantId }),
    });
    const event = this.#next(limitMs);
    const headerBytes = Buffer.from(headers);
    this.#invocations.write(frameHeader(FRAME.invocationHeaders, headerBytes.length));
    this.#invocations.write(headerBytes);
    this.#invocations.write(frameHeader(FRAME.invocationPayload, payload.length));
    this.#invocations.write(payload);
    return event;
  }

  /** Kills the process and resolves when it has ended. */
  async destroy(): Promise<void> {
    this.#alive = false;
    this.#child.kill('SIGKILL');
    await this.#closed;
  }

  #next(limitMs: number): Promise<EnvironmentEvent> {
    const early = this.#early;
    if (early !== undefined) {
      this.#early = undefined;
      return Promise.resolve(early);
    }
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#readPeakMemory();
        void this.destroy().then(() => this.#emit({ kind: 'timed-out' }));
      }, limitMs);
      this.#settle = (event) => {
        clearTimeout(timer);
        resolve(event);
      };
    });
  }

  #emit(event: EnvironmentEvent): void {
    const settle = this.#settle;
    this.#settle = undefined;
    if (settle !== undefined) settle(event);
    else if (event.kind !== 'exited') this.#early = event;
  }

  #receive({ kind, bytes }: Frame): void {
    switch (kind) {
      case FRAME.log:
        this.log.output(bytes);
        break;
      case FRAME.logEvent:
        this.log.event(bytes);
        break;
      case FRAME.memory:
        this.#maxMemoryKilobytes = Math.max(this.#maxMemoryKilobytes, Number(bytes.toString('latin1')));
        break;
      case FRAME.started:
        this.onStarted?.(bytes.toString('latin1'));
        break;
      case FRAME.ready:
        this.#emit({ kind: 'ready' });
        break;
      case FRAME.initFailed:
      case FRAME.failedAndExiting:
        this.#alive = false;
        this.#emitLater({ kind: 'failed', body: bytes, exiting: true });
        break;
      case FRAME.failed:
        this.#emitLater({ kind: 'failed', body: bytes, exiting: false });
        break;
      case FRAME.resultTooLarge:
        this.#emitLater({ kind: 'result-too-large' });
        break;
      case FRAME.result:
        this.#emitLater({ kind: 'result', body: bytes });
        break;
      case FRAME.streamOpened:
        this.#response = new StreamedResponse(this.#responses, bytes.toString('utf8'));
        this.onStream?.(this.#response);
        break;
      case FRAME.streamEnded:
        this.#endStream(bytes.toString('latin1'), { kind: 'streamed' });
        break;
      case FRAME.streamDestroyed:
        this.#endStream(bytes.toString('latin1'), { kind: 'stream-destroyed' });
        break;
      case FRAME.streamFailed: {
        const pairs = decodePairs(bytes.toString('utf8'));
        const body = Buffer.from(pairs.get('error') ?? '');
        this.#endStream(pairs.get('bytes') ?? '0', { kind: 'stream-failed', body });
        break;
      }
      default:
        throw new Error(`The runtime process sent a frame of unknown kind ${JSON.stringify(kind)}.`);
    }
  }

  // The environment can run the next invocation only when this response has been read from the pipe.
  #endStream(totalBytes: string, event: EnvironmentEvent): void {
    void this.#response?.finish(Number(totalBytes)).then(() => this.#emitLater(event));
  }

  // Raw output that was written earlier may still be in its own pipe. One turn of the event loop reads it.
  #emitLater(event: EnvironmentEvent): void {
    setImmediate(() => this.#emit(event));
  }

  async #watchExit(): Promise<void> {
    await this.#closed;
    this.#alive = false;
    this.onExit?.();
    const { exitCode, signalCode } = this.#child;
    const exited = { kind: 'exited', code: exitCode, signal: signalCode } as const;
    // After setImmediate, so that a frame that the process sent just before it ended is read first.
    setImmediate(() => this.#emit({ ...exited, outOfMemory: this.#heapExhausted }));
  }

  #readPeakMemory(): void {
    try {
      const status = readFileSync(`/proc/${this.#child.pid}/status`, 'latin1');
      const peak = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
      this.#maxMemoryKilobytes = Math.max(this.#maxMemoryKilobytes, peak);
    } catch {
      // This system has no /proc, so the last figure from the process is used.
    }
  }
}
