import type { RuntimeInvocation } from '../execution-environment.ts';
import type { FunctionVersion } from '../function-definition.ts';
import { functionArn } from '../function-name.ts';
import { ASYNC_PAYLOAD_BYTES, SYNC_PAYLOAD_BYTES } from '../limits.ts';
import type { DurableOperationName } from '../operations.ts';
import type { InvocationRequest, LambdaRequest } from '../request.ts';
import type { ServiceResponse } from '../service-errors.ts';
import {
  checkDurableExecutionArn,
  checkDurableInvocation,
  checkpointDurableExecution,
  type DurableHandler,
  endedResponse,
  getDurableExecution,
  getDurableExecutionHistory,
  getDurableExecutionState,
  startedResponse,
  stopDurableExecution,
} from './api.ts';
import {
  DurableExecutions,
  type DurableExecutionsOptions,
  type StartedDurableExecution,
  startedDurableExecution,
} from './executions.ts';

const HANDLERS: Readonly<Record<DurableOperationName, DurableHandler>> = {
  CheckpointDurableExecution: checkpointDurableExecution,
  GetDurableExecutionState: getDurableExecutionState,
  GetDurableExecution: getDurableExecution,
  GetDurableExecutionHistory: getDurableExecutionHistory,
  StopDurableExecution: stopDurableExecution,
};

/** The account that owns the executions. */
type Account = Readonly<{ region: string; accountId: string }>;

/** The part of the service for durable executions. It is loaded when a request first needs it. */
export class DurablePart {
  readonly #account: Account;
  readonly #executions: DurableExecutions;

  constructor({ region, accountId, ...options }: DurableExecutionsOptions & Account) {
    this.#account = { region, accountId };
    this.#executions = new DurableExecutions(options);
  }

  /** The number of executions whose handler runs or is about to run. */
  get active(): number {
    return this.#executions.active;
  }

  /** Throws the service's error if a durable function can't be invoked in this way. */
  readonly check = checkDurableInvocation;

  /** Starts an execution, or finds the one with this name. A synchronous invocation waits until it ends. */
  async invoke(
    version: FunctionVersion,
    { invocationType, durableExecutionName, tail }: InvocationRequest,
    { payload, ...invocation }: RuntimeInvocation,
  ): Promise<ServiceResponse> {
    const { functionName, definition } = version;
    if (definition.durable === undefined) throw new Error(`${functionName} is not durable.`);
    const isEvent = invocationType === 'Event';
    const execution = this.#executions.start({
      name: durableExecutionName,
      version,
      invocation,
      refuseThrottled: !isEvent,
      start: {
        functionName,
        functionArn: functionArn({ ...this.#account, name: functionName, qualifier: version.version }),
        version: version.version,
        input: payload.toString('utf8'),
        traceId: invocation.traceId,
        configuration: definition.durable,
        resultBytes: isEvent ? ASYNC_PAYLOAD_BYTES : SYNC_PAYLOAD_BYTES,
      },
    });
    if (isEvent) return startedResponse(execution);
    await execution.ended;
    return endedResponse(execution, tail);
  }

  /** Handles a request about an execution. `authorize` throws if IAM denies it. */
  respond(
    operation: DurableOperationName,
    { request, label, authorize }: { request: LambdaRequest; label: string; authorize: () => void },
  ): ServiceResponse {
    checkDurableExecutionArn(label);
    authorize();
    return HANDLERS[operation]({ executions: this.#executions, request, label });
  }

  /** Describes the executions of one function or of all functions, for tests. */
  started(functionName: string | undefined): StartedDurableExecution[] {
    return this.#executions.all
      .filter(({ start }) => functionName === undefined || start.functionName === functionName)
      .map(startedDurableExecution);
  }

  /** Removes all executions. Running ones are not invoked again. */
  forget(): void {
    this.#executions.forget();
  }

  close(): void {
    this.#executions.close();
  }
}
