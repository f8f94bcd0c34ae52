import { type FunctionConfiguration, GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import type { LambdaApi } from './api.ts';
import type { Invocation, InvokeFailure } from './invocation.ts';
import type { Bounds } from './timing.ts';

/** What Lambda says of a function or version, as far as an invocation has to do with it. */
export type Configuration = Readonly<{
  kind: 'configuration';
  /** Pending, Active, Inactive or Failed, and whatever Lambda may add. */
  state: string;
  stateReason?: string;
  stateReasonCode?: string;
  /** Successful, InProgress or Failed. */
  lastUpdateStatus: string;
  lastUpdateReason?: string;
  lastUpdateReasonCode?: string;
  /** A version with SnapStart whose snapshot is not there yet. */
  awaitsSnapshot: boolean;
  isDurable: boolean;
  /** Where the function logs. */
  logGroup?: string;
  /** Whether Lambda does not write its own lines into the log, such as START and REPORT. */
  lacksPlatformLines: boolean;
  /** Whether several requests run in one execution environment at once, and so write into one log stream. */
  sharesStreams: boolean;
}>;

function toConfiguration(output: FunctionConfiguration): Configuration {
  const { SnapStart: snapStart } = output;
  return {
    kind: 'configuration',
    // Functions from before there were states have none, and are ready.
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

/** Reads the configuration of an invocation's function once. A failure here says nothing of the invocation. */
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
