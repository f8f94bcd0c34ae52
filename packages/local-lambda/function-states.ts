import type { Lasting } from './script.ts';
import {
  codeArtifactUserPending,
  resourceConflict,
  type ServiceError,
  snapStartNotReady,
} from './service-errors.ts';

export type FunctionState = 'Pending' | 'Active' | 'Inactive' | 'Failed';

/** A state of a function or of a published version, for as long as it lasts. */
export type StateStep = Readonly<{
  state: FunctionState;
  /** Default: what AWS says of a function that is created, or idle. */
  reason?: string;
  reasonCode?: string;
  lasts?: Lasting;
}>;

/** Where an update of a function is. */
export type UpdateStep = Readonly<{
  status: 'InProgress' | 'Successful' | 'Failed';
  reason?: string;
  reasonCode?: string;
  lasts?: Lasting;
}>;

/** How an update goes: how long it is in progress, and why it fails in the end, if it does. */
export type UpdateCourse = Readonly<{
  lasts: Lasting;
  fails?: Readonly<{ reason: string; reasonCode: string }>;
}>;

/** The weights of an alias, for as long as they last. */
export type RoutingStep = Readonly<{
  /** The share of a second version, from 0 to 1; the version that the alias points to has the rest. */
  weights?: Readonly<Record<string, number>>;
  lasts?: Lasting;
}>;

/** Where the allocation of provisioned concurrency is. */
export type ProvisioningStep = Readonly<{
  status: ProvisioningStatus;
  /** Default: as many as were requested if READY, otherwise none. */
  available?: number;
  /** Default: as many as are available. */
  allocated?: number;
  /** Default: what AWS says of a function whose init phase fails, if FAILED. */
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

/** A step with the reason that AWS gives where it gives none itself. */
export const withReason = (step: StateStep): StateStep => ({ ...STATE_REASONS[step.state], ...step });

/** An update from its start to its end. */
export function updateSteps({ lasts, fails }: UpdateCourse): readonly [UpdateStep, UpdateStep] {
  return [
    { status: 'InProgress', ...BEING_CREATED, lasts },
    fails === undefined ? { status: 'Successful' } : { status: 'Failed', ...fails },
  ];
}

/** Why a function in this state can't be invoked, or undefined where it can. */
export function refusal(state: FunctionState, snapStart: boolean): ServiceError | undefined {
  if (state === 'Active') return undefined;
  if (state === 'Inactive') return snapStart ? snapStartNotReady() : codeArtifactUserPending();
  return resourceConflict(
    `The operation cannot be performed at this time. The function is currently in the following state: ${state}`,
  );
}
