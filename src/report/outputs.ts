import { setOutput } from '@actions/core';
import type { Judgement, Outcome } from '../outcome/outcome.ts';

/** Outputs that only a step with exactly one invocation has, in the order of `action.yml`. */
export const SINGLE_OUTPUTS = [
  'outcome',
  'status_code',
  'function_error',
  'executed_version',
  'log_result',
  'result',
  'request_id',
  'duration_ms',
  'billed_duration_ms',
  'init_duration_ms',
  'memory_size_mb',
  'max_memory_used_mb',
  'attempts',
  'durable_execution_arn',
] as const;

/** Outputs that every step has. */
export const COMMON_OUTPUTS = [
  'results',
  'results_file',
  'total',
  'succeeded',
  'failed',
  'cold_starts',
] as const;

// Byte for byte: a byte order mark stays.
const TEXT = new TextDecoder('utf-8', { ignoreBOM: true });

type Outputs = Readonly<Record<string, string>>;

function singleOutputs({ outcome, response }: Judgement): Outputs {
  const fields: Readonly<Record<string, unknown>> = {
    ...outcome,
    result: TEXT.decode(response),
  };
  return Object.fromEntries(SINGLE_OUTPUTS.map((name) => [name, String(fields[name] ?? '')] as const));
}

const isColdStart = (outcome: Outcome): boolean => 'cold_start' in outcome && outcome.cold_start === true;

/** All outputs by name; a value that does not apply is the empty string. */
export function outputsOf(judgements: readonly Judgement[], resultsFile: string): Outputs {
  const outcomes = judgements.map(({ outcome }) => outcome);
  const succeeded = outcomes.filter(({ outcome }) => outcome === 'succeeded').length;
  const [only] = judgements;
  return {
    ...(only !== undefined && judgements.length === 1 && singleOutputs(only)),
    results: JSON.stringify(outcomes),
    results_file: resultsFile,
    total: String(outcomes.length),
    succeeded: String(succeeded),
    failed: String(outcomes.length - succeeded),
    cold_starts: String(outcomes.filter(isColdStart).length),
  };
}

/** Hands the outputs to the runner. */
export function writeOutputs(outputs: Outputs): void {
  for (const [name, value] of Object.entries(outputs)) setOutput(name, value);
}
