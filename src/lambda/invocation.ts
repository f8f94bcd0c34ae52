import type { FunctionReference } from '../shared/arn.ts';

/** Synchronous, asynchronous, or a check of parameters and permission that runs nothing. */
export type InvocationType = 'RequestResponse' | 'Event' | 'DryRun';
/** Whether Lambda returns the log tail. */
export type LogType = 'None' | 'Tail';

/** Format of the event that an HTTP request becomes: an HTTP API or function URL, a REST API, or a load balancer. */
export type HttpEventFormat = '2.0' | '1.0' | 'alb';

/** An event that is not in memory, but read when it is sent. */
export type StoredPayload = Readonly<{
  /** Of the event, in hexadecimal digits. */
  sha256: string;
  /** Rejects if it is not the event that was checked. */
  read: () => Promise<Uint8Array>;
}>;

/** One invocation that was asked for, checked against the Invoke API's model. */
export type Invocation = Readonly<{
  /** Its place in the plan, from 0. */
  index: number;
  /** How the log, the summary and the outcome call it, where the user named it. */
  name?: string;
  /** As the user wrote it: the API accepts names and ARNs. */
  functionName: string;
  reference: FunctionReference;
  qualifier?: string;
  /** Where it is not given, the SDK's own chain finds one. */
  region?: string;
  invocationType: InvocationType;
  logType: LogType;
  /** Whether the user asked for the log; otherwise its tail is read for the figures alone. */
  keepsLog: boolean;
  payload: Uint8Array | StoredPayload;
  /** The request that the payload was made from, as the user wrote it. The response is read by the same format. */
  http?: Readonly<{ format: HttpEventFormat; request: string }>;
  /** Base64 of a JSON document. */
  clientContext?: string;
  tenantId?: string;
  /** Lambda's idempotency key: the same name and payload are one execution of a durable function. */
  durableExecutionName?: string;
  /** JMESPath expressions that its outcome must meet beside the step's. */
  expect?: readonly string[];
  /** Where it has a time limit of its own. */
  timeoutMs?: number;
}>;

/** An invocation with its event at hand. */
export type LoadedInvocation = Omit<Invocation, 'payload'> & Readonly<{ payload: Uint8Array }>;

/** Lambda's response to an invocation that it accepted: status 200, 202 or 204. */
export type InvokeResponse = Readonly<{
  kind: 'response';
  statusCode: number;
  /** Any non-empty value says that the function failed. */
  functionError?: string;
  executedVersion?: string;
  requestId?: string;
  /** Our own ID of the attempt, which Lambda takes for its request ID or replaces. */
  sentAs?: string;
  sentAt?: Date;
  /** Where the function logs, where its log was read for this response. */
  logGroup?: string;
  durableExecutionArn?: string;
  /** The response as received, empty for Event and DryRun; of a durable execution that was followed, the response of that. */
  payload: Uint8Array;
  /** Bytes of a streamed response; where they are more than `payload` has, it was too long to be kept. */
  streamedBytes?: number;
  /** The start of a streamed response that was too long to be kept in memory. */
  streamStart?: Uint8Array;
  /** The log tail, decoded from base64: up to 4,096 bytes, perhaps cut inside a character. */
  logTail?: Uint8Array;
}>;

/** Whether a function ran although there is no response. */
export type ExecutionEvidence = 'did_not_run' | 'may_have_run' | 'ran';

/** What became of a durable execution that was to be stopped. */
export type ExecutionStop = 'stopped' | 'joined' | 'ended before' | 'failed';

/** Why it is not known how an accepted event ended. */
export type WhyUnresolved =
  | 'timeout'
  | 'cancelled'
  | 'unreadable'
  | 'no request ID'
  | 'no platform lines'
  | 'text log'
  | 'expired';

/** What the log shows of an accepted event that was waited for: how many tries have started, and how many of them ended. */
export type UnresolvedEvent = Readonly<{
  why: WhyUnresolved;
  started: number;
  finished: number;
  /** Where the function logs, as far as that was found out. */
  logGroup?: string;
  /** Why the log could not be read. */
  failure?: Readonly<{ name: string; message: string }>;
}>;

/** An invocation without a response: refused, never connected, or lost on the way. */
export type InvokeFailure = Readonly<{
  kind: 'failure';
  /** The error's name in the API's model, Node's error code, one of ours, or `HTTP 502`. Never foreign text. */
  name: string;
  message: string;
  evidence: ExecutionEvidence;
  /** Whether a retry may help, as far as the failure itself shows. */
  mayClear: boolean;
  /** Too much at once for Lambda or for this machine: fewer concurrent invocations would succeed. */
  isOverload?: boolean;
  /** Waiting for capacity does not help: it clears within seconds or not at all. */
  clearsSoonOrNever?: boolean;
  statusCode?: number;
  requestId?: string;
  /** Our own ID of the attempt; absent if nothing was sent. */
  sentAs?: string;
  /** Why it was throttled, in Lambda's word. */
  reason?: string;
  retryAfterSeconds?: number;
  /** What was received instead of Lambda's response, for example the start of a proxy's page. */
  foreignText?: string;
  throughProxy: boolean;
  /** Bytes of a streamed response that were received. */
  streamedBytes?: number;
  /** The durable execution that was started nevertheless. */
  durableExecutionArn?: string;
  /** With `on_cancel: stop`, what became of it. */
  executionStop?: ExecutionStop;
  /** When the request began to leave this machine; absent if it never did. */
  sentAt?: Date;
  /** What an earlier run calls the invocation in the journal, where its outcome is not known since. */
  journalKey?: string;
  /** Of an accepted event that was waited for. */
  event?: UnresolvedEvent;
}>;

/** An attempt whose request was sent. If it ran, the function's log has it under the response's request ID or ours. */
export type SentAttempt = Readonly<{
  sentAt: Date;
  /** Our own ID; absent if the endpoint refuses one. */
  sentAs?: string;
  /** The ID of the response. The same as ours, it may have been reflected by a proxy. */
  requestId?: string;
  mayHaveRun: boolean;
}>;

/** A run of an attempt that the function's log shows. Without a report its end is not in the log. */
export type LoggedRun = Readonly<{
  requestId: string;
  report?: Readonly<{ durationMs?: number; status?: string; errorType?: string }>;
}>;

/** What the function's log shows of an invocation that may have run. What is not in a log proves nothing. */
export type LogEvidence = Readonly<{
  logGroup: string;
  /** In the order of the attempts. */
  runs: readonly LoggedRun[];
  /** The name of the error, where the log could not be read. */
  unreadable?: string;
}>;

/** How an invocation ended, all attempts included. */
export type InvocationResult = Readonly<{
  invocation: Invocation;
  result: InvokeResponse | InvokeFailure;
  /** Region it was sent to; absent if none was found. */
  region?: string;
  startedAt: Date;
  elapsedMs: number;
  /** How many attempts were made, whether or not the request was sent. */
  attempts: number;
  /** The attempts whose request was sent, in that order. */
  sent: readonly SentAttempt[];
  /** Where the function logs, where its configuration was read. */
  logGroup?: string;
  /** What its log shows, where there is no response and the log was looked into. */
  inLog?: LogEvidence;
  /** Whether the log tail was left out because the function does not support one. */
  tailRefused: boolean;
  /** Whether an earlier run sent it, and this one did not. */
  resumed?: true;
}>;
