import { Buffer } from 'node:buffer';
import { setOutput, warning } from '@actions/core';
import type { Evaluation } from '../outcome/outcome.ts';
import { grouped } from '../shared/figures.ts';
import { utf8 } from '../shared/text.ts';

/** Outputs that only a step with exactly one invocation has, in the order of `action.yml`. */
export const SINGLE_OUTPUTS = [
  'outcome',
  'status_code',
  'function_error',
  'executed_version',
  'log_result',
  'response',
  'response_file',
  'request_id',
  'duration_ms',
  'billed_duration_ms',
  'init_duration_ms',
  'memory_size_mb',
  'max_memory_used_mb',
  'attempts',
  'durable_execution_arn',
  'query_result',
] as const;

/** Outputs that every step has. */
export const COMMON_OUTPUTS = [
  'outcomes',
  'outcomes_file',
  'total',
  'succeeded',
  'failed',
  'cold_starts',
] as const;

/** Bytes of one output; a runner takes 1 MB of them in a job. */
export const LONGEST_OUTPUT_BYTES = 1_000_000;

/** What a step came to, as far as the outputs tell. */
export type Accounts = Readonly<{
  /** The single invocation of a step that has one. */
  only: Evaluation | undefined;
  /** All outcomes as a JSON array; undefined where that is too long. */
  results: string | undefined;
  totals: Readonly<{ total: number; succeeded: number; failed: number; coldStarts: number }>;
}>;

/** Where what is too long for an output is kept. */
export type Files = Readonly<{ results: string; response?: string | undefined }>;

/** All outputs by name, and those that were too long, each with the file that has it; no bytes where nobody counted. */
export type Outputs = Readonly<{
  values: Readonly<Record<string, string>>;
  tooLong: readonly Readonly<{ name: string; bytes?: number | undefined; file: string }>[];
}>;

/**
 * Whether a response has to go into a file because it is too long for the output `response`.
 * A byte that is no UTF-8 becomes U+FFFD there, which has three.
 */
export const isTooLong = (response: Uint8Array): boolean =>
  response.length * 3 > LONGEST_OUTPUT_BYTES && Buffer.byteLength(utf8(response)) > LONGEST_OUTPUT_BYTES;

const asText = (value: unknown): string => {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
};

function singleOutputs({ outcome, response }: Evaluation, files: Files): Record<string, string> {
  const fields: Readonly<Record<string, unknown>> = {
    ...outcome,
    response: utf8(response),
    response_file: files.response,
  };
  return Object.fromEntries(SINGLE_OUTPUTS.map((name) => [name, asText(fields[name])] as const));
}

/** Whether a streamed response was too long to be met: only its file has it. */
const isLeftOut = ({ outcome, response, responseBytes }: Evaluation): boolean =>
  'status_code' in outcome && response.length === 0 && responseBytes > 0;

/** The outputs of a step; a value that does not apply, or is too long for a runner, is the empty string. */
export function outputsOf({ only, results, totals }: Accounts, files: Files): Outputs {
  const all: Readonly<Record<string, string>> = {
    ...(only !== undefined && singleOutputs(only, files)),
    outcomes: results ?? '',
    outcomes_file: files.results,
    total: String(totals.total),
    succeeded: String(totals.succeeded),
    failed: String(totals.failed),
    cold_starts: String(totals.coldStarts),
  };
  const tooLong = [
    ...Object.entries(all)
      .map(([name, value]) => ({ name, bytes: Buffer.byteLength(value) }))
      .filter(({ bytes }) => bytes > LONGEST_OUTPUT_BYTES),
    ...(results === undefined ? [{ name: 'outcomes', bytes: undefined }] : []),
    ...(only !== undefined && isLeftOut(only) ? [{ name: 'response', bytes: only.responseBytes }] : []),
  ].map(({ name, bytes }) => ({
    name,
    bytes,
    file: name === 'response' ? (files.response ?? files.results) : files.results,
  }));
  const emptied = Object.fromEntries(tooLong.map(({ name }) => [name, ''] as const));
  return { values: { ...all, ...emptied }, tooLong };
}

/** Hands the outputs to the runner, and warns of those that were too long. */
export function writeOutputs({ values, tooLong }: Outputs): void {
  for (const [name, value] of Object.entries(values)) setOutput(name, value);
  for (const { name, bytes, file } of tooLong) {
    const size = bytes === undefined ? `more than ${grouped(LONGEST_OUTPUT_BYTES)}` : grouped(bytes);
    warning(
      `The output ${name} would have ${size} bytes, which is too long for a runner, and is empty. It is in ${file}.`,
    );
  }
}
