import type { DurableEvent } from './history.ts';
import type { DurableOperation } from './operation.ts';

/** The effect of a timer on an operation. No event if the history does not record it. */
export type Fired = Readonly<{ operation: DurableOperation; event: DurableEvent | undefined }>;

/** When the operation's timer is due, in milliseconds since 1970. Infinity if it has none. */
export function dueAt(operation: DurableOperation): number {
  const { type, status } = operation;
  if (type === 'WAIT' && status === 'STARTED') return operation.endsAt;
  if (type === 'STEP' && status === 'PENDING') return operation.nextAttemptAt ?? Infinity;
  return Infinity;
}

/** True if the operation waits for something other than the handler. */
export function isPending({ type, status }: DurableOperation): boolean {
  return type === 'STEP' ? status === 'PENDING' : ['WAIT', 'CALLBACK'].includes(type) && status === 'STARTED';
}

/** Applies the timer of an operation that is due. */
export function fire(operation: DurableOperation, now: number): Fired {
  switch (operation.type) {
    case 'WAIT': {
      const ended = { ...operation, status: 'SUCCEEDED', endedAt: now } as const;
      const details = { Duration: operation.seconds };
      return { operation: ended, event: { type: 'WaitSucceeded', operation: ended, details } };
    }
    case 'STEP':
      return { operation: { ...operation, status: 'READY', nextAttemptAt: undefined }, event: undefined };
    case 'CALLBACK':
    case 'CONTEXT':
    case 'EXECUTION':
      throw new Error(`There is no timer for an operation of type ${operation.type}.`);
  }
}
