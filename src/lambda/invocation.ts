import type { FunctionReference } from '../shared/arn.ts';

/** Synchronous, asynchronous, or a check of parameters and permission that runs nothing. */
export type InvocationType = 'RequestResponse' | 'Event' | 'DryRun';
/** Whether Lambda returns the log tail. */
export type LogType = 'None' | 'Tail';

/** An event that is not held, but read when it is sent. */
export type StoredPayload = Readonly<{
  /** Of the event, in hexadecimal digits. */
  sha256: string;
  /** Rejects where it is not the event that was checked. */
  read: () => Promise<Uint8Array>;
}>;

/** One invocation that was asked for, checked against the Invoke API's model. */
export type Invocation = Readonly<{
  /** Its place in the plan, from 0. */
  index: number;
  /** How the log, the summary and the outcome call it, where the user named it. */
  name?: string;
  /** As the user wrote it; the API takes names and ARNs alike. */
  functionName: string;
  reference: FunctionReference;
  qualifier?: string;
  /** Where it is not given, the SDK's own chain finds one. */
  region?: string;
  invocationType: InvocationType;
  logType: LogType;
  /** Whether the log is the user's wish; else its tail is read for the figures alone. */
  keepsLog: boolean;
  payload: Uint8Array | StoredPayload;
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
  kind: 'answer';
  statusCode: number;
  /** Any non-empty value says that the function failed. */
  functionError?: string;
  executedVersion?: string;
  requestId?: string;
  durableExecutionArn?: string;
  /** The response as received, empty for Event and DryRun; of a durable execution that was followed, its result. */
  payload: Uint8Array;
  /** Bytes of a streamed response; where they are more than `payload` has, it was too long to be held. */
  streamedBytes?: number;
  /** The log tail, decoded from base64: up to 4,096 bytes, perhaps cut inside a character. */
  logTail?: Uint8Array;
}>;

/** Whether a function ran although there is no response. */
export type ExecutionEvidence = 'did_not_run' | 'may_have_run' | 'ran';

/** An invocation without a response: refused, never connected, or lost on the way. */
export type InvokeFailure = Readonly<{
  kind: 'failure';
  /** The error's name in the API's model, Node's error code, one of ours, or `HTTP 502`. Never foreign text. */
  name: string;
  message: string;
  evidence: ExecutionEvidence;
  /** Whether a retry may help, as far as the failure itself shows. */
  mayClear: boolean;
  /** Too much at once, for Lambda or for this machine: fewer concurrent invocations get through. */
  isOverload?: boolean;
  /** Waiting for capacity does not help: it clears within seconds or not at all. */
  clearsSoonOrNever?: boolean;
  statusCode?: number;
  requestId?: string;
  /** Why it was throttled, in Lambda's word. */
  reason?: string;
  retryAfterSeconds?: number;
  /** What was received in place of Lambda's response: the start of a proxy's page, for example. */
  foreignText?: string;
  throughProxy: boolean;
  /** Bytes of a streamed response that had arrived. */
  streamedBytes?: number;
  /** The durable execution that was started all the same. */
  durableExecutionArn?: string;
  /** When the request began to leave this machine; absent where it never did. */
  sentAt?: Date;
  /** What an earlier run calls the invocation in the journal, where its outcome is not known since. */
  journalKey?: string;
}>;

/** How an invocation ended, all attempts included. */
export type InvocationResult = Readonly<{
  invocation: Invocation;
  result: InvokeResponse | InvokeFailure;
  /** Region it was sent to; absent where none was found. */
  region?: string;
  startedAt: Date;
  elapsedMs: number;
  /** How many attempts were made, whether or not the request was sent. */
  attempts: number;
  /** Whether the log tail was left out because the function does not support one. */
  tailRefused: boolean;
  /** Whether an earlier run sent it, and this one did not. */
  resumed?: true;
}>;
