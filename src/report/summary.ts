import { summary } from '@actions/core';
import { isRequestId, requestUrl } from '../outcome/links.ts';
import type { Judgement, Outcome } from '../outcome/outcome.ts';
import { codeSpan, table } from './markdown.ts';

const HEADER = [
  'Result',
  'Function',
  'Version',
  'Duration',
  'Billed',
  'Memory',
  'Cold start',
  'Request id',
] as const;

const RESULTS: Readonly<Record<Outcome['outcome'], string>> = {
  succeeded: '✅ succeeded',
  function_error: '❌ function error',
  expectation_failed: '❌ expectation failed',
  not_invoked: '❌ not invoked',
  unknown: '❓ unknown',
};

const milliseconds = (value: number | undefined): string =>
  value === undefined ? '' : `${value.toLocaleString('en-US', { maximumFractionDigits: 0 })} ms`;

function requestCell(outcome: Outcome): string {
  const { request_id: requestId, region } = outcome;
  if (requestId === undefined) return '';
  if (region === undefined || !isRequestId(requestId)) return codeSpan(requestId);
  return `[${requestId}](${requestUrl({ functionName: outcome.function_name, region, requestId })})`;
}

function rowOf(outcome: Outcome): string[] {
  const name = outcome.qualifier ? `${outcome.function_name}:${outcome.qualifier}` : outcome.function_name;
  const answered = 'status_code' in outcome ? outcome : undefined;
  const used = answered?.max_memory_used_mb;
  const size = answered?.memory_size_mb;
  return [
    RESULTS[outcome.outcome],
    codeSpan(name),
    codeSpan(answered?.executed_version ?? ''),
    milliseconds(answered?.duration_ms ?? outcome.elapsed_ms),
    milliseconds(answered?.billed_duration_ms),
    used === undefined || size === undefined ? '' : `${used} of ${size} MB`,
    answered?.cold_start === undefined ? '' : answered.cold_start ? 'yes' : 'no',
    requestCell(outcome),
  ];
}

/** The job summary: one row an invocation. Responses and logs have no place in it. */
export function renderSummary(judgements: readonly Judgement[]): string {
  return `### Invoke AWS Lambda\n\n${table(
    HEADER,
    judgements.map(({ outcome }) => rowOf(outcome)),
  )}\n`;
}

/** Appends to the job summary. Throws where the runner has none. */
export async function writeSummary(markdown: string): Promise<void> {
  await summary.addRaw(markdown, true).write();
}
