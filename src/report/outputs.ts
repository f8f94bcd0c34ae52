import { Buffer } from 'node:buffer';
import { setOutput, summary, warning } from '@actions/core';
import type { EvaluatedInvocation } from '../outcome/evaluate.ts';
import type { Evaluation } from '../outcome/outcome.ts';
import type { OutcomeCounts } from '../outcome/step-results.ts';
import { grouped, utf8 } from '../shared/text.ts';
import { saveResponse } from './saved-response.ts';

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
  'log_url',
  'log_file',
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
  'resumed',
] as const;

/** The longest output in bytes. A runner accepts 1 MB of outputs in a job. */
export const LONGEST_OUTPUT_BYTES = 1_000_000;

/** The values for the outputs. Nothing in them is masked, because later steps need the real values. */
export type OutputValues = Readonly<{
  /** The invocation of a step that has exactly one. */
  single: Evaluation | undefined;
  /** All outcomes as a JSON array; undefined if that is too long. */
  outcomes: string | undefined;
  counts: OutcomeCounts;
}>;

/** The files that keep what is too long for an output. */
export type OutputFiles = Readonly<{
  outcomes: string;
  response?: string | undefined;
  /** Whether the user named the file of the response. */
  isResponseNamed?: boolean;
  log?: string | undefined;
}>;

/**
 * All outputs by name, and those that are too long, each with its file and, if it was counted, its length. A response
 * in a file that the user named is not listed.
 */
export type Outputs = Readonly<{
  values: Readonly<Record<string, string>>;
  tooLong: readonly Readonly<{ name: string; bytes?: number | undefined; file: string }>[];
}>;

/**
 * Whether a response must be saved to a file because it is too long for the output `response`. There, a byte that is
 * not UTF-8 becomes U+FFFD, which has three bytes.
 */
export const isTooLong = (response: Uint8Array): boolean =>
  response.length * 3 > LONGEST_OUTPUT_BYTES && Buffer.byteLength(utf8(response)) > LONGEST_OUTPUT_BYTES;

const asText = (value: unknown): string => {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
};

function singleOutputs({ outcome, response }: Evaluation, files: OutputFiles): Record<string, string> {
  const fields: Readonly<Record<string, unknown>> = {
    ...outcome,
    response: utf8(response),
    response_file: files.response,
    log_file: files.log,
  };
  return Object.fromEntries(SINGLE_OUTPUTS.map((name) => [name, asText(fields[name])] as const));
}

/** Whether a streamed response was too long for memory, so that it is only in its file. */
const isOnlyInFile = ({ outcome, response, responseBytes }: Evaluation): boolean =>
  'status_code' in outcome && response.length === 0 && responseBytes > 0;

/** The outputs of a step. A value that does not apply, or is too long for a runner, is the empty string. */
export function outputsOf({ single, outcomes, counts }: OutputValues, files: OutputFiles): Outputs {
  const all: Readonly<Record<string, string>> = {
    ...(single !== undefined && singleOutputs(single, files)),
    outcomes: outcomes ?? '',
    outcomes_file: files.outcomes,
    total: String(counts.total),
    succeeded: String(counts.counts.succeeded),
    failed: String(counts.failed),
    cold_starts: String(counts.cold),
    resumed: String(counts.resumed),
  };
  const tooLong = [
    ...Object.entries(all)
      .map(([name, value]) => ({ name, bytes: Buffer.byteLength(value) }))
      .filter(({ bytes }) => bytes > LONGEST_OUTPUT_BYTES),
    ...(outcomes === undefined ? [{ name: 'outcomes', bytes: undefined }] : []),
    ...(single !== undefined && isOnlyInFile(single)
      ? [{ name: 'response', bytes: single.responseBytes }]
      : []),
  ];
  const emptied = Object.fromEntries(tooLong.map(({ name }) => [name, ''] as const));
  const isExpected = (name: string): boolean => name === 'response' && files.isResponseNamed === true;
  return {
    values: { ...all, ...emptied },
    tooLong: tooLong
      .filter(({ name }) => !isExpected(name))
      .map(({ name, bytes }) => {
        const file = name === 'response' ? (files.response ?? files.outcomes) : files.outcomes;
        return { name, bytes, file };
      }),
  };
}

/** Passes the outputs to the runner, and warns about those that are too long. */
export function writeOutputs({ values, tooLong }: Outputs): void {
  for (const [name, value] of Object.entries(values)) setOutput(name, value);
  for (const { name, bytes, file } of tooLong) {
    const size = bytes === undefined ? `more than ${grouped(LONGEST_OUTPUT_BYTES)}` : grouped(bytes);
    warning(
      `The output ${name} is empty: ${size} bytes are too many for an output. The value is in ${file}.`,
    );
  }
}

/** A JSON array of outcomes, in the order of the plan, up to the length of an output. */
export class OutcomesJson {
  #outcomes: { index: number; json: string }[] | undefined = [];
  #bytes = 2;

  add({ evaluation, masked, maskedJson }: EvaluatedInvocation): void {
    if (this.#outcomes === undefined) return;
    const { outcome } = evaluation;
    // The outcome is written as JSON again only if a mask has changed it.
    const json = masked.hidesSomething ? JSON.stringify(outcome) : maskedJson;
    this.#bytes += Buffer.byteLength(json) + 1;
    if (this.#bytes <= LONGEST_OUTPUT_BYTES) this.#outcomes.push({ index: outcome.index, json });
    else this.#outcomes = undefined;
  }

  /** The array; undefined if it is too long for an output. */
  get text(): string | undefined {
    const ordered = this.#outcomes?.toSorted((one, other) => one.index - other.index);
    return ordered && `[${ordered.map(({ json }) => json).join(',')}]`;
  }
}

/** What is needed to write the outputs, in addition to the outcomes. */
export type OutputOptions = Readonly<{
  /** The number of invocations in the step. */
  total: number;
  outcomesFile: string;
  /** The file for the response of a single invocation. A streamed response is already saved. */
  responseFile: Readonly<{ path: string; isNamed: boolean; isStreamed: boolean }>;
  /** The file of a followed log, if there is one. */
  logFile?: () => string | undefined;
}>;

/** Writes the outputs of a step and the file of its response, the only reports with unmasked values. */
export class StepOutputs {
  readonly #options: OutputOptions;
  readonly #outcomes = new OutcomesJson();
  #single: Evaluation | undefined;
  #responseFile: string | undefined;

  constructor(options: OutputOptions) {
    this.#options = options;
  }

  add(evaluated: EvaluatedInvocation): void {
    if (this.#options.total === 1) this.#single = evaluated.evaluation;
    this.#outcomes.add(evaluated);
  }

  async saveResponse(): Promise<void> {
    const { path, isNamed, isStreamed } = this.#options.responseFile;
    const { response = new Uint8Array(), responseFile } = this.#single ?? {};
    this.#responseFile = responseFile?.path;
    if (responseFile !== undefined || response.length === 0 || isStreamed) return;
    if (!isNamed && !isTooLong(response)) return;
    await saveResponse(path, response);
    this.#responseFile = path;
  }

  write(counts: OutcomeCounts): void {
    const values = { single: this.#single, outcomes: this.#outcomes.text, counts };
    const { outcomesFile, responseFile, logFile } = this.#options;
    const files = {
      outcomes: outcomesFile,
      response: this.#responseFile,
      // If it could not be saved, the error names the file.
      isResponseNamed: responseFile.isNamed,
      log: logFile?.(),
    };
    writeOutputs(outputsOf(values, files));
  }
}

/** Sets the output `outcome` of a step that can't start, so that it is never empty. */
export const writeNotInvoked = (): void => setOutput('outcome', 'not_invoked');

/** Appends to the job summary. Throws if the runner has none. */
export async function writeSummary(markdown: string): Promise<void> {
  await summary.addRaw(markdown, true).write();
}
