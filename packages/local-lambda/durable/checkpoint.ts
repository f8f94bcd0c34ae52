import { randomBytes } from 'node:crypto';
import type { ErrorObject, EventType, ExecutionStatus, OperationStatus } from '@aws-sdk/client-lambda';
import { fieldOf, numberOf, textOf } from '../json-fields.ts';
import { OPERATION_PAYLOAD_BYTES } from '../limits.ts';
import { invalidParameterValue } from '../service-errors.ts';
import { readError } from './error.ts';
import type { DurableEvent, EventData } from './history.ts';
import { type DurableOperation, inSeconds } from './operation.ts';

const TYPES = ['CALLBACK', 'CONTEXT', 'EXECUTION', 'STEP', 'WAIT'] as const;
const ACTIONS = ['START', 'SUCCEED', 'FAIL', 'RETRY'] as const;

/** A change that a handler's SDK requests. */
export type OperationUpdate = Readonly<{
  id: string;
  parentId: string | undefined;
  name: string | undefined;
  type: (typeof TYPES)[number];
  subType: string | undefined;
  action: (typeof ACTIONS)[number];
  payload: string | undefined;
  error: ErrorObject | undefined;
  nextAttemptDelaySeconds: number | undefined;
  waitSeconds: number | undefined;
  replayChildren: boolean;
}>;

/** How an execution ended. */
export type Ending = Readonly<{
  status: Exclude<ExecutionStatus, 'RUNNING'>;
  result?: string | undefined;
  error?: ErrorObject | undefined;
}>;

type Transition = Readonly<{ from: readonly (OperationStatus | 'none')[]; event: EventType }>;
type Transitions = Readonly<Partial<Record<OperationUpdate['action'], Transition>>>;

// The SDK can close an operation that it never started.
const OPEN = ['none', 'STARTED', 'READY'] as const;

/** The actions that an operation allows in each of its states. */
const TRANSITIONS: Readonly<Record<Exclude<OperationUpdate['type'], 'EXECUTION'>, Transitions>> = {
  CALLBACK: { START: { from: ['none'], event: 'CallbackStarted' } },
  CONTEXT: {
    START: { from: ['none'], event: 'ContextStarted' },
    SUCCEED: { from: OPEN, event: 'ContextSucceeded' },
    FAIL: { from: OPEN, event: 'ContextFailed' },
  },
  STEP: {
    START: { from: ['none', 'READY'], event: 'StepStarted' },
    SUCCEED: { from: OPEN, event: 'StepSucceeded' },
    FAIL: { from: OPEN, event: 'StepFailed' },
    RETRY: { from: OPEN, event: 'StepFailed' },
  },
  WAIT: { START: { from: ['none'], event: 'WaitStarted' } },
};

function readUpdate(value: unknown): OperationUpdate {
  const id = textOf(value, 'Id');
  const type = TYPES.find((candidate) => candidate === fieldOf(value, 'Type'));
  const action = ACTIONS.find((candidate) => candidate === fieldOf(value, 'Action'));
  if (id === undefined) throw invalidParameterValue('Operation update must have an Id.');
  if (type === undefined) throw invalidParameterValue('Unknown operation type.');
  if (action === undefined) throw invalidParameterValue('Invalid action for the given operation type.');
  return {
    id,
    parentId: textOf(value, 'ParentId'),
    name: textOf(value, 'Name'),
    type,
    subType: textOf(value, 'SubType'),
    action,
    payload: textOf(value, 'Payload'),
    error: readError(fieldOf(value, 'Error')),
    nextAttemptDelaySeconds: numberOf(fieldOf(value, 'StepOptions'), 'NextAttemptDelaySeconds'),
    waitSeconds: numberOf(fieldOf(value, 'WaitOptions'), 'WaitSeconds'),
    replayChildren: fieldOf(fieldOf(value, 'ContextOptions'), 'ReplayChildren') === true,
  };
}

/** Reads the updates of a checkpoint. Throws the ServiceError that the service would return. */
export function readUpdates(value: unknown): readonly OperationUpdate[] {
  return Array.isArray(value) ? value.map(readUpdate) : [];
}

/** A checkpoint being applied. Its changes are kept apart, so that a rejected checkpoint changes nothing. */
export class Checkpoint {
  readonly operations: Map<string, DurableOperation>;
  readonly events: DurableEvent[] = [];
  readonly changed = new Set<string>();
  ending: Ending | undefined;
  readonly #now: number;
  readonly #secondMs: number;

  constructor(options: {
    operations: ReadonlyMap<string, DurableOperation>;
    now: number;
    /** The real duration of one second of a wait or a retry delay. */
    secondMs: number;
  }) {
    this.operations = new Map(options.operations);
    this.#now = options.now;
    this.#secondMs = options.secondMs;
  }

  apply(update: OperationUpdate): void {
    const { id, type, action, parentId, payload = '' } = update;
    if (this.ending !== undefined) {
      throw invalidParameterValue('EXECUTION checkpoint must be the last update.');
    }
    if (type === 'EXECUTION') {
      this.ending = this.#endingOf(update);
      return;
    }
    if (Buffer.byteLength(payload) > OPERATION_PAYLOAD_BYTES) {
      throw invalidParameterValue(
        `${type} payload size must be less than or equal to ${OPERATION_PAYLOAD_BYTES} bytes.`,
      );
    }
    if (parentId !== undefined && this.operations.get(parentId)?.type !== 'CONTEXT') {
      throw invalidParameterValue('Invalid parent operation id.');
    }
    const existing = this.operations.get(id);
    if (existing !== undefined && existing.type !== type) {
      throw invalidParameterValue('Inconsistent operation type.');
    }
    const transition = TRANSITIONS[type][action];
    if (transition === undefined) {
      throw invalidParameterValue('Invalid action for the given operation type.');
    }
    if (!transition.from.includes(existing?.status ?? 'none')) {
      throw invalidParameterValue(`Invalid current ${type} state to ${action.toLowerCase()}.`);
    }
    const before = existing ?? this.#create(update, type);
    if (action === 'START') this.#start(before, transition.event);
    else this.#close(before, update, transition.event);
  }

  #endingOf({ action, payload, error }: OperationUpdate): Ending {
    if (action === 'SUCCEED') return { status: 'SUCCEEDED', result: payload };
    if (action === 'FAIL') return { status: 'FAILED', error };
    throw invalidParameterValue('Invalid EXECUTION action.');
  }

  #create(update: OperationUpdate, type: keyof typeof TRANSITIONS): DurableOperation {
    const { id, parentId, name, subType, waitSeconds } = update;
    const common = {
      id,
      parentId,
      name,
      subType,
      status: 'STARTED',
      startedAt: this.#now,
      endedAt: undefined,
    } as const;
    const outcome = { result: undefined, error: undefined };
    switch (type) {
      case 'CONTEXT':
        return { ...common, ...outcome, type, replayChildren: false };
      case 'STEP':
        return { ...common, ...outcome, type, attempt: 0, nextAttemptAt: undefined };
      case 'WAIT': {
        if (waitSeconds === undefined) {
          throw invalidParameterValue('Update for WAIT operation requires WaitOptions.');
        }
        return { ...common, type, seconds: waitSeconds, endsAt: this.#after(waitSeconds) };
      }
      case 'CALLBACK':
        return {
          ...common,
          ...outcome,
          type,
          callbackId: randomBytes(48).toString('base64'),
        };
    }
  }

  #start(before: DurableOperation, event: EventType): void {
    const operation = { ...before, status: 'STARTED' } as const;
    this.#set(operation);
    this.events.push({ type: event, operation, details: startDetailsOf(operation) });
  }

  #close(before: DurableOperation, update: OperationUpdate, event: EventType): void {
    const { action, payload: result, error, nextAttemptDelaySeconds } = update;
    const data: EventData =
      error === undefined ? { member: 'Result', payload: result } : { member: 'Error', payload: error };
    const ended = {
      status: action === 'SUCCEED' ? 'SUCCEEDED' : 'FAILED',
      endedAt: this.#now,
      result,
      error,
    } as const;
    if (before.type === 'CONTEXT') {
      const operation = { ...before, ...ended, replayChildren: update.replayChildren };
      this.#set(operation);
      this.events.push({ type: event, operation, data });
    }
    if (before.type !== 'STEP') return;
    if ((action === 'RETRY') !== (nextAttemptDelaySeconds !== undefined)) {
      throw invalidParameterValue('Invalid StepOptions for the given action.');
    }
    const attempt = before.attempt + 1;
    const operation: DurableOperation =
      nextAttemptDelaySeconds === undefined
        ? { ...before, ...ended, attempt }
        : {
            ...before,
            status: 'PENDING',
            result,
            error,
            attempt,
            nextAttemptAt: this.#after(nextAttemptDelaySeconds),
          };
    this.#set(operation);
    this.events.push({
      // A condition that is not yet met retries without an error.
      type: action === 'RETRY' && error === undefined ? 'StepSucceeded' : event,
      operation,
      details: {
        RetryDetails: { CurrentAttempt: attempt, NextAttemptDelaySeconds: nextAttemptDelaySeconds },
      },
      data,
    });
  }

  #set(operation: DurableOperation): void {
    this.operations.set(operation.id, operation);
    this.changed.add(operation.id);
  }

  #after(seconds: number): number {
    return this.#now + seconds * this.#secondMs;
  }
}

function startDetailsOf(operation: DurableOperation): Readonly<Record<string, unknown>> {
  if (operation.type === 'WAIT') {
    return { Duration: operation.seconds, ScheduledEndTimestamp: inSeconds(operation.endsAt) };
  }
  if (operation.type === 'CALLBACK') {
    return { CallbackId: operation.callbackId };
  }
  return {};
}
