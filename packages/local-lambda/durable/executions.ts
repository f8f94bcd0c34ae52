import { randomUUID } from 'node:crypto';
import type { ExecutionStatus } from '@aws-sdk/client-lambda';
import type { Capacity } from '../capacity.ts';
import type { RuntimeInvocation } from '../execution-environment.ts';
import type { FunctionVersion } from '../function-definition.ts';
import type { RunResult } from '../invocation-runner.ts';
import { durableExecutionAlreadyStarted, resourceNotFound, tooManyRequests } from '../service-errors.ts';
import { DurableExecution, type DurableStart } from './execution.ts';

/** A durable execution as tests see it. */
export type StartedDurableExecution = Readonly<{
  arn: string;
  name: string;
  functionName: string;
  version: string;
  status: ExecutionStatus;
  /** Milliseconds since 1970. */
  startedAt: number;
  endedAt: number | undefined;
  /** The number of handler invocations: one at the start, and one after each suspension. */
  invocations: number;
}>;

/** Describes an execution for tests. */
export function startedDurableExecution(execution: DurableExecution): StartedDurableExecution {
  const { start, status, startedAt, endedAt, invocations } = execution;
  const { arn, name, functionName, version } = start;
  return { arn, name, functionName, version, status, startedAt, endedAt, invocations };
}

type FindVersion = (functionName: string, version: string) => FunctionVersion | undefined;
/** Runs a handler once. Its environment ends when the signal is aborted. */
type Run = (
  version: FunctionVersion,
  invocation: RuntimeInvocation,
  signal: AbortSignal,
) => Promise<RunResult>;

/** The parts of the service that durable executions need. */
export type DurableExecutionsOptions = Readonly<{
  capacity: Capacity;
  retryDelaysMs: readonly number[];
  findVersion: FindVersion;
  run: Run;
  /** The endpoint at which a handler can reach this server. */
  url: () => string | undefined;
  /** Called when `active` may have changed. */
  onChange: () => void;
}>;

/** The durable executions of all functions, from their start until the server is reset. */
export class DurableExecutions {
  readonly #capacity: Capacity;
  readonly #retryDelaysMs: readonly number[];
  readonly #findVersion: FindVersion;
  readonly #run: Run;
  readonly #url: () => string | undefined;
  readonly #onChange: () => void;
  #all: DurableExecution[] = [];
  readonly #waitingForCapacity = new Set<DurableExecution>();
  #closing = false;

  constructor(options: DurableExecutionsOptions) {
    this.#capacity = options.capacity;
    this.#retryDelaysMs = options.retryDelaysMs;
    this.#findVersion = options.findVersion;
    this.#run = options.run;
    this.#url = options.url;
    this.#onChange = options.onChange;
  }

  /** Oldest first. */
  get all(): readonly DurableExecution[] {
    return this.#all;
  }

  /** The number of executions whose handler runs or is about to run. */
  get active(): number {
    return this.#all.filter((execution) => execution.active && !this.#waitingForCapacity.has(execution))
      .length;
  }

  /** Starts an execution, or finds the existing one with this name, in any version of this function. */
  start(options: {
    start: Omit<DurableStart, 'arn' | 'id' | 'name'>;
    name: string | undefined;
    version: FunctionVersion;
    invocation: Omit<RuntimeInvocation, 'payload'>;
    /** Whether to reject the start if there is no capacity for it. */
    refuseThrottled: boolean;
  }): DurableExecution {
    const { start, name = randomUUID(), version, invocation, refuseThrottled } = options;
    const existing = this.#all.find(
      (execution) => execution.start.functionName === start.functionName && execution.start.name === name,
    );
    if (existing !== undefined) {
      const isSame = existing.start.version === start.version && existing.start.input === start.input;
      if (!isSame) throw durableExecutionAlreadyStarted(existing.start.arn);
      return existing;
    }
    const { reservedConcurrency } = version.definition;
    const throttled = this.#capacity.refusal(start.functionName, reservedConcurrency);
    if (throttled !== undefined && refuseThrottled) throw tooManyRequests(throttled);
    const id = randomUUID();
    const execution: DurableExecution = new DurableExecution({
      start: { ...start, id, name, arn: `${start.functionArn}/durable-execution/${name}/${id}` },
      invoke: (own) => this.#invoke(execution, version, { ...invocation, ...own }),
      retryDelaysMs: this.#retryDelaysMs,
      onChange: this.#onChange,
    });
    this.#all.push(execution);
    execution.begin(invocation.requestId);
    return execution;
  }

  /** Throws the ServiceError that the service would return if the execution does not exist. */
  find(arn: string): DurableExecution {
    const execution = this.#all.find(({ start }) => start.arn === arn);
    if (execution === undefined) throw resourceNotFound('Durable Execution does not exist');
    return execution;
  }

  /** Removes all executions. Running ones are not invoked again. */
  forget(): void {
    for (const execution of this.#all) execution.abandon();
    this.#all = [];
    this.#onChange();
  }

  close(): void {
    this.#closing = true;
    this.forget();
  }

  /** Runs the handler once, as soon as there is capacity. */
  async #invoke(
    execution: DurableExecution,
    startedWith: FunctionVersion,
    invocation: RuntimeInvocation,
  ): Promise<RunResult | undefined> {
    const { functionName } = execution.start;
    while (!this.#closing && execution.ending === undefined) {
      const version = this.#findVersion(functionName, startedWith.version) ?? startedWith;
      if (this.#capacity.acquire(functionName, version.definition.reservedConcurrency) === undefined) {
        execution.invocations += 1;
        try {
          return await this.#run(this.#withEnvironment(version), invocation, execution.stopped);
        } finally {
          this.#capacity.release(functionName);
        }
      }
      this.#waitingForCapacity.add(execution);
      this.#onChange();
      await this.#capacity.released();
      this.#waitingForCapacity.delete(execution);
    }
    return undefined;
  }

  /** Adds the variables that AWS's SDK needs in the handler's process to find this server. */
  #withEnvironment(version: FunctionVersion): FunctionVersion {
    const { definition } = version;
    const environment = {
      AWS_ENDPOINT_URL_LAMBDA: this.#url() ?? '',
      AWS_ACCESS_KEY_ID: 'AKIALOCALLAMBDA00000',
      AWS_SECRET_ACCESS_KEY: 'not-checked-here',
      ...definition.environment,
    };
    return { ...version, definition: { ...definition, environment } };
  }
}
