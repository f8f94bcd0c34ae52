import { utf8, utf8End } from '../shared/text.ts';
import { type Fields, fieldsOf } from '../shared/values.ts';
import type { Figures } from './outcome.ts';

/** Lambda returns the last 4,096 bytes of a log, so a full tail may begin inside a character. */
const TAIL_BYTES = 4096;

/** Whether the tail has the full length, so that the log before it is missing. */
export const isCut = (tail: Uint8Array): boolean => tail.length >= TAIL_BYTES;

/** Decodes a log tail, without the rest of a cut character at its start. */
export function decodeLogTail(tail: Uint8Array): string {
  return isCut(tail) ? utf8End(tail) : utf8(tail);
}

/**
 * The lines of a log tail after the last line that another part of the log has too. The whole tail if they have no line
 * in common, because it is not known then what is between them.
 */
export function linesBeyond(read: readonly string[], tail: string): string {
  const lines = tail.trimEnd().split('\n');
  for (let common = Math.min(lines.length, read.length); common > 0; common -= 1) {
    const last = read.slice(-common);
    // The first line of a tail may be the end of a longer line.
    const isSame = last.every((line, at) => (at === 0 ? line.endsWith(lines[0] ?? '') : line === lines[at]));
    if (isSame) return lines.slice(common).join('\n');
  }
  return tail.trimEnd();
}

/** Where a function's log is stored. Some functions return this instead of the text of the log. */
export type LogPlace = Readonly<{ logGroup: string; logStreamName: string }>;

/** Reads a log tail that is JSON with the place of the log; undefined if it is log text. */
export function readLogPlace(log: string): LogPlace | undefined {
  if (!log.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(log);
    if (typeof value !== 'object' || value === null) return undefined;
    if (!('logGroup' in value && 'logStreamName' in value)) return undefined;
    const { logGroup, logStreamName } = value;
    if (typeof logGroup !== 'string' || typeof logStreamName !== 'string') return undefined;
    return { logGroup, logStreamName };
  } catch {
    return undefined;
  }
}

const STATUSES = ['success', 'error', 'failure', 'timeout'] as const;

/** How an invocation or an init ended, in Lambda's words. Only the JSON format has `failure`. */
export type ReportStatus = (typeof STATUSES)[number];

/** Lambda's report on an invocation: its figures and its status. */
export type Report = Figures &
  Readonly<{
    /** Absent in the text format if nothing went wrong or the handler only threw. */
    status?: ReportStatus;
    errorType?: string;
    /** How the last init before this invocation ended, if the log has its report. */
    initStatus?: ReportStatus;
  }>;

type FigureSource = Readonly<{ text: RegExp; json: string }>;

/** The places of the figures in a report, in the text format and in the JSON format. */
const FIGURES: Readonly<Record<Exclude<keyof Figures, 'cold_start'>, FigureSource>> = {
  duration_ms: { text: /\tDuration: (\d+(?:\.\d+)?) ms/, json: 'durationMs' },
  billed_duration_ms: { text: /\tBilled Duration: (\d+(?:\.\d+)?) ms/, json: 'billedDurationMs' },
  init_duration_ms: { text: /\tInit Duration: (\d+(?:\.\d+)?) ms/, json: 'initDurationMs' },
  restore_duration_ms: { text: /\tRestore Duration: (\d+(?:\.\d+)?) ms/, json: 'restoreDurationMs' },
  memory_size_mb: { text: /\tMemory Size: (\d+(?:\.\d+)?) MB/, json: 'memorySizeMB' },
  max_memory_used_mb: { text: /\tMax Memory Used: (\d+(?:\.\d+)?) MB/, json: 'maxMemoryUsedMB' },
};

/** A line that Lambda itself wrote into the log. */
type PlatformLine = Readonly<{ kind: 'init' | 'start' | 'report'; report: Report }>;

const isFigure = (value: number | undefined): value is number =>
  value !== undefined && Number.isFinite(value);

function statusFrom(status: unknown, errorType: unknown): Report {
  const known = STATUSES.find((name) => name === status);
  return {
    ...(known !== undefined && { status: known }),
    ...(typeof errorType === 'string' && errorType !== '' && { errorType }),
  };
}

function reportOf(read: (place: FigureSource) => number | undefined, end: Report): Report {
  const figures = Object.fromEntries(
    Object.entries(FIGURES)
      .map(([name, place]) => [name, read(place)] as const)
      .filter(([, value]) => isFigure(value)),
  );
  return { ...figures, ...end };
}

const INIT_REPORT =
  /(?<phase>INIT|RESTORE)_REPORT (?:Init|Restore) Duration: (?<ms>\d+(?:\.\d+)?) ms(?<rest>.*)/;

const statusInText = (text: string): Report =>
  statusFrom(/\tStatus: (\w+)/.exec(text)?.[1], /\tError Type: ([^\t]+)/.exec(text)?.[1]);

/** One line of the text format. Lambda's own text can follow the function's output on the same line. */
function readTextLine(line: string, requestId: string): PlatformLine | undefined {
  const reportAt = line.lastIndexOf(`REPORT RequestId: ${requestId}\t`);
  if (reportAt >= 0) {
    const text = line.slice(reportAt);
    const read = (place: FigureSource): number | undefined => {
      const digits = place.text.exec(text)?.[1];
      return digits === undefined ? undefined : Number(digits);
    };
    return { kind: 'report', report: reportOf(read, statusInText(text)) };
  }
  if (line.includes(`START RequestId: ${requestId} `)) return { kind: 'start', report: {} };
  const { phase, ms, rest } = INIT_REPORT.exec(line)?.groups ?? {};
  if (phase !== undefined && rest !== undefined) {
    return {
      kind: 'init',
      report: initReport(phase === 'INIT' ? 'init' : 'restore', { ms: Number(ms), end: statusInText(rest) }),
    };
  }
  return /^(?:INIT|RESTORE)_START\b/.test(line) ? { kind: 'init', report: {} } : undefined;
}

function initReport(phase: 'init' | 'restore', { ms, end }: { ms: unknown; end: Report }): Report {
  const figure = typeof ms === 'number' && isFigure(ms) ? { [`${phase}_duration_ms`]: ms } : {};
  return { ...figure, ...(end.status !== undefined && { initStatus: end.status }) };
}

/** The JSON object at the end of a line. The function's output may precede it and may look like its start. */
function recordIn(line: string): Fields | undefined {
  const at = line.lastIndexOf('{"time":');
  if (at < 0) return undefined;
  try {
    const value: unknown = JSON.parse(line.slice(at));
    return fieldsOf(value);
  } catch {
    return undefined;
  }
}

/** One line of the JSON format. */
function readJsonLine(line: string, requestId: string): PlatformLine | undefined {
  const event = recordIn(line);
  if (event === undefined) return undefined;
  const record = fieldsOf(event['record']);
  const metrics = fieldsOf(record['metrics']);
  const end = statusFrom(record['status'], record['errorType']);
  const isOfRequest = record['requestId'] === requestId;
  const read = ({ json }: FigureSource): number | undefined => {
    const value = metrics[json];
    return typeof value === 'number' ? value : undefined;
  };
  const ms = metrics['durationMs'];
  const byType: Readonly<Record<string, () => PlatformLine | undefined>> = {
    'platform.initStart': () => ({ kind: 'init', report: {} }),
    'platform.initReport': () => ({ kind: 'init', report: initReport('init', { ms, end }) }),
    'platform.restoreStart': () => ({ kind: 'init', report: {} }),
    'platform.restoreReport': () => ({ kind: 'init', report: initReport('restore', { ms, end }) }),
    'platform.start': () => (isOfRequest ? { kind: 'start', report: {} } : undefined),
    'platform.report': () => (isOfRequest ? { kind: 'report', report: reportOf(read, end) } : undefined),
  };
  const type = event['type'];
  return typeof type === 'string' && Object.hasOwn(byType, type) ? byType[type]?.() : undefined;
}

/**
 * Reads the report of an invocation, in either log format; undefined if the log has none. A function can print such a
 * line itself: Lambda's own has the invocation's request ID and is the last one.
 */
export function readReport(log: string, requestId: string | undefined): Report | undefined {
  if (requestId === undefined) return undefined;
  const lines = log
    .split(/\r?\n/)
    .map((line) => readJsonLine(line, requestId) ?? readTextLine(line, requestId))
    .filter((one) => one !== undefined);
  const report = lines.findLast(({ kind }) => kind === 'report')?.report;
  if (report === undefined) return undefined;
  // The report of an init has no request ID, but this invocation's handler printed nothing before START.
  const startAt = lines.findIndex(({ kind }) => kind === 'start');
  const inits = lines.slice(0, Math.max(0, startAt)).filter(({ kind }) => kind === 'init');
  const init = inits.findLast((one) => Object.keys(one.report).length > 0)?.report;
  const isCold =
    inits.length > 0 || report.init_duration_ms !== undefined || report.restore_duration_ms !== undefined;
  return { ...init, ...report, cold_start: isCold };
}

/** The figures of that report, named as in the outcome; none if the log has no report. */
export function readFigures(log: string, requestId: string | undefined): Figures {
  const { status, errorType, initStatus, ...figures } = readReport(log, requestId) ?? {};
  return figures;
}
