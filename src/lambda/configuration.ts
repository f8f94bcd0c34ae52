import {
  type FunctionConfiguration,
  GetFunctionConfigurationCommand,
  GetFunctionEventInvokeConfigCommand,
} from '@aws-sdk/client-lambda';
import type { LambdaApi } from './api.ts';
import type { Invocation, InvokeFailure } from './invocation.ts';
import type { Bounds } from './timing.ts';

/** The parts of a function's or version's configuration that matter for an invocation. */
export type Configuration = Readonly<{
  kind: 'configuration';
  /** Pending, Active, Inactive or Failed, or a state that Lambda may add. */
  state: string;
  stateReason?: string;
  stateReasonCode?: string;
  /** Successful, InProgress or Failed. */
  lastUpdateStatus: string;
  lastUpdateReason?: string;
  lastUpdateReasonCode?: string;
  /** Whether this is a version with SnapStart whose snapshot is not ready. */
  awaitsSnapshot: boolean;
  isDurable: boolean;
  /** The log group of the function. */
  logGroup?: string;
  /** Whether Lambda does not write its own lines into the log, such as START and REPORT. */
  lacksPlatformLines: boolean;
  /** Whether one execution environment runs several requests at once, which then share a log stream. */
  sharesStreams: boolean;
}>;

function toConfiguration(output: FunctionConfiguration): Configuration {
  const { SnapStart: snapStart } = output;
  return {
    kind: 'configuration',
    // Functions that were created before states existed have none, and are ready.
    state: output.State ?? 'Active',
    ...(output.StateReason !== undefined && { stateReason: output.StateReason }),
    ...(output.StateReasonCode !== undefined && { stateReasonCode: output.StateReasonCode }),
    lastUpdateStatus: output.LastUpdateStatus ?? 'Successful',
    ...(output.LastUpdateStatusReason !== undefined && { lastUpdateReason: output.LastUpdateStatusReason }),
    ...(output.LastUpdateStatusReasonCode !== undefined && {
      lastUpdateReasonCode: output.LastUpdateStatusReasonCode,
    }),
    // Only published versions have a snapshot.
    awaitsSnapshot:
      snapStart?.ApplyOn === 'PublishedVersions' &&
      snapStart.OptimizationStatus !== 'On' &&
      output.Version !== '$LATEST',
    isDurable: output.DurableConfig !== undefined,
    ...(output.LoggingConfig?.LogGroup !== undefined && { logGroup: output.LoggingConfig.LogGroup }),
    lacksPlatformLines: output.LoggingConfig?.SystemLogLevel === 'WARN',
    sharesStreams: output.CapacityProviderConfig !== undefined,
  };
}

/** Reads the configuration of an invocation's function once. A failure says nothing about the invocation. */
export function readConfiguration(
  api: LambdaApi,
  { functionName, qualifier }: Pick<Invocation, 'functionName' | 'qualifier'>,
  bounds: Bounds,
): Promise<Configuration | InvokeFailure> {
  const command = new GetFunctionConfigurationCommand({
    FunctionName: functionName,
    ...(qualifier !== undefined && { Qualifier: qualifier }),
  });
  return api.send(command, { bounds, read: toConfiguration });
}

/** How Lambda treats failed events of a function or version. */
export type EventConfiguration = Readonly<{
  kind: 'event configuration';
  /** The number of tries after the first one. */
  mostRetries: number;
  longestAgeMs: number;
}>;

/** Lambda's defaults. Source: PutFunctionEventInvokeConfig of the Lambda API. */
export const DEFAULT_EVENT_CONFIGURATION: EventConfiguration = {
  kind: 'event configuration',
  mostRetries: 2,
  longestAgeMs: 6 * 3_600_000,
};

/** Reads once how Lambda treats an invocation's event. 404 means that nothing is configured. */
export async function readEventConfiguration(
  api: LambdaApi,
  { functionName, qualifier }: Pick<Invocation, 'functionName' | 'qualifier'>,
  bounds: Bounds,
): Promise<EventConfiguration | InvokeFailure> {
  const command = new GetFunctionEventInvokeConfigCommand({
    FunctionName: functionName,
    ...(qualifier !== undefined && { Qualifier: qualifier }),
  });
  const { mostRetries, longestAgeMs } = DEFAULT_EVENT_CONFIGURATION;
  const found = await api.send(command, {
    bounds,
    read: ({ MaximumRetryAttempts: retries, MaximumEventAgeInSeconds: seconds }): EventConfiguration => ({
      kind: 'event configuration',
      mostRetries: retries ?? mostRetries,
      longestAgeMs: seconds === undefined ? longestAgeMs : seconds * 1_000,
    }),
  });
  return found.kind === 'failure' && found.statusCode === 404 ? DEFAULT_EVENT_CONFIGURATION : found;
}
