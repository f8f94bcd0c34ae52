import type { Lasting } from './script.ts';
import {
  codeArtifactUserPending,
  resourceConflict,
  type ServiceError,
  snapStartNotReady,
} from './service-errors.ts';

export type FunctionState = 'Pending' | 'Active' | 'Inactive' | 'Failed';

/** A state of a function or a published version, and how long it lasts. */
export type StateStep = Readonly<{
  state: FunctionState;
  /** Default: AWS's reason for a function that is being created or is idle. */
  reason?: string;
  reasonCode?: string;
  lasts?: Lasting;
}>;

/** The status of a function update. */
export type UpdateStep = Readonly<{
  status: 'InProgress' | 'Successful' | 'Failed';
  reason?: string;
  reasonCode?: string;
  lasts?: Lasting;
}>;

/** How an update goes: how long it is in progress, and the reason if it fails. */
export type UpdateCourse = Readonly<{
  lasts: Lasting;
  fails?: Readonly<{ reason: string; reasonCode: string }>;
}>;

/** The weights of an alias, and how long they last. */
export type RoutingStep = Readonly<{
  /** The share of a second version, from 0 to 1. The alias's main version gets the rest. */
  weights?: Readonly<Record<string, number>>;
  lasts?: Lasting;
}>;

/** The status of the provisioned concurrency allocation. */
export type ProvisioningStep = Readonly<{
  status: ProvisioningStatus;
  /** Default: the requested number if READY, otherwise 0. */
  available?: number;
  /** Default: the available number. */
  allocated?: number;
  /** Default: if FAILED, AWS's reason for a function whose init phase fails. */
  reason?: string;
  lasts?: Lasting;
}>;

export type ProvisioningStatus = 'IN_PROGRESS' | 'READY' | 'FAILED';

export const ACTIVE: StateStep = { state: 'Active' };

const BEING_CREATED = { reason: 'The function is being created.', reasonCode: 'Creating' } as const;

const STATE_REASONS: Readonly<Record<FunctionState, Readonly<{ reason?: string; reasonCode?: string }>>> = {
  Pending: BEING_CREATED,
  Active: {},
  Inactive: { reason: 'The function is idle.', reasonCode: 'Idle' },
  Failed: {},
};

/** Adds AWS's reason to a step that has none. */
export const withReason = (step: StateStep): StateStep => ({ ...STATE_REASONS[step.state], ...step });

/** The steps of an update. */
export function updateSteps({ lasts, fails }: UpdateCourse): readonly [UpdateStep, UpdateStep] {
  return [
    { status: 'InProgress', ...BEING_CREATED, lasts },
    fails === undefined ? { status: 'Successful' } : { status: 'Failed', ...fails },
  ];
}

/** Why a function in this state can't be invoked. Undefined if it can. */
export function refusal(state: FunctionState, snapStart: boolean): ServiceError | undefined {
  if (state === 'Active') return undefined;
  if (state === 'Inactive') return snapStart ? snapStartNotReady() : codeArtifactUserPending();
  return resourceConflict(
    `The operation cannot be performed at this time. The function is currently in the following state: ${state}`,
  );
}
