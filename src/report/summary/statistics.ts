import type { Outcome } from '../../outcome/outcome.ts';
import { countOutcomes, type OutcomeCounts } from '../../outcome/step-results.ts';

/** Latencies in milliseconds. The median and p95 use the nearest-rank method. */
export type Latency = Readonly<{ min: number; median: number; p95: number; max: number }>;

/** Counts and times of several outcomes. */
export type Statistics = OutcomeCounts &
  Readonly<{
    /** The latencies of the durations in the logs or, if no log has one, of the round trips. */
    latency?: Latency & Readonly<{ of: 'duration_ms' | 'elapsed_ms'; count: number }>;
    /** Total time: from the first start to the end of the last invocation. */
    wallMs: number;
  }>;

/**
 * The nearest rank for a whole percentage: the least value that this share of the values does not exceed. It is always
 * one of the values. They must be sorted, and there must be at least one.
 */
export function nearestRank(sorted: readonly number[], percent: number): number {
  const rank = Math.ceil((percent * sorted.length) / 100);
  return sorted[Math.max(rank, 1) - 1] ?? Number.NaN;
}

/** The latency figures of some milliseconds; undefined if there are none. */
export function latencyOf(values: readonly number[]): Latency | undefined {
  if (values.length === 0) return undefined;
  const sorted = values.toSorted((a, b) => a - b);
  return {
    min: nearestRank(sorted, 0),
    median: nearestRank(sorted, 50),
    p95: nearestRank(sorted, 95),
    max: nearestRank(sorted, 100),
  };
}

/** When an invocation ran, in milliseconds since 1970; undefined if `started_at` is not a time. */
export function spanOf({ started_at: startedAt, elapsed_ms: elapsedMs }: Outcome) {
  const start = Date.parse(startedAt);
  if (!Number.isFinite(start)) return undefined;
  // If the clock was set back, an invocation seems to end before it starts.
  return { start, end: start + (Number.isFinite(elapsedMs) ? Math.max(elapsedMs, 0) : 0) };
}

/** The matching elements of an iterable, without a list of them. They can be iterated over any number of times. */
export const selected = <Item>(items: Iterable<Item>, isMeant: (item: Item) => boolean): Iterable<Item> => ({
  *[Symbol.iterator]() {
    for (const item of items) if (isMeant(item)) yield item;
  },
});

/** The total time, and the durations and round trips of the outcomes with a response. */
function timesOf(outcomes: Iterable<Outcome>) {
  const durations: number[] = [];
  const roundTrips: number[] = [];
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  for (const outcome of outcomes) {
    const span = spanOf(outcome);
    first = Math.min(first, span?.start ?? first);
    last = Math.max(last, span?.end ?? last);
    if (!('status_code' in outcome)) continue;
    roundTrips.push(outcome.elapsed_ms);
    if (outcome.duration_ms !== undefined) durations.push(outcome.duration_ms);
  }
  return { wallMs: first > last ? 0 : last - first, durations, roundTrips };
}

function latency({
  durations,
  roundTrips,
}: Pick<ReturnType<typeof timesOf>, 'durations' | 'roundTrips'>): Statistics['latency'] {
  const of = durations.length > 0 ? 'duration_ms' : 'elapsed_ms';
  const values = of === 'duration_ms' ? durations : roundTrips;
  const figures = latencyOf(values.filter(Number.isFinite).map((value) => Math.max(value, 0)));
  return figures && { ...figures, of, count: values.length };
}

/** Counts the outcomes, and computes the times of those that are not from an earlier run. */
export function statisticsOf(outcomes: Iterable<Outcome>): Statistics {
  const { wallMs, ...times } = timesOf(selected(outcomes, ({ resumed }) => resumed !== true));
  const figures = latency(times);
  return {
    ...countOutcomes(outcomes),
    ...(figures && { latency: figures }),
    wallMs,
  };
}
