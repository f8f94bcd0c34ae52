import type { RuntimeInvocation } from '../execution-environment.ts';
import type { FunctionVersion } from '../function-definition.ts';
import { functionArn } from '../function-name.ts';
import { ASYNC_PAYLOAD_BYTES, SYNC_PAYLOAD_BYTES } from '../limits.ts';
import type { DurableOperationName } from '../operations.ts';
import type { InvocationRequest, LambdaRequest } from '../request.ts';
import type { Answer } from '../service-errors.ts';
import {
  checkDurableExecutionArn,
  checkDurableInvocation,
  checkpointDurableExecution,
  type DurableHandler,
  endedAnswer,
  getDurableExecution,
  getDurableExecutionHistory,
  getDurableExecutionState,
  startedAnswer,
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

/** The account that the executions are in. */
type Account = Readonly<{ region: string; accountId: string }>;

/** Durable executions as a part of the service: it is loaded when a request first needs it. */
export class DurablePart {
  readonly #account: Account;
  readonly #executions: DurableExecutions;

  constructor({ region, accountId, ...options }: DurableExecutionsOptions & Account) {
    this.#account = { region, accountId };
    this.#executions = new DurableExecutions(options);
  }

  /** Executions whose handler runs now, or soon. */
  get active(): number {
    return this.#executions.active;
  }

  /** Throws what the service answers to an invocation that a durable function does not take. */
  readonly check = checkDurableInvocation;

  /** Starts an execution, or finds the one of that name; a synchronous invocation waits for its end. */
  async invoke(
    version: FunctionVersion,
    { invocationType, durableExecutionName, tail }: InvocationRequest,
    { payload, ...invocation }: RuntimeInvocation,
  ): Promise<Answer> {
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
    if (isEvent) return startedAnswer(execution);
    await execution.ended;
    return endedAnswer(execution, tail);
  }

  /** Does what a request about an execution asks for; `authorize` throws where IAM refuses it. */
  answer(
    operation: DurableOperationName,
    { request, label, authorize }: { request: LambdaRequest; label: string; authorize: () => void },
  ): Answer {
    checkDurableExecutionArn(label);
    authorize();
    return HANDLERS[operation]({ executions: this.#executions, request, label });
  }

  /** The executions of a function, or of all, as a test may want to look at them. */
  started(functionName: string | undefined): StartedDurableExecution[] {
    return this.#executions.all
      .filter(({ start }) => functionName === undefined || start.functionName === functionName)
      .map(startedDurableExecution);
  }

  /** Forgets all executions; those that run are not invoked again. */
  forget(): void {
    this.#executions.forget();
  }

  close(): void {
    this.#executions.close();
  }
}
