import type { FunctionReference } from '../shared/arn.ts';

/** Synchronous, asynchronous, or a check of parameters and permission that does not run the function. */
export type InvocationType = 'RequestResponse' | 'Event' | 'DryRun';
/** Whether Lambda returns the log tail. */
export type LogType = 'None' | 'Tail';

/** Format of the event that an HTTP request becomes: an HTTP API or function URL, a REST API, or a load balancer. */
export type HttpEventFormat = '2.0' | '1.0' | 'alb';

/** An event that is not kept in memory but read when it is sent. */
export type StoredPayload = Readonly<{
  /** The hash of the event, in hexadecimal digits. */
  sha256: string;
  /** Reads the event. Rejects if it has changed since it was checked. */
  read: () => Promise<Uint8Array>;
}>;

/** One invocation, checked against the Invoke API's model. */
export type Invocation = Readonly<{
  /** Its place in the plan, from 0. */
  index: number;
  /** The user's name for it, which the log, the summary and the outcome show. */
  name?: string;
  /** A name or an ARN, as the user wrote it. The API accepts both. */
  functionName: string;
  reference: FunctionReference;
  qualifier?: string;
  /** If absent, the SDK's own chain finds the region. */
  region?: string;
  invocationType: InvocationType;
  logType: LogType;
  /** Whether the user requested the log. Otherwise the log tail is only read for its figures. */
  keepsLog: boolean;
  payload: Uint8Array | StoredPayload;
  /**
   * The HTTP request that the payload was made from, as the user wrote it, and the format that the response has too.
   */
  http?: Readonly<{ format: HttpEventFormat; request: string }>;
  /** Base64 of a JSON document. */
  clientContext?: string;
  tenantId?: string;
  /** Lambda's idempotency key: invocations with the same name and payload share one execution of a durable function. */
  durableExecutionName?: string;
  /** JMESPath expressions that its outcome must meet in addition to the step's. */
  expect?: readonly string[];
  /** Its own time limit, if it has one. */
  timeoutMs?: number;
}>;

/** The fields that many invocations have in common: all but the event, the index and the name. */
export type InvocationKind = Omit<Invocation, 'index' | 'payload' | 'name'>;

/** Invocations in order. A list may create each invocation when it is iterated over. */
export type Invocations<Listed extends InvocationKind = Invocation> = Iterable<Listed> &
  Readonly<{
    length: number;
    some: (isMeant: (kind: InvocationKind) => boolean) => boolean;
    every: (isMeant: (kind: InvocationKind) => boolean) => boolean;
    /** The first that matches. */
    find: (isMeant: (kind: InvocationKind) => boolean) => InvocationKind | undefined;
  }>;

/** An invocation with its event in memory. */
export type LoadedInvocation = Omit<Invocation, 'payload'> & Readonly<{ payload: Uint8Array }>;

/** Lambda's response to an invocation that it accepted: status 200, 202 or 204. */
export type InvokeResponse = Readonly<{
  kind: 'response';
  statusCode: number;
  /** Any non-empty value means that the function failed. */
  functionError?: string;
  executedVersion?: string;
  requestId?: string;
  /** Our own ID of the attempt, which Lambda uses as its request ID or replaces. */
  sentAs?: string;
  sentAt?: Date;
  /** The log group, if the log was read for this response. */
  logGroup?: string;
  durableExecutionArn?: string;
  /** The response as received, empty for Event and DryRun; or the response of a durable execution that was followed. */
  payload: Uint8Array;
  /** The length of a streamed response. If `payload` is shorter, the response was too long for memory. */
  streamedBytes?: number;
  /** The start of a streamed response that was too long for memory. */
  streamStart?: Uint8Array;
  /** The log tail, decoded from base64: up to 4,096 bytes, possibly cut inside a character. */
  logTail?: Uint8Array;
}>;

/** Whether a function ran although there is no response. */
export type ExecutionEvidence = 'did_not_run' | 'may_have_run' | 'ran';

/** What happened to a durable execution that was to be stopped. */
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

/** What the log shows about an accepted event: how many tries have started, and how many of them have ended. */
export type UnresolvedEvent = Readonly<{
  why: WhyUnresolved;
  started: number;
  finished: number;
  /** The log group, if it was found. */
  logGroup?: string;
  /** Why the log could not be read. */
  failure?: Readonly<{ name: string; message: string }>;
}>;

/** An invocation without a response: it was refused, could not connect, or its response was lost. */
export type InvokeFailure = Readonly<{
  kind: 'failure';
  /**
   * The name of the error in the API's model, an error code of Node.js, one of our names, or `HTTP 502`. Never foreign
   * text.
   */
  name: string;
  message: string;
  evidence: ExecutionEvidence;
  /** Whether a retry may help, judging by this failure alone. */
  mayClear: boolean;
  /** Whether Lambda or this machine is overloaded, so that fewer concurrent invocations would succeed. */
  isOverload?: boolean;
  /** Whether the failure clears within seconds or not at all, so that waiting for capacity does not help. */
  clearsSoonOrNever?: boolean;
  statusCode?: number;
  requestId?: string;
  /** Our own ID of the attempt; absent if nothing was sent. */
  sentAs?: string;
  /** Lambda's reason for throttling it. */
  reason?: string;
  retryAfterSeconds?: number;
  /** What was received instead of Lambda's response, for example the start of a proxy's page. */
  foreignText?: string;
  throughProxy: boolean;
  /** The number of bytes of a streamed response that were received. */
  streamedBytes?: number;
  /** The durable execution that was started despite the failure. */
  durableExecutionArn?: string;
  /** With `on_cancel: stop`, what happened to it. */
  executionStop?: ExecutionStop;
  /** When the request was sent; absent if nothing of it has left this machine. */
  sentAt?: Date;
  /** The invocation's key in the journal, if an earlier run sent it and its outcome is not known. */
  journalKey?: string;
  /** What the log shows about an accepted event, if the step waited for its end. */
  event?: UnresolvedEvent;
}>;

/** An attempt whose request was sent. If it ran, the function's log has it under the response's request ID or ours. */
export type SentAttempt = Readonly<{
  sentAt: Date;
  /** Our own ID; absent if the endpoint refuses one. */
  sentAs?: string;
  /** The ID in the response. If it is the same as ours, a proxy may have reflected it. */
  requestId?: string;
  mayHaveRun: boolean;
}>;

/** A run of an attempt that the function's log shows. Without a report, its end is not in the log. */
export type LoggedRun = Readonly<{
  requestId: string;
  report?: Readonly<{ durationMs?: number; status?: string; errorType?: string }>;
}>;

/**
 * What the function's log shows about an invocation that may have run. If something is missing, that proves nothing.
 */
export type LogEvidence = Readonly<{
  logGroup: string;
  /** The runs, in the order of the attempts. */
  runs: readonly LoggedRun[];
  /** The name of the error, if the log could not be read. */
  unreadable?: string;
}>;

/** How an invocation ended, including all attempts. */
export type InvocationResult = Readonly<{
  invocation: Invocation;
  result: InvokeResponse | InvokeFailure;
  /** The region that it was sent to; absent if no region was found. */
  region?: string;
  startedAt: Date;
  elapsedMs: number;
  /** The number of attempts, including those that sent nothing. */
  attempts: number;
  /** The attempts whose request was sent, in that order. */
  sent: readonly SentAttempt[];
  /** The log group, if the function's configuration was read. */
  logGroup?: string;
  /** What the log shows, if there is no response and the log was read. */
  inLog?: LogEvidence;
  /** Whether the request was retried without a log tail because the function does not support one. */
  tailRefused: boolean;
  /** Whether an earlier run sent it and this run did not. */
  resumed?: true;
}>;
