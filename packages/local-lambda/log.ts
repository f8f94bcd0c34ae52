import { LOG_TAIL_BYTES } from './limits.ts';

/** Keeps the end of what is written to it: enough for the log tail, however much a handler prints. */
export class LogTail {
  #chunks: Buffer[] = [];
  #length = 0;

  append(text: string | Buffer): void {
    const bytes = typeof text === 'string' ? Buffer.from(text) : text;
    this.#chunks.push(bytes);
    this.#length += bytes.length;
    if (this.#length > 64 * LOG_TAIL_BYTES) this.#compact();
  }

  /** The last 4,096 bytes; they may begin inside a line and inside a UTF-8 sequence. */
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

/** How an invocation or an init ended, for its REPORT; undefined stands for the plain case. */
export type ReportStatus =
  | Readonly<{ status: 'timeout' }>
  /** Thrown by the handler: the text format says nothing about it. */
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

/** The lines that the platform itself writes into a function's log. */
export type PlatformLog = Readonly<{
  initStart(): string;
  initReport(report: InitReport): string;
  start(requestId: string, version: string): string;
  timedOut(requestId: string, seconds: number): string;
  exited(message: string, errorType: string): string;
  report(report: Report): string;
}>;

const RUNTIME_VERSION = 'nodejs:24.local';

function textStatus(outcome: ReportStatus | undefined): string {
  if (outcome === undefined || outcome.status === 'thrown') return '';
  if (outcome.status === 'timeout') return 'Status: timeout\t';
  return `Status: error\tError Type: ${outcome.errorType}\t`;
}

function billedMs({ durationMs, initDurationMs }: Report): number {
  // Since August 2025 the init phase is billed too, for every function.
  return Math.ceil(durationMs + (initDurationMs ?? 0));
}

const TEXT: Omit<PlatformLog, 'initStart'> = {
  initReport: ({ phase, durationMs, outcome }) =>
    `INIT_REPORT Init Duration: ${durationMs.toFixed(2)} ms\tPhase: ${phase}\t${textStatus(outcome)}\n`,
  start: (requestId, version) => `START RequestId: ${requestId} Version: ${version}\n`,
  timedOut: (requestId, seconds) =>
    `${new Date().toISOString()} ${requestId} Task timed out after ${seconds.toFixed(2)} seconds\n\n`,
  exited: (message, errorType) => `${message}\n${errorType}\n`,
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
    return `END RequestId: ${report.requestId}\n${fields.join('\t')}\t${textStatus(report.outcome)}\n`;
  },
};

function jsonStatus(outcome: ReportStatus | undefined): Record<string, string> {
  if (outcome === undefined) return { status: 'success' };
  if (outcome.status === 'timeout') return { status: 'timeout' };
  return { status: outcome.status === 'thrown' ? 'error' : 'failure', errorType: outcome.errorType };
}

const toMicroseconds = (ms: number): number => Math.round(ms * 1000) / 1000;

function record(type: string, content: Record<string, unknown>): string {
  return `${JSON.stringify({ time: new Date().toISOString(), type: `platform.${type}`, record: content })}\n`;
}

const JSON_RECORDS: Omit<PlatformLog, 'initStart'> = {
  initReport: ({ phase, durationMs, outcome }) =>
    record('initReport', {
      initializationType: 'on-demand',
      phase,
      ...jsonStatus(outcome),
      metrics: { durationMs: toMicroseconds(durationMs) },
    }),
  start: (requestId, version) => record('start', { requestId, version }),
  timedOut: () => '',
  exited: () => '',
  report: (report) => {
    const { requestId } = report;
    const status = jsonStatus(report.outcome);
    const metrics = {
      durationMs: toMicroseconds(report.durationMs),
      billedDurationMs: billedMs(report),
      memorySizeMB: report.memorySize,
      maxMemoryUsedMB: report.maxMemoryUsed,
      ...(report.initDurationMs === undefined
        ? {}
        : { initDurationMs: toMicroseconds(report.initDurationMs) }),
    };
    return (
      record('runtimeDone', { requestId, ...status, metrics: { durationMs: metrics.durationMs } }) +
      record('report', { requestId, ...status, metrics })
    );
  },
};

/** The platform's part of a log in the given format. */
export function platformLog(options: {
  format: 'Text' | 'JSON';
  region: string;
  functionName: string;
  functionVersion: string;
}): PlatformLog {
  const runtimeVersionArn = `arn:aws:lambda:${options.region}::runtime:local`;
  if (options.format === 'JSON') {
    const { functionName, functionVersion } = options;
    return {
      ...JSON_RECORDS,
      initStart: () =>
        record('initStart', {
          initializationType: 'on-demand',
          phase: 'init',
          runtimeVersion: RUNTIME_VERSION,
          runtimeVersionArn,
          functionName,
          functionVersion,
        }),
    };
  }
  return {
    ...TEXT,
    initStart: () =>
      `INIT_START Runtime Version: ${RUNTIME_VERSION}\tRuntime Version ARN: ${runtimeVersionArn}\n`,
  };
}
