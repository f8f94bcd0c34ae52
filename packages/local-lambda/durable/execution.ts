import { randomBytes, randomUUID } from 'node:crypto';
import type { ErrorObject, ExecutionStatus } from '@aws-sdk/client-lambda';
import type { DurableConfiguration } from '../function-definition.ts';
import type { RunResult } from '../invocation-runner.ts';
import type { LogTail } from '../log.ts';
import { type PageRequest, pageOf } from '../paging.ts';
import { invalidParameterValue } from '../service-errors.ts';
import { Checkpoint, type Ending, type OperationUpdate } from './checkpoint.ts';
import { errorOfInvocation } from './error.ts';
import { readHandlerOutput, resultProblem } from './handler-output.ts';
import { DurableHistory } from './history.ts';
import {
  type DurableOperation,
  inMilliseconds,
  inSeconds,
  operationDocument,
  type TimeFormat,
} from './operation.ts';
import { dueAt, fire, isPending } from './timers.ts';

/** The properties of an execution that are fixed at its start. */
export type DurableStart = Readonly<{
  arn: string;
  name: string;
  id: string;
  functionName: string;
  /** Qualified with the version. */
  functionArn: string;
  version: string;
  input: string;
  traceId: string;
  configuration: DurableConfiguration;
  /** The largest return value, in bytes. It depends on the invocation type. */
  resultBytes: number;
}>;

/** Runs the handler once. Undefined if the server closes in the meantime. */
export type InvokeHandler = (
  invocation: Readonly<{ requestId: string; payload: Buffer }>,
) => Promise<RunResult | undefined>;

type State = Readonly<{ Operations: readonly unknown[]; NextMarker: string }>;
type CheckpointResponse = Readonly<{ CheckpointToken: string | undefined; NewExecutionState: unknown }>;
type LastCheckpoint = Readonly<{ token: string; clientToken: string; response: CheckpointResponse }>;

const END_EVENTS = {
  SUCCEEDED: 'ExecutionSucceeded',
  FAILED: 'ExecutionFailed',
  TIMED_OUT: 'ExecutionTimedOut',
  STOPPED: 'ExecutionStopped',
} as const;

/** idle() waits for anything that is due within this time. */
const SOON_MS = 1_000;
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;
/** The number of operations in an event. The SDK fetches the others. */
const FIRST_PAGE: PageRequest = { maxItems: 100, marker: undefined };

const newToken = (): string => randomBytes(48).toString('base64');

/** A durable execution: invokes the handler, applies its checkpoints, and invokes it again when a timer is due. */
export class DurableExecution {
  readonly start: DurableStart;
  readonly history = new DurableHistory();
  readonly startedAt = Date.now();
  /** Resolves when the execution has ended in any way. */
  readonly ended: Promise<void>;
  ending: Ending | undefined;
  endedAt: number | undefined;
  /** The log tail of the last completed invocation. */
  log: LogTail | undefined;
  /** The number of times that the handler was invoked. */
  invocations = 0;
  readonly #stopping = new AbortController();
  readonly #invoke: InvokeHandler;
  readonly #retryDelaysMs: readonly number[];
  readonly #onChange: () => void;
  readonly #noticeEnd: () => void;
  readonly #timeoutAt: number;
  readonly #secondMs: number;
  #operations = new Map<string, DurableOperation>();
  /** The IDs of operations that have changed since the handler last received them. */
  #unseen = new Set<string>();
  /** The token that the next checkpoint must contain. Undefined while no handler runs. */
  #token: string | undefined;
  #lastCheckpoint: LastCheckpoint | undefined;
  #failures = 0;
  #retryAt = Infinity;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: {
    start: DurableStart;
    invoke: InvokeHandler;
    /** The delays before a failed invocation is retried. After the last one, the execution fails. */
    retryDelaysMs: readonly number[];
    /** Called when `active` may have changed. */
    onChange: () => void;
  }) {
    const { executionTimeoutSeconds, timeScale = 1 } = options.start.configuration;
    this.start = options.start;
    this.#invoke = options.invoke;
    this.#retryDelaysMs = options.retryDelaysMs;
    this.#onChange = options.onChange;
    this.#timeoutAt = this.startedAt + executionTimeoutSeconds * 1000;
    this.#secondMs = timeScale * 1000;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#noticeEnd = resolve;
  }

  /** Aborted when the execution is stopped by a request. */
  get stopped(): AbortSignal {
    return this.#stopping.signal;
  }

  get status(): ExecutionStatus {
    return this.ending?.status ?? 'RUNNING';
  }

  /** True while a handler runs or is about to run. */
  get active(): boolean {
    if (this.ending !== undefined) return false;
    return this.#token !== undefined || this.#nextDueAt() - Date.now() <= SOON_MS;
  }

  /** Invokes the handler for the first time. */
  begin(requestId: string): void {
    const { id, name, input, configuration } = this.start;
    const operation: DurableOperation = {
      id,
      type: 'EXECUTION',
      name,
      parentId: undefined,
      subType: undefined,
      status: 'STARTED',
      startedAt: this.startedAt,
      endedAt: undefined,
      input,
    };
    this.#set(operation);
    this.history.add(
      {
        type: 'ExecutionStarted',
        operation,
        details: { ExecutionTimeout: configuration.executionTimeoutSeconds },
        data: { member: 'Input', payload: input },
      },
      this.startedAt,
    );
    this.#wake(requestId);
  }

  /** Applies a checkpoint of the running handler. Throws the ServiceError that the service would return. */
  checkpoint(options: {
    token: string | undefined;
    clientToken: string | undefined;
    updates: readonly OperationUpdate[];
  }): CheckpointResponse {
    const { token, clientToken, updates } = options;
    const last = this.#lastCheckpoint;
    if (last !== undefined && last.token === token && last.clientToken === clientToken) return last.response;
    this.#checkToken(token);
    const now = Date.now();
    const checkpoint = new Checkpoint({ operations: this.#operations, now, secondMs: this.#secondMs });
    for (const update of updates) checkpoint.apply(update);
    const problem = resultProblem(checkpoint.ending?.result, this.start.resultBytes);
    if (problem !== undefined) throw invalidParameterValue(problem);
    this.#operations = checkpoint.operations;
    for (const event of checkpoint.events) this.history.add(event, now);
    for (const id of checkpoint.changed) this.#unseen.add(id);
    if (checkpoint.ending === undefined) this.#fireDue(now);
    else this.#end(checkpoint.ending);
    const changed = [...this.#operations.values()].filter(({ id }) => this.#unseen.has(id));
    this.#unseen.clear();
    if (this.ending === undefined) this.#token = newToken();
    const response = {
      // The response to the last checkpoint of an execution has no token.
      CheckpointToken: this.ending === undefined ? this.#token : undefined,
      NewExecutionState: { Operations: changed.map((operation) => operationDocument(operation, inSeconds)) },
    };
    this.#lastCheckpoint =
      token === undefined || clientToken === undefined ? undefined : { token, clientToken, response };
    this.#arm();
    return response;
  }

  /** The operations, for a GetDurableExecutionState request from the running handler. */
  state(token: string | undefined, page: PageRequest): State {
    this.#checkToken(token);
    return this.#state(page, inSeconds);
  }

  /** Ends the execution and the environment of its handler. */
  stop(error: ErrorObject | undefined): void {
    if (this.ending !== undefined) return;
    this.#end({ status: 'STOPPED', error: error ?? {} });
    this.#stopping.abort();
  }

  /** Ends the execution without an event in its history, because nothing will read it. */
  abandon(): void {
    this.ending ??= { status: 'STOPPED', error: {} };
    clearTimeout(this.#timer);
    this.#noticeEnd();
  }

  #checkToken(token: string | undefined): void {
    if (this.ending === undefined && this.#token !== undefined && this.#token === token) return;
    throw invalidParameterValue('Invalid checkpoint token');
  }

  #set(operation: DurableOperation): void {
    this.#operations.set(operation.id, operation);
    this.#unseen.add(operation.id);
  }

  #state(page: PageRequest, format: TimeFormat): State {
    const visible = [...this.#operations.values()].filter((operation) => this.#isVisible(operation));
    const { items, nextMarker = '' } = pageOf(visible, page, ({ id }) => id);
    return {
      Operations: items.map((operation) => operationDocument(operation, format)),
      NextMarker: nextMarker,
    };
  }

  /** False for operations below an ended context that does not need a replay of its children. */
  #isVisible({ parentId }: DurableOperation): boolean {
    const parent = parentId === undefined ? undefined : this.#operations.get(parentId);
    if (parent?.type !== 'CONTEXT') return true;
    return (parent.endedAt === undefined || parent.replayChildren) && this.#isVisible(parent);
  }

  #wake(requestId: string = randomUUID()): void {
    // A change during a handler's run causes another invocation when the run ends.
    if (this.ending === undefined && this.#token === undefined) void this.#invokeOnce(requestId);
    this.#arm();
  }

  async #invokeOnce(requestId: string): Promise<void> {
    this.#token = newToken();
    this.#retryAt = Infinity;
    const event = {
      DurableExecutionArn: this.start.arn,
      CheckpointToken: this.#token,
      InitialExecutionState: this.#state(FIRST_PAGE, inMilliseconds),
      UpdatedOperationIds: [...this.#unseen],
    };
    this.#unseen.clear();
    const startedAt = Date.now();
    const result = await this.#invoke({ requestId, payload: Buffer.from(JSON.stringify(event)) });
    this.#token = undefined;
    this.#lastCheckpoint = undefined;
    if (result !== undefined) this.#settle(result, { requestId, startedAt });
    this.#onChange();
  }

  #settle(result: RunResult, { requestId, startedAt }: { requestId: string; startedAt: number }): void {
    const now = Date.now();
    this.log = result.log;
    const broken = result.functionError ? errorOfInvocation(result.body) : undefined;
    const isWaiting = this.#unseen.size > 0 || [...this.#operations.values()].some(isPending);
    const { resultBytes } = this.start;
    const ending =
      broken === undefined ? readHandlerOutput(result.body, { resultBytes, isWaiting }) : undefined;
    const error = broken ?? ending?.error;
    this.history.add(
      {
        type: 'InvocationCompleted',
        operation: undefined,
        details: {
          StartTimestamp: inSeconds(startedAt),
          EndTimestamp: inSeconds(now),
          RequestId: requestId,
        },
        ...(error === undefined ? {} : { data: { member: 'Error', payload: error } }),
      },
      now,
    );
    if (this.ending !== undefined) return;
    if (ending !== undefined) {
      this.#end(ending);
      return;
    }
    const delayMs = broken === undefined ? 0 : this.#retryDelaysMs[this.#failures];
    this.#failures = broken === undefined ? 0 : this.#failures + 1;
    if (delayMs === undefined) this.#end({ status: 'FAILED', error: broken });
    else if (broken !== undefined) this.#retryAt = now + delayMs;
    else if (this.#unseen.size > 0) this.#wake();
    this.#arm();
  }

  #end(ending: Ending): void {
    const now = Date.now();
    this.ending = ending;
    this.endedAt = now;
    clearTimeout(this.#timer);
    const operation = this.#operations.get(this.start.id);
    if (operation === undefined) throw new Error(`${this.start.arn} has not begun.`);
    const ended = { ...operation, status: ending.status, endedAt: now } as const;
    this.#set(ended);
    const { status, result, error } = ending;
    this.history.add(
      {
        type: END_EVENTS[status],
        operation: ended,
        ...(status === 'SUCCEEDED' ? { data: { member: 'Result', payload: result } } : {}),
        ...(status === 'FAILED' || status === 'STOPPED' ? { data: { member: 'Error', payload: error } } : {}),
      },
      now,
    );
    this.#noticeEnd();
    this.#onChange();
  }

  #nextDueAt(): number {
    return Math.min(this.#timeoutAt, this.#retryAt, ...[...this.#operations.values()].map(dueAt));
  }

  #arm(): void {
    clearTimeout(this.#timer);
    if (this.ending !== undefined) return;
    const delayMs = Math.max(this.#nextDueAt() - Date.now(), 0);
    this.#timer = setTimeout(() => this.#tick(), Math.min(delayMs, LONGEST_TIMEOUT_MS));
  }

  #tick(): void {
    const now = Date.now();
    if (this.#timeoutAt <= now) {
      const seconds = this.start.configuration.executionTimeoutSeconds;
      const error = { ErrorMessage: `Execution timed out after ${seconds} seconds.` };
      this.#end({ status: 'TIMED_OUT', error });
      return;
    }
    const fired = this.#fireDue(now);
    if (fired || this.#retryAt <= now) this.#wake();
    else this.#arm();
  }

  #fireDue(now: number): boolean {
    const due = [...this.#operations.values()].filter((operation) => dueAt(operation) <= now);
    for (const operation of due) {
      const fired = fire(operation, now);
      this.#set(fired.operation);
      if (fired.event !== undefined) this.history.add(fired.event, now);
    }
    return due.length > 0;
  }
}
