import type { InvocationType } from '../lambda/invocation.ts';
import type { Checked, Expectation } from './expectations.ts';
import type { Ran } from './logged-runs.ts';

/** Fields of every outcome, in the spelling of the public document. */
type InvocationFields = Readonly<{
  /** Place in the list of all shards, from 0, as in JSON. What a person reads counts entries from 1. */
  index: number;
  /** The entry's own name. */
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

/** What a client of an API gets. Names of headers are in lower case, and only set-cookie is a list. */
export type HttpResponse = Readonly<{
  status: number;
  headers: Readonly<Record<string, string | readonly string[]>>;
  /** Decoded from base64, and parsed where it is JSON; base64 where it is not text; absent for a stream of over 6 MB. */
  body?: unknown;
}>;

type ResponseFields = Figures &
  Readonly<{
    status_code: number;
    executed_version?: string;
    request_id?: string;
    /** The CloudWatch console's page with its log events, where something ran. */
    log_url?: string;
    durable_execution_arn?: string;
    /** The response, parsed; the raw text where it is not JSON; absent for Event, DryRun and a stream of over 6 MB. */
    response?: unknown;
    /** The response as an API reads it, where the payload was made from an HTTP request. */
    http?: HttpResponse;
    /** The log tail, decoded. */
    log_result?: string;
  }>;

/** Why there is no response, and what to do about it. */
export type InvocationError = Readonly<{ name: string; message: string; advice: string }>;

type FailureFields = Readonly<{
  /** What is known, from the function's log too where it was looked into. */
  ran: Ran;
  /** Of a run that the log shows the end of. */
  duration_ms?: number;
  /** Lambda's ID, or ours where the request was sent and no response has another. */
  request_id?: string;
  /** The page with the log events of that ID, where something may have run. */
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

/** Why masks can't hide what they are for, so that nothing that the function wrote may be shown. */
export type WithheldReason =
  | 'mask_failed'
  | 'mask_found_nothing'
  | 'not_json'
  | 'too_many_secrets'
  | 'inexact_number';

/** Texts that must not be shown; with a reason where not all of them are known. */
export type Secrets = Readonly<{ texts: readonly string[]; withheld?: WithheldReason }>;

/** An outcome, with what the document leaves out. Nothing in it is masked. */
export type Evaluation = Readonly<{
  /** The function with what tells the entry apart, and among several the entry's number from 1. */
  label: string;
  outcome: Outcome;
  /** The response as received; empty if there is none. */
  response: Uint8Array;
  /** Its size as received, whatever is masked in it; of a stream also where `response` is empty because it was too long. */
  responseBytes: number;
  /** Where a streamed response is kept, and whether all of it. */
  responseFile?: Readonly<{ path: string; isWhole: boolean }>;
  logIsCut: boolean;
  /** Whether the function does not support a log tail, so that the request was retried without `log_type`. */
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

/** Whether an earlier run did what was asked for, so that this one did not. */
export const isTakenOver = (outcome: Outcome): boolean =>
  outcome.resumed === true && outcome.outcome !== 'unknown';

/** Whether the function itself failed, whether or not the step fails for it. */
export const isFunctionError = (outcome: Outcome): boolean =>
  'function_error' in outcome && outcome.function_error !== undefined;
