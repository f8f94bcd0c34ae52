import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { VersionStatus } from './deployed-version.ts';
import { memorySizeOf } from './execution-environment.ts';
import {
  durableConfig,
  type EventInvokeConfig,
  type FunctionVersion,
  LATEST,
  logGroupOf,
  logLevelsOf,
  splitHandler,
} from './function-definition.ts';
import { partitionOf } from './function-name.ts';
import { withReason } from './function-states.ts';

function readCode(modulePath: string): Buffer {
  try {
    return readFileSync(modulePath);
  } catch {
    // A sample without code. AWS would not deploy it, but here its configuration can still be read.
    return Buffer.alloc(0);
  }
}

/** A revision ID in the form of a UUID that changes only when the configuration changes. */
export function revisionOf(facts: readonly unknown[]): string {
  const hash = createHash('sha256').update(JSON.stringify(facts)).digest('hex');
  return [
    hash.slice(0, 8),
    hash.slice(8, 12),
    hash.slice(12, 16),
    hash.slice(16, 20),
    hash.slice(20, 32),
  ].join('-');
}

function codeOf({ definition }: FunctionVersion): Readonly<Record<string, unknown>> {
  const { modulePath, exportName } = splitHandler(definition.handler);
  const code = readCode(modulePath);
  return {
    Handler: `${path.parse(modulePath).name}.${exportName}`,
    CodeSize: code.length,
    CodeSha256: createHash('sha256').update(code).digest('base64'),
  };
}

function durableConfigOf({ definition: { durable } }: FunctionVersion): Readonly<Record<string, unknown>> {
  return durable === undefined ? {} : { DurableConfig: durableConfig(durable) };
}

function statusOf({ version, state, update }: VersionStatus): Readonly<Record<string, unknown>> {
  const { reason, reasonCode } = withReason(state);
  const optimised =
    version.definition.snapStart === true && version.version !== LATEST && state.state === 'Active';
  // A function that is being created has no update to report.
  const shown = update ?? (state.state === 'Pending' ? undefined : ({ status: 'Successful' } as const));
  return {
    State: state.state,
    StateReason: reason,
    StateReasonCode: reasonCode,
    LastUpdateStatus: shown?.status,
    LastUpdateStatusReason: update?.reason,
    LastUpdateStatusReasonCode: update?.reasonCode,
    ...durableConfigOf(version),
    SnapStart: {
      ApplyOn: version.definition.snapStart ? 'PublishedVersions' : 'None',
      OptimizationStatus: optimised ? 'On' : 'Off',
    },
  };
}

const capacityProvider = (region: string, accountId: string) => ({
  LambdaManagedInstancesCapacityProviderConfig: {
    CapacityProviderArn: `arn:${partitionOf(region)}:lambda:${region}:${accountId}:capacity-provider:local`,
  },
});

function loggingConfig(version: FunctionVersion): Readonly<Record<string, unknown>> {
  const levels = logLevelsOf(version);
  return {
    LogFormat: version.definition.logFormat ?? 'Text',
    ...(levels && { ApplicationLogLevel: levels.application, SystemLogLevel: levels.system }),
    LogGroup: logGroupOf(version),
  };
}

/** The response to GetFunctionEventInvokeConfig, with the requested ARN. */
export function eventInvokeConfiguration(options: {
  config: EventInvokeConfig;
  arn: string;
  deployedAt: number;
}): Readonly<Record<string, unknown>> {
  const { config, arn, deployedAt } = options;
  return {
    LastModified: deployedAt / 1000,
    FunctionArn: arn,
    MaximumRetryAttempts: config.maximumRetryAttempts,
    MaximumEventAgeInSeconds: config.maximumEventAgeSeconds,
    DestinationConfig: { OnSuccess: {}, OnFailure: {} },
  };
}

/** The response to GetFunctionConfiguration, with the requested ARN. */
export function functionConfiguration(options: {
  status: VersionStatus;
  arn: string;
  region: string;
  accountId: string;
}): Readonly<Record<string, unknown>> {
  const { status, arn, region, accountId } = options;
  const { version, state, update } = status;
  const { functionName, definition } = version;
  return {
    FunctionName: functionName,
    FunctionArn: arn,
    Runtime: 'nodejs24.x',
    Role: `arn:${partitionOf(region)}:iam::${accountId}:role/local-role`,
    ...codeOf(version),
    Description: '',
    Timeout: Math.ceil(definition.timeoutSeconds ?? 3),
    MemorySize: memorySizeOf(version),
    LastModified: new Date(version.deployedAt).toISOString().replace('Z', '+0000'),
    Version: version.version,
    ...(definition.environment && { Environment: { Variables: definition.environment } }),
    TracingConfig: { Mode: 'PassThrough' },
    RevisionId: revisionOf([functionName, version.version, version.deployment, state, update]),
    ...statusOf(status),
    PackageType: 'Zip',
    Architectures: [process.arch === 'arm64' ? 'arm64' : 'x86_64'],
    EphemeralStorage: { Size: 512 },
    LoggingConfig: loggingConfig(version),
    ...(definition.managedInstances && { CapacityProviderConfig: capacityProvider(region, accountId) }),
    ...(definition.tenantIsolation && { TenancyConfig: { TenantIsolationMode: 'PER_TENANT' } }),
  };
}
