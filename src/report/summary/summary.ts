import { summary } from '@actions/core';
import { isRequestId, requestUrl } from '../../outcome/links.ts';
import { readLogPlace } from '../../outcome/log-tail.ts';
import type { Outcome } from '../../outcome/outcome.ts';
import { grouped } from '../../shared/figures.ts';
import { foreignCell, table } from '../markdown.ts';
import { type Statistics, statisticsOf } from './statistics.ts';
import { renderTimeline } from './timeline.ts';

const LABELS: Readonly<Record<Outcome['outcome'], string>> = {
  succeeded: '✅ succeeded',
  function_error: '❌ function error',
  expectation_failed: '❌ expectation failed',
  not_invoked: '❌ not invoked',
  unknown: '❓ unknown',
};

/** Keeps a figure and its unit on one line, however narrow the page is. */
const unbroken = (text: string): string => text.replaceAll(' ', '\u00a0');

const milliseconds = (value: number | undefined): string =>
  value === undefined ? '' : unbroken(`${grouped(value)} ms`);

type Responded = Extract<Outcome, { status_code: number }>;
const responded = (outcome: Outcome): Responded | undefined =>
  'status_code' in outcome ? outcome : undefined;

function resultCell(outcome: Outcome): string {
  const result = LABELS[outcome.outcome];
  return 'error' in outcome ? `${result} ${foreignCell(outcome.error.name)}` : result;
}

function memoryCell(outcome: Outcome): string {
  const { max_memory_used_mb: used, memory_size_mb: size } = responded(outcome) ?? {};
  return used === undefined || size === undefined ? '' : unbroken(`${used} of ${size} MB`);
}

function coldStartCell(outcome: Outcome): string {
  const coldStart = responded(outcome)?.cold_start;
  return coldStart === undefined ? '' : coldStart ? 'yes' : 'no';
}

const SHORT_ID = 8;

/** The start of the id, so that the table stays narrow; the title of the link is the whole id. */
function requestCell(outcome: Outcome): string {
  const { request_id: requestId, region, function_name: functionName } = outcome;
  if (requestId === undefined) return '';
  if (region === undefined || !isRequestId(requestId)) return foreignCell(requestId);
  const logGroup = readLogPlace(responded(outcome)?.log_result ?? '')?.logGroup;
  const url = requestUrl({ functionName, region, requestId, logGroup });
  return `[${requestId.slice(0, SHORT_ID)}…](${url} "${requestId}")`;
}

const COLUMNS: readonly Readonly<{ title: string; cell: (outcome: Outcome) => string }>[] = [
  { title: 'Result', cell: resultCell },
  {
    title: 'Function',
    cell: ({ function_name: name, qualifier }) => foreignCell(qualifier ? `${name}:${qualifier}` : name),
  },
  { title: 'Version', cell: (outcome) => foreignCell(responded(outcome)?.executed_version ?? '') },
  {
    title: 'Duration',
    cell: (outcome) => milliseconds(responded(outcome)?.duration_ms ?? outcome.elapsed_ms),
  },
  { title: 'Billed', cell: (outcome) => milliseconds(responded(outcome)?.billed_duration_ms) },
  { title: 'Memory', cell: memoryCell },
  { title: 'Cold start', cell: coldStartCell },
  { title: 'Request id', cell: requestCell },
];

function outcomesTable(outcomes: readonly Outcome[]): string {
  const columns = COLUMNS.filter(({ cell }) => outcomes.some((outcome) => cell(outcome) !== ''));
  return table(
    columns.map(({ title }) => title),
    outcomes.map((outcome) => columns.map(({ cell }) => cell(outcome))),
  );
}

const KINDS: readonly Readonly<{ kind: Outcome['outcome']; one: string; many: string }>[] = [
  { kind: 'function_error', one: 'function error', many: 'function errors' },
  { kind: 'expectation_failed', one: 'expectation failure', many: 'expectation failures' },
  { kind: 'not_invoked', one: 'not invoked', many: 'not invoked' },
  { kind: 'unknown', one: 'unknown', many: 'unknown' },
  { kind: 'succeeded', one: 'succeeded', many: 'succeeded' },
];

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;

function period(ms: number): string {
  if (ms < 10 * SECOND_MS) return milliseconds(ms);
  const [size, unit] = ms < 10 * MINUTE_MS ? [SECOND_MS, 's'] : [MINUTE_MS, 'min'];
  return unbroken(`${grouped(ms / size, 1)} ${unit}`);
}

/** How many of each outcome, unless the heading says it, how they started, and how long they took together. */
function totals({ counts, failed, cold, warm, wallMs }: Statistics): string {
  const kinds = KINDS.filter(({ kind }) => failed > 0 && counts[kind] > 0).map(
    ({ kind, one, many }) => `${grouped(counts[kind])} ${counts[kind] === 1 ? one : many}`,
  );
  const starts = [
    cold > 0
      ? `${grouped(cold)} ${cold === 1 ? 'execution environment' : 'execution environments'} started cold`
      : '',
    warm > 0 ? `${grouped(warm)} ${warm === 1 ? 'invocation' : 'invocations'} started warm` : '',
  ];
  return [
    kinds,
    starts.filter((part) => part !== ''),
    [`${period(wallMs)} from the first start to the last end`],
  ]
    .filter((parts) => parts.length > 0)
    .map((parts) => `${parts.join(', ')}.`)
    .join(' ');
}

const MEASURES: Readonly<Record<'duration_ms' | 'elapsed_ms', string>> = {
  duration_ms: 'Duration in Lambda, by the log',
  elapsed_ms: 'Time to the answer, as seen from here',
};

function latencyBlocks({ latency, total }: Statistics): string[] {
  if (latency === undefined) return [];
  const { of, count: measured, min, median, p95, max } = latency;
  const share = measured === total ? '' : ` (${grouped(measured)} of ${grouped(total)})`;
  const figures = table(['Min', 'Median', 'p95', 'Max'], [[min, median, p95, max].map(milliseconds)]);
  return [`${MEASURES[of]}${share}:`, figures];
}

// A summary may have 1 MiB; fifty rows are more than anybody reads.
const MOST_ROWS = 50;

/** How many outcomes the table leaves out, and where they are. */
function restLine(rest: { failed: number; succeeded: number }): string | undefined {
  const parts = [
    rest.failed > 0 ? `${grouped(rest.failed)} more that failed` : '',
    rest.succeeded > 0 ? `${grouped(rest.succeeded)} more that succeeded` : '',
  ].filter((part) => part !== '');
  return parts.length === 0
    ? undefined
    : `… and ${parts.join(', ')}. All are in the outcomes file (output \`outcomes_file\`).`;
}

function renderMany(outcomes: readonly Outcome[]): string[] {
  const statistics = statisticsOf(outcomes);
  const { total, failed, counts } = statistics;
  const failures = outcomes.filter(({ outcome }) => outcome !== 'succeeded');
  const successes = outcomes.filter(({ outcome }) => outcome === 'succeeded');
  const shown = [...failures, ...successes].slice(0, MOST_ROWS);
  const failuresShown = Math.min(failed, MOST_ROWS);
  const rest = {
    failed: failed - failuresShown,
    succeeded: counts.succeeded - (shown.length - failuresShown),
  };
  const result =
    failed > 0 ? `${grouped(failed)} of ${grouped(total)} failed` : `${grouped(total)} succeeded`;
  return [
    `### Invoke AWS Lambda: ${result}`,
    totals(statistics),
    ...latencyBlocks(statistics),
    renderTimeline(outcomes),
    outcomesTable(shown),
    restLine(rest) ?? '',
  ];
}

/**
 * The job summary: one row per invocation, without empty columns; for several, first their totals and timeline, and
 * above 50 the failures first and a count of the rest. No responses, no logs.
 */
export function renderSummary(outcomes: readonly Outcome[]): string {
  const blocks =
    outcomes.length > 1 ? renderMany(outcomes) : ['### Invoke AWS Lambda', outcomesTable(outcomes)];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

/** Appends to the job summary. Throws where the runner has none. */
export async function writeSummary(markdown: string): Promise<void> {
  await summary.addRaw(markdown, true).write();
}
