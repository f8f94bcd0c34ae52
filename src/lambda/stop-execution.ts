import { GetDurableExecutionCommand, StopDurableExecutionCommand } from '@aws-sdk/client-lambda';
import type { LambdaApi } from './api.ts';
import type { ExecutionStop, Invocation, InvokeFailure } from './invocation.ts';
import { type Bounds, boundsFor, type StopCause, type Timing } from './timing.ts';

/** An execution that could not be stopped: the permission that is needed, and the error. */
export type Unstopped = Readonly<{
  invocation: Invocation;
  arn: string;
  action: 'lambda:GetDurableExecution' | 'lambda:StopDurableExecution';
  failure: InvokeFailure;
}>;

/** What is needed to stop executions that are no longer followed. */
export type Stopping = Readonly<{
  /** The address of the workflow run, for the execution's history. */
  run: string;
  onNotStopped: (unstopped: Unstopped) => void;
}>;

/** What is needed to stop one execution. */
export type StopRequest = Stopping &
  Readonly<{
    api: LambdaApi;
    timing: Timing;
    cause: Exclude<StopCause, 'connect'>;
    arn: string;
    invocation: Invocation;
    /** When its first attempt began, in milliseconds since 1970. */
    beganAt: number;
  }>;

// A runner kills a cancelled step after 10 s, and the reports have to be written before that.
const LONGEST_STOP_MS = 3_000;

// Lambda may report the start in whole seconds.
const PRECISION_MS = 1_000;

const REASONS = {
  cancelled: 'The workflow run was cancelled',
  deadline: 'timeout_seconds was over in the workflow run',
} as const;

type FoundExecution = Readonly<{ kind: 'found'; status: string; startedAt: number }>;

function find({ api, arn }: StopRequest, bounds: Bounds): Promise<FoundExecution | InvokeFailure> {
  const command = new GetDurableExecutionCommand({ DurableExecutionArn: arn, IncludeExecutionData: false });
  return api.send(command, {
    bounds,
    read: ({ Status: status = '', StartTimestamp: start }): FoundExecution => ({
      kind: 'found',
      status,
      startedAt: start?.getTime() ?? Number.NaN,
    }),
  });
}

/**
 * Whether this step started an execution. Lambda's response is the same if the step joined an execution of that name,
 * so the times are compared, which is only as exact as the runner's clock. An execution without a name can't be joined.
 */
function wasStartedHere({ startedAt }: FoundExecution, { api, beganAt }: StopRequest): boolean {
  return startedAt >= beganAt + api.clockOffsetMs - PRECISION_MS;
}

/** Stops an execution that this step started, within 3 s. Never throws. */
export async function stopExecution(request: StopRequest): Promise<ExecutionStop> {
  const { api, arn, invocation, cause, run, timing, onNotStopped } = request;
  const { bounds, release } = boundsFor(LONGEST_STOP_MS, { cancel: new AbortController().signal, timing });
  const refused = (action: Unstopped['action'], failure: InvokeFailure): ExecutionStop => {
    onNotStopped({ invocation, arn, action, failure });
    return 'failed';
  };
  try {
    if (invocation.durableExecutionName !== undefined) {
      const found = await find(request, bounds);
      if (found.kind === 'failure') return refused('lambda:GetDurableExecution', found);
      if (found.status !== 'RUNNING') return 'ended before';
      if (!wasStartedHere(found, request)) return 'joined';
    }
    const command = new StopDurableExecutionCommand({
      DurableExecutionArn: arn,
      Error: { ErrorType: 'StoppedByWorkflow', ErrorMessage: `${REASONS[cause]}: ${run}` },
    });
    const stopped = await api.send(command, { bounds, read: () => ({ kind: 'stopped' }) as const });
    return stopped.kind === 'failure' ? refused('lambda:StopDurableExecution', stopped) : 'stopped';
  } finally {
    release();
  }
}
