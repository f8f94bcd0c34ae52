import type { DurableEvent } from './history.ts';
import type { DurableOperation } from './operation.ts';

/** What time has made of an operation; no event where the history says nothing of it. */
export type Fired = Readonly<{ operation: DurableOperation; event: DurableEvent | undefined }>;

/** When time alone moves the operation on, in milliseconds since 1970; infinity where it does not. */
export function dueAt(operation: DurableOperation): number {
  const { type, status } = operation;
  if (type === 'WAIT' && status === 'STARTED') return operation.endsAt;
  if (type === 'STEP' && status === 'PENDING') return operation.nextAttemptAt ?? Infinity;
  return Infinity;
}

/** True where something other than the handler has to move the operation on. */
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
    case 'CALLBACK':
    case 'CONTEXT':
    case 'EXECUTION':
      throw new Error(`Time does nothing to an operation of type ${operation.type}.`);
  }
}
