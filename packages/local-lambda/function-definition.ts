import type { ProvisioningStep, RoutingStep, StateStep } from './function-states.ts';
import type { LogLevel } from './runtime-log.ts';

/** The settings of a durable function. */
export type DurableConfiguration = Readonly<{
  /** For a whole execution. Can be fractional, unlike on Lambda, to keep tests fast. */
  executionTimeoutSeconds: number;
  /** The real duration, in seconds, of one second of a wait or a retry delay. Default: 1. */
  timeScale?: number;
}>;

/** Reported by the API. This server does not delete executions after the retention period. */
export const durableConfig = ({ executionTimeoutSeconds }: DurableConfiguration) => ({
  ExecutionTimeout: executionTimeoutSeconds,
  RetentionPeriodInDays: 14,
});

/** How Lambda handles accepted events. */
export type EventInvokeConfig = Readonly<{
  /** From 0 to 2. Default: 2. */
  maximumRetryAttempts?: number;
  /** Default: 21,600 (6 hours). Can be less than Lambda's minimum of 60. */
  maximumEventAgeSeconds?: number;
}>;

export type SystemLogLevel = 'DEBUG' | 'INFO' | 'WARN';

/** An alias with settings beyond its version. */
export type AliasDefinition = Readonly<{
  version: string;
  description?: string;
  /** The weights over time, from the deployment on. Default: none. A poll is a GetAlias request. */
  routing?: readonly RoutingStep[];
}>;

/** The provisioned concurrency of an alias or a published version. */
export type ProvisionedConcurrency = Readonly<{
  requested: number;
  /** The states over time, from the deployment on. Default: READY. A poll is a GetProvisionedConcurrencyConfig request. */
  steps?: readonly ProvisioningStep[];
}>;

/** A shareable test event. */
export type TestEvent = Readonly<{
  value: unknown;
  /** Default: none, as in an event saved by an older tool. */
  invocationType?: string;
}>;

/** The definition of a function, as for its deployment. */
export type FunctionDefinition = Readonly<{
  /** The absolute path of an ES module or CommonJS file, a dot, and the export: '/abs/handlers/echo.mjs.handler'. */
  handler: string;
  environment?: Readonly<Record<string, string>>;
  /** Default: 3. Can be fractional, unlike on Lambda, to keep tests fast. */
  timeoutSeconds?: number;
  /** In MB. Default: 128. It is also the V8 heap limit of the process. */
  memorySize?: number;
  /** Published versions, as changes to the base definition. */
  versions?: Readonly<Record<string, Partial<Omit<FunctionDefinition, FunctionWide>>>>;
  /** Aliases by name: the version, or an object with more settings. */
  aliases?: Readonly<Record<string, string | AliasDefinition>>;
  /** By alias or version. */
  provisionedConcurrency?: Readonly<Record<string, ProvisionedConcurrency>>;
  /** Shareable test events by name. A string is the whole content of the schema for all events. */
  testEvents?: Readonly<Record<string, TestEvent>> | string;
  /** If true, every invocation needs a tenant ID, and an environment belongs to one tenant. */
  tenantIsolation?: boolean;
  /** The maximum concurrency. 0 throttles all invocations, but an Event is still accepted. */
  reservedConcurrency?: number;
  /** If set, invocations are durable executions, and the handler must use withDurableExecution. */
  durable?: DurableConfiguration;
  logFormat?: 'Text' | 'JSON';
  /** Default /aws/lambda/NAME. */
  logGroup?: string;
  /** The minimum level of platform records in a JSON log. Default: INFO. */
  systemLogLevel?: SystemLogLevel;
  /** The minimum level of console calls in a JSON log. Default: INFO. */
  applicationLogLevel?: LogLevel;
  /**
   * Runs on Lambda Managed Instances, where one environment handles several requests at a time: concurrent invocations
   * write to one stream. Needs the JSON format, as on AWS.
   */
  managedInstances?: boolean;
  /** The event invoke configuration by qualifier. An unqualified invocation uses $LATEST. */
  eventInvokeConfigs?: Readonly<Record<string, EventInvokeConfig>>;
  /** False if the execution role can't write logs: CloudWatch stays empty, but the log tail is complete. */
  mayWriteLogs?: boolean;
  /** The states over time, from the deployment on. Default: Active. Each version has its own. */
  states?: readonly StateStep[];
  /** Optimizes published versions with SnapStart: OptimizationStatus is On as soon as they are Active. */
  snapStart?: boolean;
  /** Respond with 400 to LogType=Tail, as for some functions on AWS. */
  tailLogsUnsupported?: boolean;
  /** Send this as JSON instead of the log text, as for some functions on AWS. */
  logDestination?: Readonly<{ logGroup: string; logStreamName: string }>;
}>;

type FunctionWide = 'versions' | 'aliases' | 'provisionedConcurrency' | 'testEvents';

/** A version of a function with everything that an execution environment needs. */
export type FunctionVersion = Readonly<{
  functionName: string;
  version: string;
  definition: FunctionDefinition;
  /** The number of the deployment. Environments of older deployments are not reused. */
  deployment: number;
  /** Milliseconds since 1970. */
  deployedAt: number;
}>;

export const LATEST = '$LATEST';

/** The definition of a version, with everything that it inherits from the function. */
export function versionDefinition(definition: FunctionDefinition, version: string): FunctionDefinition {
  if (version === LATEST) return definition;
  const { states: _ofLatest, ...inherited } = definition;
  return { ...inherited, ...definition.versions?.[version] };
}

/** The log group that a version writes to. */
export const logGroupOf = ({ functionName, definition }: FunctionVersion): string =>
  definition.logGroup ?? `/aws/lambda/${functionName}`;

/** The levels of a JSON log. The text format has none. */
export function logLevelsOf({
  definition,
}: FunctionVersion): Readonly<{ system: SystemLogLevel; application: LogLevel }> | undefined {
  if (definition.logFormat !== 'JSON') return undefined;
  return {
    system: definition.systemLogLevel ?? 'INFO',
    application: definition.applicationLogLevel ?? 'INFO',
  };
}

/** Splits a handler string into the module's path and the name of the export. */
export function splitHandler(handler: string): { modulePath: string; exportName: string } {
  const dot = handler.lastIndexOf('.');
  return { modulePath: handler.slice(0, dot), exportName: handler.slice(dot + 1) };
}
