import { describe, expect, test } from '@jest/globals';
import type { MaskedEvaluation } from '../../../src/outcome/masks.ts';
import { countOutcomes, type ReportedOutcome, StepResults } from '../../../src/outcome/step-results.ts';
import { renderComment, renderJobSummary } from '../../../src/report/summary/permissions.ts';
import { expectationFailed, failed, notInvoked, succeeded, unknown } from '../report/factory.ts';

const COUNT = 1_400;
const STARTED_MS = Date.parse('2026-01-02T03:04:05.678Z');
const HALTED = { name: 'StoppedOnFailure', message: 'stopped', advice: 'Fix the failure.' };

/** What differs between any two outcomes of a list. */
const ofEntry = (index: number) => ({
  index,
  name: `entry ${index}`,
  ...(index % 5 === 0 && { tenant_id: `tenant-${index % 11}` }),
  started_at: new Date(STARTED_MS + index * 7).toISOString(),
  elapsed_ms: 20 + (index % 13),
});

/** Outcomes of every kind, and errors of which some are in a single outcome. */
const KINDS: readonly ((index: number) => MaskedEvaluation)[] = [
  (index) => succeeded({ ...ofEntry(index), duration_ms: index / 4, cold_start: index % 3 === 0 }),
  (index) => succeeded({ ...ofEntry(index), region: 'us-east-1', executed_version: '7' }),
  (index) => succeeded({ ...ofEntry(index), resumed: true, started_at: 'in an earlier run' }),
  (index) => failed({ errorType: 'TypeError', errorMessage: `no ${index % 9}` }, ofEntry(index)),
  (index) => failed({ errorMessage: `only ${index}` }, { ...ofEntry(index), cold_start: true }),
  (index) => notInvoked({ ...ofEntry(index), error: { ...HALTED } }),
  (index) => notInvoked(ofEntry(index)),
  (index) => unknown({ ...ofEntry(index), ran: index % 2 === 0 ? 'started' : 'may_have_run' }),
  (index) =>
    expectationFailed({
      ...ofEntry(index),
      expectations: [{ expression: `response.n == \`${index % 4}\``, met: false, value: index }],
    }),
];

/** Dry runs of one caller, but for the last of them: their messages tell. */
const DRY_RUNS: typeof KINDS = [
  (index) => succeeded({ ...ofEntry(index), invocation_type: 'DryRun' }),
  (index) =>
    notInvoked({
      ...ofEntry(index),
      invocation_type: 'DryRun',
      error: {
        name: 'AccessDeniedException',
        message: `User: arn:aws:iam::123456789012:user/${index < COUNT - 9 ? 'one' : 'two'} is not authorized to perform: lambda:InvokeFunction`,
        advice: 'Allow it.',
      },
    }),
];

/** A list of outcomes in the order in which invocations end, which is not quite that of the plan. */
function listOf(kinds: typeof KINDS): MaskedEvaluation[] {
  const indexes = Array.from({ length: COUNT }, (_, at) => (at % 100 < 60 ? (at * 7) % COUNT : at));
  const all = [...new Set([...indexes, ...Array.from({ length: COUNT }, (_, at) => COUNT - 1 - at)])];
  return all.flatMap((index) => kinds[(index * 31) % kinds.length]?.(index) ?? []);
}

function resultsOf(evaluations: readonly MaskedEvaluation[]): StepResults {
  const results = new StepResults(evaluations.length);
  for (const evaluation of evaluations) results.add(evaluation);
  return results;
}

/** Each outcome as a shorter list keeps it. */
const wholeOf = (evaluations: readonly MaskedEvaluation[]): ReportedOutcome[] =>
  evaluations
    .flatMap((evaluation) => {
      const results = new StepResults(2);
      results.add(evaluation);
      return [...results.outcomes];
    })
    .sort((one, other) => one.index - other.index);

const PLACE = { key: 'key', commit: 'commit', runUrl: 'https://run.example' };

describe.each([
  ['all kinds', KINDS],
  ['successes', KINDS.slice(0, 2)],
  ['successes of earlier runs', KINDS.slice(0, 3)],
  ['failures', KINDS.slice(3)],
  ['dry runs', DRY_RUNS],
])(`of ${COUNT} outcomes, %s`, (_, kinds) => {
  const evaluations = listOf(kinds);
  const whole = wholeOf(evaluations);
  const { outcomes, counts } = resultsOf(evaluations);

  test('each is there once, in the order of the plan, with its name and times', () => {
    const kept = ({ index, name, tenant_id, started_at, elapsed_ms }: ReportedOutcome) => ({
      ...{ index, name, tenant_id, started_at, elapsed_ms },
    });
    expect(outcomes.length).toBe(COUNT);
    expect(Array.from(outcomes, kept)).toEqual(whole.map(kept));
  });

  test('the summary and the comment are those of whole outcomes', () => {
    expect(renderJobSummary(outcomes)).toBe(renderJobSummary(whole));
    expect(renderComment(outcomes, PLACE)).toBe(renderComment(whole, PLACE));
  });

  test('the counts are those of whole outcomes', () => {
    expect(counts).toEqual(countOutcomes(whole));
  });
});
