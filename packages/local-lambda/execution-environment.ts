import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { decodePairs, encodePairs, FRAME, type Frame, FrameReader, frameHeader } from './frames.ts';
import { type FunctionVersion, logGroupOf, logLevelsOf, splitHandler } from './function-definition.ts';
import type { EnvironmentLog } from './log.ts';
import { StreamedResponse } from './streamed-response.ts';

/** How an init or an invocation ended, as seen from outside the process. */
export type EnvironmentEvent =
  | Readonly<{ kind: 'ready' }>
  | Readonly<{ kind: 'result'; body: Buffer }>
  | Readonly<{ kind: 'result-too-large' }>
  /** The response went through onStream. */
  | Readonly<{ kind: 'streamed' }>
  /** Likewise, and the handler threw before the response had ended. */
  | Readonly<{ kind: 'stream-failed'; body: Buffer }>
  /** Likewise, and the handler broke the response off. */
  | Readonly<{ kind: 'stream-destroyed' }>
  /** The error payload that the runtime sent; after 'exiting' the environment is lost. */
  | Readonly<{ kind: 'failed'; body: Buffer; exiting: boolean }>
  | Readonly<{ kind: 'exited'; code: number | null; signal: NodeJS.Signals | null; outOfMemory: boolean }>
  | Readonly<{ kind: 'timed-out' }>;

/** What one invocation hands to a runtime process. */
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
/** How long output may still come after a process has ended; a grandchild could hold the pipes open for ever. */
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
    // Nothing of the parent's environment: its credentials are none of the function's business.
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

/** All of a process's pipes; the type of its stdio knows the first five. */
const pipesOf = ({ stdio }: ChildProcess): readonly unknown[] => stdio;

/** The memory of a version, in MB. */
export function memorySizeOf({ definition }: FunctionVersion): number {
  return definition.memorySize ?? 128;
}

/** One execution environment: a process that runs one invocation at a time, for one version and one tenant. */
export class ExecutionEnvironment {
  readonly id: string;
  /** What is printed in the init phase and between invocations belongs to the next one's tail. */
  readonly log: EnvironmentLog;
  onStarted: ((requestId: string) => void) | undefined;
  /** Called when a handler begins to stream its response. */
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
  /** An event that came before anybody waited for it, as a fast init may. */
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
        // The runtime removes it before any code of the function runs.
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
    // A write to a process that has just died fails here; its exit says more.
    invocations.on('error', () => undefined);
    const reader = new FrameReader();
    reports.on('data', (chunk: Buffer) => {
      for (const frame of reader.push(chunk)) this.#receive(frame);
    });
    // The runtime captures what JavaScript prints; what native code and child processes print comes here.
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

  /** The most memory the process has ever had resident, in MB, as far as is known. */
  get maxMemoryUsed(): number {
    return Math.ceil(this.#maxMemoryKilobytes / 1024);
  }

  /** Waits for the init phase to end; a limit that passes ends the process. */
  init(limitMs: number): Promise<EnvironmentEvent> {
    return this.#next(limitMs);
  }

  /** Runs the handler once; a limit that passes ends the process. */
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

  /** Ends the process at once and resolves when it is gone. */
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

  // An environment is free for the next response only when nothing of this one is left in the pipe.
  #endStream(totalBytes: string, event: EnvironmentEvent): void {
    void this.#response?.finish(Number(totalBytes)).then(() => this.#emitLater(event));
  }

  // Raw output that was written earlier may still wait in its own pipe: one turn of the event loop reads it.
  #emitLater(event: EnvironmentEvent): void {
    setImmediate(() => this.#emit(event));
  }

  async #watchExit(): Promise<void> {
    await this.#closed;
    this.#alive = false;
    this.onExit?.();
    const { exitCode, signalCode } = this.#child;
    const exited = { kind: 'exited', code: exitCode, signal: signalCode } as const;
    // After setImmediate, so that a result the process sent just before it ended comes first.
    setImmediate(() => this.#emit({ ...exited, outOfMemory: this.#heapExhausted }));
  }

  #readPeakMemory(): void {
    try {
      const status = readFileSync(`/proc/${this.#child.pid}/status`, 'latin1');
      const peak = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
      this.#maxMemoryKilobytes = Math.max(this.#maxMemoryKilobytes, peak);
    } catch {
      // No /proc on this system: the last figure the process sent must do.
    }
  }
}
