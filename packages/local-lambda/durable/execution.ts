import { randomBytes, randomUUID } from 'node:crypto';
import type { ErrorObject, ExecutionStatus } from '@aws-sdk/client-lambda';
import type { DurableConfiguration } from '../function-definition.ts';
import type { RunResult } from '../invocation-runner.ts';
import type { LogTail } from '../log.ts';
import { type PageRequest, pageOf } from '../paging.ts';
import { invalidParameterValue } from '../service-errors.ts';
import { Checkpoint, type Ending, type OperationUpdate } from './checkpoint.ts';
import { errorOfInvocation } from './error.ts';
import { readHandlerAnswer, resultProblem } from './handler-answer.ts';
import { DurableHistory } from './history.ts';
import {
  type DurableOperation,
  inMilliseconds,
  inSeconds,
  operationDocument,
  type TimeFormat,
} from './operation.ts';
import { dueAt, fire, isPending } from './timers.ts';

/** What an execution is from its start on. */
export type DurableStart = Readonly<{
  arn: string;
  name: string;
  id: string;
  functionName: string;
  /** Qualified by the version. */
  functionArn: string;
  version: string;
  input: string;
  traceId: string;
  configuration: DurableConfiguration;
  /** Largest result, in bytes: how it was started decides. */
  resultBytes: number;
}>;

/** Runs the handler once; undefined where the server closes meanwhile. */
export type InvokeHandler = (
  invocation: Readonly<{ requestId: string; payload: Buffer }>,
) => Promise<RunResult | undefined>;

type State = Readonly<{ Operations: readonly unknown[]; NextMarker: string }>;
type CheckpointAnswer = Readonly<{ CheckpointToken: string | undefined; NewExecutionState: unknown }>;
type LastCheckpoint = Readonly<{ token: string; clientToken: string; answer: CheckpointAnswer }>;

const END_EVENTS = {
  SUCCEEDED: 'ExecutionSucceeded',
  FAILED: 'ExecutionFailed',
  TIMED_OUT: 'ExecutionTimedOut',
  STOPPED: 'ExecutionStopped',
} as const;

/** What happens within this time, idle() waits for. */
const SOON_MS = 1_000;
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;
/** How many operations an event brings along; the SDK fetches the others. */
const FIRST_PAGE: PageRequest = { maxItems: 100, marker: undefined };

const newToken = (): string => randomBytes(48).toString('base64');

/** One durable execution: invokes the handler, takes its checkpoints, and invokes it again when time has passed. */
export class DurableExecution {
  readonly start: DurableStart;
  readonly history = new DurableHistory();
  readonly startedAt = Date.now();
  /** Resolves when the execution has ended, however it did. */
  readonly ended: Promise<void>;
  ending: Ending | undefined;
  endedAt: number | undefined;
  /** Of the invocation that ended last. */
  log: LogTail | undefined;
  /** How often the handler was invoked. */
  invocations = 0;
  readonly #stopping = new AbortController();
  readonly #invoke: InvokeHandler;
  readonly #retryDelaysMs: readonly number[];
  readonly #onChange: () => void;
  readonly #noticeEnd: () => void;
  readonly #timeoutAt: number;
  readonly #secondMs: number;
  #operations = new Map<string, DurableOperation>();
  /** Ids of operations that have changed since the handler last heard of them. */
  #unseen = new Set<string>();
  /** The one that the next checkpoint has to bring; none while no handler runs. */
  #token: string | undefined;
  #lastCheckpoint: LastCheckpoint | undefined;
  #failures = 0;
  #retryAt = Infinity;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: {
    start: DurableStart;
    invoke: InvokeHandler;
    /** Before an invocation that broke off is tried again; when they are used up, the execution fails. */
    retryDelaysMs: readonly number[];
    /** Called when active may have changed. */
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

  /** Aborted when the execution is stopped from outside. */
  get stopped(): AbortSignal {
    return this.#stopping.signal;
  }

  get status(): ExecutionStatus {
    return this.ending?.status ?? 'RUNNING';
  }

  /** True while a handler runs, or will soon. */
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

  /** Takes a checkpoint of the running handler; throws the ServiceError that the service would answer. */
  checkpoint(options: {
    token: string | undefined;
    clientToken: string | undefined;
    updates: readonly OperationUpdate[];
  }): CheckpointAnswer {
    const { token, clientToken, updates } = options;
    const last = this.#lastCheckpoint;
    if (last !== undefined && last.token === token && last.clientToken === clientToken) return last.answer;
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
    const answer = {
      // The last checkpoint of an execution is answered without one.
      CheckpointToken: this.ending === undefined ? this.#token : undefined,
      NewExecutionState: { Operations: changed.map((operation) => operationDocument(operation, inSeconds)) },
    };
    this.#lastCheckpoint =
      token === undefined || clientToken === undefined ? undefined : { token, clientToken, answer };
    this.#arm();
    return answer;
  }

  /** The operations, as the handler that runs now may ask for them. */
  state(token: string | undefined, page: PageRequest): State {
    this.#checkToken(token);
    return this.#state(page, inSeconds);
  }

  /** Ends the execution, and with it the environment in which its handler runs. */
  stop(error: ErrorObject | undefined): void {
    if (this.ending !== undefined) return;
    this.#end({ status: 'STOPPED', error: error ?? {} });
    this.#stopping.abort();
  }

  /** Ends the execution without a trace in its history: nobody will read it any more. */
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

  /** False for what is below a context that has ended and asks for no replay of its children. */
  #isVisible({ parentId }: DurableOperation): boolean {
    const parent = parentId === undefined ? undefined : this.#operations.get(parentId);
    if (parent?.type !== 'CONTEXT') return true;
    return (parent.endedAt === undefined || parent.replayChildren) && this.#isVisible(parent);
  }

  #wake(requestId: string = randomUUID()): void {
    // What changes while a handler runs has it invoked again when it ends.
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
      broken === undefined ? readHandlerAnswer(result.body, { resultBytes, isWaiting }) : undefined;
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
