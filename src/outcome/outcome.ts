import type { InvocationType } from '../lambda/invocation.ts';
import type { Checked, Expectation } from './expectations.ts';
import type { Ran } from './logged-runs.ts';

/** Fields of every outcome, in the spelling of the public document. */
type InvocationFields = Readonly<{
  /** Place in the list of all shards, from 0. Texts for people count entries from 1. */
  index: number;
  /** The name of the entry, if it has one. */
  name?: string;
  function_name: string;
  qualifier?: string;
  region?: string;
  invocation_type: InvocationType;
  tenant_id?: string;
  /** ISO 8601. */
  started_at: string;
  /** Round-trip time in milliseconds, all attempts included. */
  elapsed_ms: number;
  attempts: number;
  expectations?: readonly Expectation[];
  query_result?: unknown;
  /** True if the journal has it from an earlier run. */
  resumed?: true;
}>;

/** Figures of the log tail: milliseconds and megabytes, as Lambda reports them. */
export type Figures = Readonly<{
  duration_ms?: number;
  billed_duration_ms?: number;
  init_duration_ms?: number;
  restore_duration_ms?: number;
  memory_size_mb?: number;
  max_memory_used_mb?: number;
  /** True if the log shows an init or a restore; absent if no report was seen. */
  cold_start?: boolean;
}>;

/** What a client of an API gets. Header names are in lower case, and only set-cookie is a list. */
export type HttpResponse = Readonly<{
  status: number;
  headers: Readonly<Record<string, string | readonly string[]>>;
  /** Decoded from base64, and parsed if it is JSON; in base64 if it is not text; absent for a stream of over 6 MB. */
  body?: unknown;
}>;

type ResponseFields = Figures &
  Readonly<{
    status_code: number;
    executed_version?: string;
    request_id?: string;
    /** The page with its log events in the CloudWatch console, if the function ran. */
    log_url?: string;
    durable_execution_arn?: string;
    /** The parsed response, or its text if it is not JSON; absent for Event, DryRun and a stream of over 6 MB. */
    response?: unknown;
    /** The response as an API reads it, if the payload was made from an HTTP request. */
    http?: HttpResponse;
    /** The log tail, decoded. */
    log_result?: string;
  }>;

/** Why there is no response, and what to do about it. */
export type InvocationError = Readonly<{ name: string; message: string; advice: string }>;

type FailureFields = Readonly<{
  /** What is known about whether it ran, including from the function's log if that was read. */
  ran: Ran;
  /** The duration, if the log shows the end of the run. */
  duration_ms?: number;
  /** Lambda's ID, or ours if the request was sent and no response has another. */
  request_id?: string;
  /** The page with the log events of that ID, if the function may have run. */
  log_url?: string;
  durable_execution_arn?: string;
  error: InvocationError;
}>;

/** How one invocation ended. */
export type Outcome = InvocationFields &
  (
    | (ResponseFields & Readonly<{ outcome: 'succeeded' }>)
    | (ResponseFields & Readonly<{ outcome: 'function_error'; function_error: string }>)
    | (ResponseFields & Readonly<{ outcome: 'expectation_failed'; function_error?: string }>)
    | (FailureFields & Readonly<{ outcome: 'not_invoked' }>)
    | (FailureFields & Readonly<{ outcome: 'unknown' }>)
  );

/** Why masks can't be applied, so that nothing that the function wrote is shown. */
export type WithheldReason =
  | 'mask_failed'
  | 'mask_found_nothing'
  | 'not_json'
  | 'too_many_secrets'
  | 'inexact_number';

/** Texts that must not be shown, with a reason if not all of them are known. */
export type Secrets = Readonly<{ texts: readonly string[]; withheld?: WithheldReason }>;

/** An outcome, with facts that the document does not have. Nothing in it is masked. */
export type Evaluation = Readonly<{
  /** The function with whatever distinguishes the entry and, if there are several, the entry's number from 1. */
  label: string;
  outcome: Outcome;
  /** The response as received; empty if there is none. */
  response: Uint8Array;
  /**
   * The size of the response as received, also if it is masked, or if it is a stream that is too long for `response`.
   */
  responseBytes: number;
  /** The file of a streamed response, and whether the file has all of it. */
  responseFile?: Readonly<{ path: string; isWhole: boolean }>;
  logIsCut: boolean;
  /** Whether the request was retried without a log tail because the function does not support one. */
  tailRefused: boolean;
  /** What was received instead of Lambda's response, such as a proxy's page. */
  foreignText?: string;
  /** The error's message without what it quotes of that text. */
  plainMessage?: string;
  failsStep: boolean;
  /** The expectations that are not met, and why. */
  unmet: readonly Checked[];
  /** Why `query` has no value. */
  queryProblem?: string;
  secrets: Secrets;
}>;

/** Whether an invocation was left out because another one failed (`stop_on_failure`). */
export const isHalted = (outcome: Outcome): boolean =>
  outcome.outcome === 'not_invoked' && outcome.error.name === 'StoppedOnFailure';

/** Whether an earlier run succeeded, so that this run did not invoke it again. */
export const isResumedSuccess = (outcome: Outcome): boolean =>
  outcome.resumed === true && outcome.outcome !== 'unknown';

/** Whether the function itself failed, even if the step does not fail because of it. */
export const isFunctionError = (outcome: Outcome): boolean =>
  'function_error' in outcome && outcome.function_error !== undefined;
