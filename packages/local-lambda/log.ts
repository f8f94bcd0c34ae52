import type { SystemLogLevel } from './function-definition.ts';
import { LOG_EVENT_BYTES, LOG_TAIL_BYTES } from './limits.ts';

/** Keeps the end of its input: enough for the log tail, however much a handler prints. */
export class LogTail {
  #chunks: Buffer[] = [];
  #length = 0;

  append(text: string | Buffer): void {
    const bytes = typeof text === 'string' ? Buffer.from(text) : text;
    this.#chunks.push(bytes);
    this.#length += bytes.length;
    if (this.#length > 64 * LOG_TAIL_BYTES) this.#compact();
  }

  /** The last 4,096 bytes. They can start inside a line or a UTF-8 sequence. */
  bytes(): Buffer {
    this.#compact();
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  #compact(): void {
    const tail = Buffer.concat(this.#chunks).subarray(-LOG_TAIL_BYTES);
    this.#chunks = [tail];
    this.#length = tail.length;
  }
}

const LINE_BREAK = 0x0a;

/**
 * The log of one execution environment for its whole life. All output goes into the tail of the running invocation
 * and, event by event, into the environment's log stream.
 */
export class EnvironmentLog {
  readonly #write: (message: string) => void;
  readonly #json: boolean;
  #tail = new LogTail();
  #line: Buffer[] = [];
  #lineBytes = 0;

  constructor(options: { json: boolean; write: (message: string) => void }) {
    this.#write = options.write;
    this.#json = options.json;
  }

  /** Writes one event, even if it has line breaks: the output of one console call, or a platform record. */
  event(text: string | Buffer): void {
    this.#tail.append(text);
    this.#send(Buffer.from(text));
  }

  /** Writes raw output. A line becomes an event when it ends or reaches the maximum size of an event. */
  output(bytes: Buffer): void {
    this.#tail.append(bytes);
    let start = 0;
    for (let end = bytes.indexOf(LINE_BREAK); end !== -1; end = bytes.indexOf(LINE_BREAK, start)) {
      this.#hold(bytes.subarray(start, end + 1));
      this.endLine();
      start = end + 1;
    }
    this.#hold(bytes.subarray(start));
    if (this.#lineBytes >= LOG_EVENT_BYTES) this.endLine();
  }

  /** Writes an unfinished line as an event. */
  endLine(): void {
    if (this.#lineBytes === 0) return;
    const line = Buffer.concat(this.#line);
    this.#line = [];
    this.#lineBytes = 0;
    this.#send(line);
  }

  /** Returns the tail so far. Later output belongs to the next invocation. */
  takeTail(): LogTail {
    const tail = this.#tail;
    this.#tail = new LogTail();
    return tail;
  }

  #hold(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#line.push(bytes);
    this.#lineBytes += bytes.length;
  }

  #send(bytes: Buffer): void {
    const whole = this.#json && bytes.at(-1) === LINE_BREAK ? bytes.subarray(0, -1) : bytes;
    for (const part of partsOf(whole)) this.#write(part.toString('utf8'));
  }
}

/** Splits text that is too long for one event, but never inside a character. */
function* partsOf(bytes: Buffer): Generator<Buffer, void, undefined> {
  let start = 0;
  while (bytes.length - start > LOG_EVENT_BYTES) {
    let end = start + LOG_EVENT_BYTES;
    // In a UTF-8 sequence, all bytes after the first start with the bits 10.
    while (end > start + LOG_EVENT_BYTES - 4 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
    yield bytes.subarray(start, end);
    start = end;
  }
  if (start < bytes.length) yield bytes.subarray(start);
}

/** How an invocation or an init phase ended, for its REPORT. Undefined for success. */
export type ReportStatus =
  | Readonly<{ status: 'timeout' }>
  /** Thrown by the handler. The text format does not report it. */
  | Readonly<{ status: 'thrown'; errorType: string }>
  /** The environment itself failed. */
  | Readonly<{ status: 'error'; errorType: string }>;

export type Report = Readonly<{
  requestId: string;
  durationMs: number;
  initDurationMs: number | undefined;
  memorySize: number;
  maxMemoryUsed: number;
  outcome: ReportStatus | undefined;
}>;

export type InitReport = Readonly<{ phase: 'init' | 'invoke'; durationMs: number; outcome: ReportStatus }>;

/** The platform's records in a function's log: zero or more events each. */
export type PlatformLog = Readonly<{
  initStart(): readonly string[];
  initReport(report: InitReport): readonly string[];
  start(requestId: string, version: string): readonly string[];
  timedOut(requestId: string, seconds: number): readonly string[];
  exited(message: string, errorType: string): readonly string[];
  report(report: Report): readonly string[];
}>;

const RUNTIME_VERSION = 'nodejs:24.local';

/** From most to least detail. */
const SYSTEM_LEVELS: readonly SystemLogLevel[] = ['DEBUG', 'INFO', 'WARN'];

function textStatus(outcome: ReportStatus | undefined): string {
  if (outcome === undefined || outcome.status === 'thrown') return '';
  if (outcome.status === 'timeout') return 'Status: timeout\t';
  return `Status: error\tError Type: ${outcome.errorType}\t`;
}

function billedMs({ durationMs, initDurationMs }: Report): number {
  // Since August 2025, the init phase is billed for every function.
  return Math.ceil(durationMs + (initDurationMs ?? 0));
}

function textLog(options: PlatformLogOptions): PlatformLog {
  return {
    initStart: () => [
      `INIT_START Runtime Version: ${RUNTIME_VERSION}\tRuntime Version ARN: ${runtimeVersionArn(options)}\n`,
    ],
    initReport: ({ phase, durationMs, outcome }) => [
      `INIT_REPORT Init Duration: ${durationMs.toFixed(2)} ms\tPhase: ${phase}\t${textStatus(outcome)}\n`,
    ],
    start: (requestId, version) => [`START RequestId: ${requestId} Version: ${version}\n`],
    timedOut: (requestId, seconds) => [
      `${timeOf(options)} ${requestId} Task timed out after ${seconds.toFixed(2)} seconds\n\n`,
    ],
    exited: (message, errorType) => [`${message}\n${errorType}\n`],
    report: (report) => {
      const fields = [
        `REPORT RequestId: ${report.requestId}`,
        `Duration: ${report.durationMs.toFixed(2)} ms`,
        `Billed Duration: ${billedMs(report)} ms`,
        `Memory Size: ${report.memorySize} MB`,
        `Max Memory Used: ${report.maxMemoryUsed} MB`,
        ...(report.initDurationMs === undefined
          ? []
          : [`Init Duration: ${report.initDurationMs.toFixed(2)} ms`]),
      ];
      return [
        `END RequestId: ${report.requestId}\n`,
        `${fields.join('\t')}\t${textStatus(report.outcome)}\n`,
      ];
    },
  };
}

function jsonStatus(outcome: ReportStatus | undefined): Record<string, string> {
  if (outcome === undefined) return { status: 'success' };
  if (outcome.status === 'timeout') return { status: 'timeout' };
  return { status: outcome.status === 'thrown' ? 'error' : 'failure', errorType: outcome.errorType };
}

const toMicroseconds = (ms: number): number => Math.round(ms * 1000) / 1000;

function metricsOf(report: Report): Readonly<Record<string, number>> {
  return {
    durationMs: toMicroseconds(report.durationMs),
    billedDurationMs: billedMs(report),
    memorySizeMB: report.memorySize,
    maxMemoryUsedMB: report.maxMemoryUsed,
    ...(report.initDurationMs === undefined ? {} : { initDurationMs: toMicroseconds(report.initDurationMs) }),
  };
}

/** Returns one record, or none if the function's level is higher. */
const jsonRecord = (
  options: PlatformLogOptions,
  { level, type, record }: Readonly<{ level: SystemLogLevel; type: string; record: Fields }>,
): string[] =>
  SYSTEM_LEVELS.indexOf(level) < SYSTEM_LEVELS.indexOf(options.systemLogLevel)
    ? []
    : [`${JSON.stringify({ time: timeOf(options), type: `platform.${type}`, record })}\n`];

type Fields = Readonly<Record<string, unknown>>;

const levelOf = (outcome: ReportStatus | undefined, ofSuccess: SystemLogLevel): SystemLogLevel =>
  outcome === undefined ? ofSuccess : 'WARN';

/** The levels from AWS's documentation. For a success, only DEBUG shows runtimeDone and initReport. */
function jsonLog(options: PlatformLogOptions): PlatformLog {
  const write = (level: SystemLogLevel, type: string, record: Fields): string[] =>
    jsonRecord(options, { level, type, record });
  const { functionName, functionVersion } = options;
  return {
    initStart: () =>
      write('INFO', 'initStart', {
        initializationType: 'on-demand',
        phase: 'init',
        runtimeVersion: RUNTIME_VERSION,
        runtimeVersionArn: runtimeVersionArn(options),
        functionName,
        functionVersion,
      }),
    initReport: ({ phase, durationMs, outcome }) =>
      write(levelOf(outcome, 'DEBUG'), 'initReport', {
        initializationType: 'on-demand',
        phase,
        ...jsonStatus(outcome),
        metrics: { durationMs: toMicroseconds(durationMs) },
      }),
    start: (requestId, version) => write('INFO', 'start', { requestId, version }),
    timedOut: () => [],
    exited: () => [],
    report: (report) => {
      const { requestId, outcome } = report;
      const status = jsonStatus(outcome);
      const durationMs = toMicroseconds(report.durationMs);
      const metrics = options.managedInstances ? { durationMs } : metricsOf(report);
      return [
        ...write(levelOf(outcome, 'DEBUG'), 'runtimeDone', {
          requestId,
          ...status,
          metrics: { durationMs },
        }),
        ...write(levelOf(outcome, 'INFO'), 'report', { requestId, ...status, metrics }),
      ];
    },
  };
}

type PlatformLogOptions = Readonly<{
  format: 'Text' | 'JSON';
  /** The levels of the JSON format. */
  systemLogLevel: SystemLogLevel;
  /** On Lambda Managed Instances, the duration is the only figure in a report. */
  managedInstances: boolean;
  region: string;
  functionName: string;
  functionVersion: string;
  now: () => number;
}>;

const timeOf = ({ now }: PlatformLogOptions): string => new Date(now()).toISOString();

const runtimeVersionArn = ({ region }: PlatformLogOptions): string =>
  `arn:aws:lambda:${region}::runtime:local`;

/** Creates the platform's part of a log in the given format. */
export const platformLog = (options: PlatformLogOptions): PlatformLog =>
  options.format === 'JSON' ? jsonLog(options) : textLog(options);
