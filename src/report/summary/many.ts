import type { ReportedOutcomes } from '../../outcome/kept-outcomes.ts';
import { RAN_IN_WORDS } from '../../outcome/logged-runs.ts';
import { isHalted } from '../../outcome/outcome.ts';
import type { ReportedOutcome } from '../../outcome/step-results.ts';
import { grouped, onOneLine, shortened } from '../../shared/text.ts';
import { codeSpan, type Fold, foldOf, foreignCell, table } from '../markdown.ts';
import { durationCell, functionCell, logLink, markOf, milliseconds, period } from './cells.ts';
import { errorText, type SummaryParts } from './single.ts';
import { type Statistics, selected, statisticsOf } from './statistics.ts';

const MOST_GROUPS = 10;
const MOST_ENTRIES = 10;
const MOST_FAILURES = 10;
// Nobody reads more than fifty rows, and a summary can have at most 1 MiB.
const MOST_SUCCESSES = 50;
// A longer error would make the table wider than a narrow page.
const LONGEST_ERROR = 120;

const FILE = 'All are in the outcomes file (output `outcomes_file`).';

/** A failure: the error as foreign text, and our note on whether the function ran. */
type Failure = Readonly<{ error: string; note: string }>;

function failureInWords(outcome: ReportedOutcome): Failure {
  if (isHalted(outcome)) return { error: '', note: 'Not sent after the failure' };
  switch (outcome.outcome) {
    case 'not_invoked':
      return { error: outcome.error.name, note: ' (not run)' };
    case 'unknown':
      return { error: outcome.error.name, note: ` (${RAN_IN_WORDS[outcome.ran]})` };
    case 'expectation_failed': {
      const { expression = '' } = outcome.unmet?.[0] ?? {};
      return { error: expression, note: expression === '' ? 'expectation not met' : ' not met' };
    }
    case 'succeeded':
    case 'function_error':
      return { error: errorText(outcome) || 'function error', note: '' };
    default:
      return outcome satisfies never;
  }
}

function failureCell(outcome: ReportedOutcome): string {
  const { error, note } = failureInWords(outcome);
  return `${error === '' ? '' : codeSpan(shortened(onOneLine(error), LONGEST_ERROR))}${note}`;
}

type Group = { cell: string; count: number; entries: number[]; isHalt: boolean };

/** The failures grouped by error, the most frequent first. Invocations that were not sent after a failure are last. */
function groupByError(failures: Iterable<ReportedOutcome>): Group[] {
  const groups = new Map<string, Group>();
  for (const outcome of failures) {
    const cell = `${markOf(outcome)} ${failureCell(outcome)}`;
    const group = groups.get(cell) ?? { cell, count: 0, entries: [], isHalt: isHalted(outcome) };
    groups.set(cell, group);
    group.count += 1;
    if (group.entries.length < MOST_ENTRIES) group.entries.push(outcome.index + 1);
  }
  return [...groups.values()].toSorted(
    (one, other) => Number(one.isHalt) - Number(other.isHalt) || other.count - one.count,
  );
}

function entriesCell({ entries, count }: Group): string {
  const more = count - entries.length;
  return `${entries.map((entry) => grouped(entry)).join(', ')}${more > 0 ? ` … and ${grouped(more)} more` : ''}`;
}

function groupBlocks(failures: Iterable<ReportedOutcome>): string[] {
  const groups = groupByError(failures);
  if (groups.length === 0) return [];
  const more = groups.length - MOST_GROUPS;
  return [
    table(
      ['What failed', 'Count', 'Entries'],
      groups.slice(0, MOST_GROUPS).map((group) => [group.cell, grouped(group.count), entriesCell(group)]),
    ),
    more > 0 ? `… and ${grouped(more)} other ${more === 1 ? 'error' : 'errors'}. ${FILE}` : '',
  ];
}

type OutcomeColumn = Readonly<{ title: string; cell: (outcome: ReportedOutcome) => string }>;

const FUNCTION: OutcomeColumn = { title: 'function', cell: functionCell };

/** The columns that can distinguish entries. */
const ENTRY_PARTS: readonly OutcomeColumn[] = [
  { title: 'name', cell: ({ name = '' }) => foreignCell(name) },
  FUNCTION,
  { title: 'tenant', cell: ({ tenant_id: tenant = '' }) => foreignCell(tenant) },
  { title: 'region', cell: ({ region = '' }) => foreignCell(region) },
];

/**
 * One column, with a line for each value that distinguishes the entries, so that a narrow page also shows the next
 * columns. No column if the entries do not differ.
 */
function entryColumn(differing: ReadonlySet<OutcomeColumn>): OutcomeColumn[] {
  const parts = ENTRY_PARTS.filter((part) => differing.has(part));
  if (parts.length === 0) return [];
  return [
    {
      title: sentenceCase(parts.map(({ title }) => title).join(', ')),
      cell: (outcome) => lines(parts.map(({ cell }) => cell(outcome))),
    },
  ];
}

const sentenceCase = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** The parts in which the outcomes differ. */
function differingParts(outcomes: Iterable<ReportedOutcome>): ReadonlySet<OutcomeColumn> {
  const differing = new Set<OutcomeColumn>();
  const [first] = outcomes;
  if (first === undefined) return differing;
  const same = ENTRY_PARTS.map((part) => ({ part, cell: part.cell(first) }));
  for (const outcome of outcomes) {
    for (const { part, cell } of same) {
      if (!differing.has(part) && part.cell(outcome) !== cell) differing.add(part);
    }
  }
  return differing;
}

/** The lines of a cell, without empty ones. */
const lines = (texts: readonly string[]): string => texts.filter((text) => text !== '').join('<br>');

const NUMBER: OutcomeColumn = { title: '#', cell: ({ index }) => grouped(index + 1) };
const FIGURES: readonly OutcomeColumn[] = [
  { title: 'Duration', cell: durationCell },
  { title: 'Log', cell: logLink },
];
/**
 * The error, the duration and the link to the log in one column, because a narrow page would not show further columns.
 */
const ERROR: OutcomeColumn = {
  title: 'Error, duration, log',
  cell: (outcome) =>
    lines([
      failureCell(outcome),
      [durationCell(outcome), logLink(outcome)].filter((text) => text !== '').join(' · '),
    ]),
};

/** A table without empty columns. */
function outcomesTable(outcomes: readonly ReportedOutcome[], columns: readonly OutcomeColumn[]): string {
  const shown = columns.filter(({ cell }) => outcomes.some((outcome) => cell(outcome) !== ''));
  return table(
    shown.map(({ title }) => title),
    outcomes.map((outcome) => shown.map(({ cell }) => cell(outcome) || '–')),
  );
}

/** How many outcomes there are of a kind, and the first of them. */
type Sample = Readonly<{ count: number; first: readonly ReportedOutcome[] }>;

/** The first failures, without invocations that were not sent after a failure, and the first successes. */
function samplesOf(outcomes: Iterable<ReportedOutcome>, { counts, failed, halted }: Statistics) {
  const failures: ReportedOutcome[] = [];
  const successes: ReportedOutcome[] = [];
  for (const outcome of outcomes) {
    const isSuccess = outcome.outcome === 'succeeded';
    if (isSuccess && successes.length < MOST_SUCCESSES) successes.push(outcome);
    if (!isSuccess && failures.length < MOST_FAILURES && !isHalted(outcome)) failures.push(outcome);
  }
  return {
    failures: { count: failed - halted, first: failures },
    successes: { count: counts.succeeded, first: successes },
  };
}

function failuresFold({ count, first }: Sample, entryColumns: readonly OutcomeColumn[]): string {
  if (count === 0) return '';
  const columns = [NUMBER, ...entryColumns, ERROR];
  return foldOf(
    {
      title:
        count > MOST_FAILURES
          ? `First ${MOST_FAILURES} of ${grouped(count)} failures`
          : `${grouped(count)} ${count === 1 ? 'failure' : 'failures'}`,
      body: outcomesTable(first, columns),
    },
    { isOpen: true },
  );
}

function successesFold({ count, first }: Sample, entryColumns: readonly OutcomeColumn[]): Fold[] {
  if (count === 0) return [];
  const isCut = count > MOST_SUCCESSES;
  const title = `${grouped(count)} ${count === 1 ? 'success' : 'successes'}`;
  const rows = outcomesTable(first, [NUMBER, ...entryColumns, ...FIGURES]);
  return [
    {
      title: isCut ? `${title} (first ${MOST_SUCCESSES})` : title,
      body: isCut ? `${rows}\n\n${FILE}` : rows,
    },
  ];
}

const MEASURES: Readonly<Record<'duration_ms' | 'elapsed_ms', string>> = {
  duration_ms: 'Duration (reported by Lambda)',
  elapsed_ms: 'Round-trip time',
};

function latencyPart({ latency, total }: Statistics): string {
  if (latency === undefined) return '';
  const { of, count, median, p95, max } = latency;
  const share = count === total ? '' : `, ${grouped(count)} of ${grouped(total)} invocations`;
  return `${MEASURES[of]}${share}: p50 ${milliseconds(median)}, p95 ${milliseconds(p95)}, max ${milliseconds(max)}`;
}

function statisticsLine(statistics: Statistics): string {
  const { counts, failed, resumed, cold, warm, wallMs } = statistics;
  return [
    failed > 0 ? `${grouped(counts.succeeded)} succeeded` : '',
    resumed > 0 ? `${grouped(resumed)} from an earlier run` : '',
    latencyPart(statistics),
    cold + warm > 0 ? `${grouped(cold)} cold ${cold === 1 ? 'start' : 'starts'}` : '',
    wallMs > 0 ? `took ${period(wallMs)}` : '',
  ]
    .filter((part) => part !== '')
    .join(' · ');
}

/** The function, if all invocations are of the same one; otherwise the name of the action. */
function subjectOf(outcomes: Iterable<ReportedOutcome>, differing: ReadonlySet<OutcomeColumn>): string {
  const [first] = outcomes;
  return first === undefined || differing.has(FUNCTION) ? 'AWS Lambda Invoke' : functionCell(first);
}

/** The summary of many invocations, and its folds. */
export function summarizeMany(
  outcomes: ReportedOutcomes,
): SummaryParts & Readonly<{ folds: readonly Fold[] }> {
  const statistics = statisticsOf(outcomes);
  const { total, failed, halted } = statistics;
  const failures = selected(outcomes, ({ outcome }) => outcome !== 'succeeded');
  const first = samplesOf(outcomes, statistics);
  const differing = differingParts(outcomes);
  const columns = entryColumn(differing);
  const invocations = total === 1 ? 'invocation' : 'invocations';
  const left = halted === 0 ? '' : `, ${grouped(halted)} not sent`;
  const verdict =
    failed > 0
      ? `${grouped(failed - halted)} of ${grouped(total)} ${invocations} failed${left}`
      : `${grouped(total)} ${invocations} succeeded`;
  return {
    heading: `${failed > 0 ? '❌' : '✅'} ${subjectOf(outcomes, differing)}: ${verdict}`,
    blocks: [...groupBlocks(failures), failuresFold(first.failures, columns), statisticsLine(statistics)],
    folds: successesFold(first.successes, columns),
  };
}
