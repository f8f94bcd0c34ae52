import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { latencyOf, nearestRank, statisticsOf } from '../../../../src/report/summary/statistics.ts';
import { SEED } from '../../../seed.ts';
import { failed, notInvoked, succeeded, unknown } from '../factory.ts';

const upTo = (count: number): number[] => Array.from({ length: count }, (_, at) => at + 1);

describe('the nearest rank', () => {
  test.each([
    { of: [7], percent: 50, rank: 7 },
    { of: [7], percent: 95, rank: 7 },
    { of: [1, 2], percent: 50, rank: 1 },
    { of: [1, 2, 3], percent: 50, rank: 2 },
    { of: [1, 2, 3, 4], percent: 50, rank: 2 },
    { of: upTo(19), percent: 95, rank: 19 },
    { of: upTo(20), percent: 95, rank: 19 },
    { of: upTo(21), percent: 95, rank: 20 },
    { of: upTo(100), percent: 95, rank: 95 },
    { of: upTo(100), percent: 0, rank: 1 },
    { of: upTo(100), percent: 100, rank: 100 },
  ])('for $percent % is one of the values: $rank', ({ of, percent, rank }) => {
    expect(nearestRank(of, percent)).toBe(rank);
  });

  test('is the smallest value that this share does not exceed', () => {
    const values = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 100 }), (unsorted, percent) => {
        const sorted = unsorted.toSorted((a, b) => a - b);
        const isEnough = (limit: number): boolean =>
          100 * sorted.filter((value) => value <= limit).length >= percent * sorted.length;
        expect(nearestRank(sorted, percent)).toBe(sorted.find(isEnough));
      }),
      { seed: SEED },
    );
  });
});

describe('the latency', () => {
  test('accepts values in any order, as numbers', () => {
    expect(latencyOf([100, 9, 20])).toEqual({ min: 9, median: 20, p95: 100, max: 100 });
  });

  test('is undefined without values', () => {
    expect(latencyOf([])).toBeUndefined();
  });

  test('uses the durations of the log tails if there are any', () => {
    const outcomes = [succeeded({ duration_ms: 5, elapsed_ms: 900 }), succeeded({ elapsed_ms: 800 })];
    expect(statisticsOf(outcomes.map(({ outcome }) => outcome)).latency).toEqual({
      of: 'duration_ms',
      count: 1,
      min: 5,
      median: 5,
      p95: 5,
      max: 5,
    });
  });

  test('otherwise uses the round-trip times, without lost responses', () => {
    const outcomes = [succeeded({ elapsed_ms: 30 }), failed({}, { elapsed_ms: 10 }), notInvoked(), unknown()];
    expect(statisticsOf(outcomes.map(({ outcome }) => outcome)).latency).toEqual({
      of: 'elapsed_ms',
      count: 2,
      min: 10,
      median: 10,
      p95: 30,
      max: 30,
    });
  });

  test('is unknown without any response', () => {
    expect(statisticsOf([notInvoked().outcome, unknown().outcome]).latency).toBeUndefined();
  });

  test('is never negative, whatever the clock does', () => {
    expect(statisticsOf([succeeded({ elapsed_ms: -5 }).outcome]).latency?.min).toBe(0);
  });
});

describe('the counts', () => {
  test('include each kind, and all that did not succeed', () => {
    const expectationFailed = {
      ...succeeded().outcome,
      status_code: 200,
      outcome: 'expectation_failed',
    } as const;
    const outcomes = [succeeded(), succeeded(), failed({}), notInvoked(), unknown(), unknown()];
    const {
      total,
      counts,
      failed: failures,
    } = statisticsOf([...outcomes.map(({ outcome }) => outcome), expectationFailed]);
    expect({ total, counts, failures }).toEqual({
      total: 7,
      counts: { succeeded: 2, function_error: 1, expectation_failed: 1, not_invoked: 1, unknown: 2 },
      failures: 5,
    });
  });

  test('of starts omit unknown ones', () => {
    const { cold, warm } = statisticsOf([
      succeeded({ cold_start: true }).outcome,
      failed({}, { cold_start: true }).outcome,
      succeeded({ cold_start: false }).outcome,
      succeeded().outcome,
      notInvoked().outcome,
    ]);
    expect({ cold, warm }).toEqual({ cold: 2, warm: 1 });
  });
});

describe('the total time', () => {
  const at = (started_at: string, elapsed_ms: number) => succeeded({ started_at, elapsed_ms }).outcome;

  test('starts with the first start and ends with the latest end, in any order', () => {
    expect(
      statisticsOf([
        at('2026-01-02T03:04:06.000Z', 100),
        at('2026-01-02T03:04:05.000Z', 5_000),
        at('2026-01-02T03:04:07.000Z', 1),
      ]).wallMs,
    ).toBe(5_000);
  });

  test('does not end before its start', () => {
    const outcomes = [at('2026-01-02T03:04:05.000Z', 100), at('2026-01-02T03:04:06.000Z', -5_000)];
    expect(statisticsOf(outcomes).wallMs).toBe(1_000);
  });

  test.each([
    [[]],
    [[at('no time', 10)]],
    [[at('2026-01-02T03:04:05.000Z', Number.NaN)]],
    [[at('2026-01-02T03:04:05.000Z', -10)]],
  ])('is unknown without times: %#', (outcomes) => {
    expect(statisticsOf(outcomes).wallMs).toBe(0);
  });
});
