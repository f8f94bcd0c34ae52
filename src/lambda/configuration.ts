import { GetFunctionConfigurationCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { type Bounds, perform } from './api.ts';
import type { Invocation, InvokeFailure } from './invocation.ts';

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
}>;

/** Asks once for the configuration of what an invocation names. A Failure here says nothing of the invocation. */
export function readConfiguration(
  client: LambdaClient,
  { functionName, qualifier }: Pick<Invocation, 'functionName' | 'qualifier'>,
  bounds: Bounds,
): Promise<Configuration | InvokeFailure> {
  return perform(bounds, async () => {
    const output = await client.send(
      new GetFunctionConfigurationCommand({
        FunctionName: functionName,
        ...(qualifier !== undefined && { Qualifier: qualifier }),
      }),
    );
    const snapStart = output.SnapStart;
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
      // There is a snapshot of published versions alone.
      awaitsSnapshot:
        snapStart?.ApplyOn === 'PublishedVersions' &&
        snapStart.OptimizationStatus !== 'On' &&
        output.Version !== '$LATEST',
      isDurable: output.DurableConfig !== undefined,
    } as const;
  });
}
