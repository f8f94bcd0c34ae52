import { summary } from '@actions/core';
import { isRequestId, requestUrl } from '../outcome/links.ts';
import type { Judgement, Outcome } from '../outcome/outcome.ts';
import { codeSpan, table } from './markdown.ts';

const RESULTS: Readonly<Record<Outcome['outcome'], string>> = {
  succeeded: '✅ succeeded',
  function_error: '❌ function error',
  expectation_failed: '❌ expectation failed',
  not_invoked: '❌ not invoked',
  unknown: '❓ unknown',
};

/** A figure and its unit stay on one line, however narrow the page is. */
const unbroken = (text: string): string => text.replaceAll(' ', '\u00a0');

const milliseconds = (value: number | undefined): string =>
  value === undefined ? '' : unbroken(`${value.toLocaleString('en-US', { maximumFractionDigits: 0 })} ms`);

type Answered = Extract<Outcome, { status_code: number }>;
const answered = (outcome: Outcome): Answered | undefined => ('status_code' in outcome ? outcome : undefined);

function resultCell(outcome: Outcome): string {
  const result = RESULTS[outcome.outcome];
  return 'error' in outcome ? `${result} ${codeSpan(outcome.error.name)}` : result;
}

function memoryCell(outcome: Outcome): string {
  const { max_memory_used_mb: used, memory_size_mb: size } = answered(outcome) ?? {};
  return used === undefined || size === undefined ? '' : unbroken(`${used} of ${size} MB`);
}

function coldStartCell(outcome: Outcome): string {
  const coldStart = answered(outcome)?.cold_start;
  return coldStart === undefined ? '' : coldStart ? 'yes' : 'no';
}

const SHORT_ID = 8;

/** The start of the id, which the link's title has whole, so that the table stays narrow. */
function requestCell(outcome: Outcome): string {
  const { request_id: requestId, region, function_name: functionName } = outcome;
  if (requestId === undefined) return '';
  if (region === undefined || !isRequestId(requestId)) return codeSpan(requestId);
  return `[${requestId.slice(0, SHORT_ID)}…](${requestUrl({ functionName, region, requestId })} "${requestId}")`;
}

const COLUMNS: readonly Readonly<{ title: string; cell: (outcome: Outcome) => string }>[] = [
  { title: 'Result', cell: resultCell },
  {
    title: 'Function',
    cell: ({ function_name: name, qualifier }) => codeSpan(qualifier ? `${name}:${qualifier}` : name),
  },
  { title: 'Version', cell: (outcome) => codeSpan(answered(outcome)?.executed_version ?? '') },
  {
    title: 'Duration',
    cell: (outcome) => milliseconds(answered(outcome)?.duration_ms ?? outcome.elapsed_ms),
  },
  { title: 'Billed', cell: (outcome) => milliseconds(answered(outcome)?.billed_duration_ms) },
  { title: 'Memory', cell: memoryCell },
  { title: 'Cold start', cell: coldStartCell },
  { title: 'Request id', cell: requestCell },
];

/**
 * The job summary: one row an invocation, without the columns that no row has anything for.
 * Responses and logs have no place in it.
 */
export function renderSummary(judgements: readonly Judgement[]): string {
  const columns = COLUMNS.filter(({ cell }) => judgements.some(({ outcome }) => cell(outcome) !== ''));
  const rows = judgements.map(({ outcome }) => columns.map(({ cell }) => cell(outcome)));
  return `### Invoke AWS Lambda\n\n${table(
    columns.map(({ title }) => title),
    rows,
  )}\n`;
}

/** Appends to the job summary. Throws where the runner has none. */
export async function writeSummary(markdown: string): Promise<void> {
  await summary.addRaw(markdown, true).write();
}
