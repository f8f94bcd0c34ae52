import { Buffer } from 'node:buffer';
import { appendFileSync, ftruncateSync, mkdtempSync, openSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { setOutput, summary, warning } from '@actions/core';
import type { EvaluatedInvocation } from '../outcome/evaluate.ts';
import type { Evaluation } from '../outcome/outcome.ts';
import type { OutcomeCounts } from '../outcome/step-results.ts';
import { grouped, utf8 } from '../shared/text.ts';
import { messageOf } from '../shared/values.ts';
import { saveResponse } from './saved-response.ts';

/** A step's outcomes file, in a folder of its own, open from when it is made until the step ends. */
export class OutcomesFile {
  readonly path: string;
  readonly #descriptor: number;
  /** Bytes of the lines that are whole. */
  #size = 0;
  #missing = 0;
  #error: unknown;

  /** Makes it, empty. Throws if `temporaryFolder` can't be written to. */
  constructor(temporaryFolder: string) {
    // Without symlinks in it, since a response that is saved next to it needs its folder.
    const folder = realpathSync.native(mkdtempSync(path.join(temporaryFolder, 'lambda-invoke-')));
    this.path = path.join(folder, 'outcomes.jsonl');
    this.#descriptor = openSync(this.path, 'ax');
  }

  /**
   * Adds one outcome, as JSON, as one line, or nothing of it: what is missing is for `complete` to say. It is
   * synchronous, because a long line is written in pieces, and those of two that end at once would mix.
   */
  append(json: string): void {
    const line = Buffer.from(`${json}\n`);
    try {
      appendFileSync(this.#descriptor, line);
      this.#size += line.length;
    } catch (error) {
      this.#missing += 1;
      this.#error ??= error;
      this.#removeTornLine();
    }
  }

  #removeTornLine(): void {
    try {
      ftruncateSync(this.#descriptor, this.#size);
    } catch {
      // The step fails for the missing line in any case.
    }
  }

  /** Throws if outcomes are missing, and says how many and why. */
  complete(): void {
    if (this.#missing === 0) return;
    const what = this.#missing === 1 ? '1 outcome is' : `${this.#missing} outcomes are`;
    throw new Error(`${what} missing in ${this.path}: ${messageOf(this.#error)}`, { cause: this.#error });
  }
}

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

/** Bytes of one output; a runner takes 1 MB of them in a job. */
export const LONGEST_OUTPUT_BYTES = 1_000_000;

/** What the outputs are made of: nothing in it is masked, as later steps need the values themselves. */
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
  log?: string | undefined;
}>;

/** All outputs by name, and those that are too long, with the file that has each; without bytes where they were not counted. */
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

function singleOutputs({ outcome, response }: Evaluation, files: OutputFiles): Record<string, string> {
  const fields: Readonly<Record<string, unknown>> = {
    ...outcome,
    response: utf8(response),
    response_file: files.response,
    log_file: files.log,
  };
  return Object.fromEntries(SINGLE_OUTPUTS.map((name) => [name, asText(fields[name])] as const));
}

/** Whether a streamed response was too long to be kept: it is only in its file. */
const isOnlyInFile = ({ outcome, response, responseBytes }: Evaluation): boolean =>
  'status_code' in outcome && response.length === 0 && responseBytes > 0;

/** The outputs of a step; a value that does not apply, or is too long for a runner, is the empty string. */
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
  ].map(({ name, bytes }) => ({
    name,
    bytes,
    file: name === 'response' ? (files.response ?? files.outcomes) : files.outcomes,
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
    // Written once more only if a mask makes the two differ.
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

/** What a step that writes outputs has to know beside its outcomes. */
export type OutputOptions = Readonly<{
  /** How many invocations there will be. */
  total: number;
  outcomesFile: string;
  /** The file for the response of a single invocation, and when it is saved there; a stream saves its response itself. */
  responseFile: Readonly<{ path: string; isSaved: 'always' | 'if_too_long' | 'never' }>;
  /** The file of a log that was followed, once there is one. */
  logFile?: () => string | undefined;
}>;

/** The outputs of a step, and the file of its response: the only reports that take what is not masked. */
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
    const { path, isSaved } = this.#options.responseFile;
    const { response = new Uint8Array(), responseFile } = this.#single ?? {};
    this.#responseFile = responseFile?.path;
    if (responseFile !== undefined || response.length === 0 || isSaved === 'never') return;
    if (isSaved === 'if_too_long' && !isTooLong(response)) return;
    await saveResponse(path, response);
    this.#responseFile = path;
  }

  write(counts: OutcomeCounts): void {
    const values = { single: this.#single, outcomes: this.#outcomes.text, counts };
    const { outcomesFile, logFile } = this.#options;
    const files = { outcomes: outcomesFile, response: this.#responseFile, log: logFile?.() };
    writeOutputs(outputsOf(values, files));
  }
}

/** Writes the output of a step whose inputs are invalid, so that `outcome` is never empty. */
export const writeNotInvoked = (): void => setOutput('outcome', 'not_invoked');

/** Appends to the job summary. Throws if the runner has none. */
export async function writeSummary(markdown: string): Promise<void> {
  await summary.addRaw(markdown, true).write();
}
