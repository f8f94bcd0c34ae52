import { memorySizeOf } from './execution-environment.ts';
import type { FunctionVersion } from './function-definition.ts';

/** What GetFunctionConfiguration says of a version; the ARN is the one that was asked for. */
export function functionConfiguration(
  version: FunctionVersion,
  arn: string,
): Readonly<Record<string, unknown>> {
  return {
    FunctionName: version.functionName,
    FunctionArn: arn,
    Version: version.version,
    Timeout: version.definition.timeoutSeconds ?? 3,
    MemorySize: memorySizeOf(version),
    State: 'Active',
    LastUpdateStatus: 'Successful',
  };
}
