import type { DurableEvent } from './durable-history.ts';
import type { DurableOperation } from './durable-operation.ts';

type Callback = Extract<DurableOperation, { type: 'CALLBACK' }>;

/** What time has made of an operation; no event where the history says nothing of it. */
export type Fired = Readonly<{ operation: DurableOperation; event: DurableEvent | undefined }>;

const callbackDueAt = ({ timeoutAt = Infinity, heartbeatAt = Infinity }: Callback): number =>
  Math.min(timeoutAt, heartbeatAt);

/** When time alone moves the operation on, in milliseconds since 1970; infinity where it does not. */
export function dueAt(operation: DurableOperation): number {
  const { type, status } = operation;
  if (type === 'WAIT' && status === 'STARTED') return operation.endsAt;
  if (type === 'STEP' && status === 'PENDING') return operation.nextAttemptAt ?? Infinity;
  return type === 'CALLBACK' && status === 'STARTED' ? callbackDueAt(operation) : Infinity;
}

/** True where something other than the handler has to move the operation on: time, or a callback. */
export function isPending({ type, status }: DurableOperation): boolean {
  return type === 'STEP' ? status === 'PENDING' : ['WAIT', 'CALLBACK'].includes(type) && status === 'STARTED';
}

/** Moves an operation on whose time has come. */
export function fire(operation: DurableOperation, now: number): Fired {
  switch (operation.type) {
    case 'WAIT': {
      const ended = { ...operation, status: 'SUCCEEDED', endedAt: now } as const;
      const details = { Duration: operation.seconds };
      return { operation: ended, event: { type: 'WaitSucceeded', operation: ended, details } };
    }
    case 'STEP':
      return { operation: { ...operation, status: 'READY', nextAttemptAt: undefined }, event: undefined };
    case 'CALLBACK': {
      const error =
        operation.heartbeatAt === callbackDueAt(operation)
          ? { ErrorType: 'Callback.Heartbeat', ErrorMessage: 'Callback timed out on heartbeat' }
          : { ErrorType: 'Callback.Timeout', ErrorMessage: 'Callback timed out' };
      const ended = { ...operation, status: 'TIMED_OUT', endedAt: now, error } as const;
      const data = { member: 'Error', payload: error } as const;
      return { operation: ended, event: { type: 'CallbackTimedOut', operation: ended, data } };
    }
    case 'CONTEXT':
    case 'EXECUTION':
      throw new Error(`Time does nothing to an operation of type ${operation.type}.`);
  }
}
