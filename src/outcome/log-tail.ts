import type { Figures } from './outcome.ts';

/** Lambda returns the last 4,096 bytes of a log, so a full tail may begin inside a character. */
const TAIL_BYTES = 4096;

/** Whether the tail is as long as Lambda makes it, so that what came before is missing. */
export const isCut = (tail: Uint8Array): boolean => tail.length >= TAIL_BYTES;

/** Decodes a log tail; the halves of a character that the cut left at its start are dropped. */
export function decodeLogTail(tail: Uint8Array): string {
  let start = 0;
  // Continuation bytes are 10xxxxxx; a character has at most three.
  while (isCut(tail) && start < 3 && ((tail[start] ?? 0) & 0xc0) === 0x80) start += 1;
  return new TextDecoder().decode(tail.subarray(start));
}

/** Where a function's log is kept, which some functions return in place of its text. */
export type LogPlace = Readonly<{ logGroup: string; logStreamName: string }>;

/** Reads a log result that is JSON with the place of the log; undefined where it is log text. */
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

const FIELDS = {
  duration_ms: /\tDuration: ([\d.]+) ms/,
  billed_duration_ms: /\tBilled Duration: ([\d.]+) ms/,
  init_duration_ms: /\tInit Duration: ([\d.]+) ms/,
  restore_duration_ms: /\tRestore Duration: ([\d.]+) ms/,
  memory_size_mb: /\tMemory Size: ([\d.]+) MB/,
  max_memory_used_mb: /\tMax Memory Used: ([\d.]+) MB/,
} as const;

/**
 * Reads the figures of the REPORT line. A function can print such a line itself:
 * the real one carries the invocation's request id and is the last.
 */
export function readFigures(log: string, requestId: string | undefined): Figures {
  if (requestId === undefined) return {};
  const report = log.split('\n').findLast((line) => line.startsWith(`REPORT RequestId: ${requestId}\t`));
  if (report === undefined) return {};
  const figure = (pattern: RegExp): number | undefined => {
    const digits = pattern.exec(report)?.[1];
    return digits === undefined ? undefined : Number(digits);
  };
  const figures = Object.fromEntries(
    Object.entries(FIELDS)
      .map(([name, pattern]) => [name, figure(pattern)] as const)
      .filter(([, value]) => value !== undefined),
  );
  return { ...figures, cold_start: 'init_duration_ms' in figures || 'restore_duration_ms' in figures };
}
