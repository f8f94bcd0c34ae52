import type { ProvisioningStep, RoutingStep, StateStep } from './function-states.ts';
import type { LogLevel } from './runtime-log.ts';

/** What makes a function durable. */
export type DurableConfiguration = Readonly<{
  /** Of a whole execution; may be fractional, which Lambda does not allow but tests like. */
  executionTimeoutSeconds: number;
  /** How many seconds a second of a wait or of a retry's delay takes; default 1. */
  timeScale?: number;
}>;

/** The configuration as the API says it. Nothing is deleted here when the retention is over. */
export const durableConfig = ({ executionTimeoutSeconds }: DurableConfiguration) => ({
  ExecutionTimeout: executionTimeoutSeconds,
  RetentionPeriodInDays: 14,
});

/** How Lambda treats accepted events. */
export type EventInvokeConfig = Readonly<{
  /** 0 to 2; default 2. */
  maximumRetryAttempts?: number;
  /** Default 21,600: 6 hours. May be less than the 60 that Lambda wants. */
  maximumEventAgeSeconds?: number;
}>;

export type SystemLogLevel = 'DEBUG' | 'INFO' | 'WARN';

/** An alias with more than the version that it points to. */
export type AliasDefinition = Readonly<{
  version: string;
  description?: string;
  /** The weights, step by step from its deployment on; default none. A poll is a request of GetAlias. */
  routing?: readonly RoutingStep[];
}>;

/** Provisioned concurrency of an alias or of a published version. */
export type ProvisionedConcurrency = Readonly<{
  requested: number;
  /** Step by step from its deployment on; default READY. A poll is a GetProvisionedConcurrencyConfig request. */
  steps?: readonly ProvisioningStep[];
}>;

/** A shareable test event. */
export type TestEvent = Readonly<{
  value: unknown;
  /** Default: none, as in an event that an older tool saved. */
  invocationType?: string;
}>;

/** What a function is, as its deployment would say it. */
export type FunctionDefinition = Readonly<{
  /** Absolute path of an ES module or CommonJS file, a dot, and the export: '/abs/handlers/echo.mjs.handler'. */
  handler: string;
  environment?: Readonly<Record<string, string>>;
  /** Default 3; may be fractional, which Lambda does not allow but tests like. */
  timeoutSeconds?: number;
  /** In MB; default 128. Becomes the V8 heap limit of the process. */
  memorySize?: number;
  /** Published versions: what they change from the base. */
  versions?: Readonly<Record<string, Partial<Omit<FunctionDefinition, FunctionWide>>>>;
  /** Alias to version, or to more. */
  aliases?: Readonly<Record<string, string | AliasDefinition>>;
  /** By alias or version. */
  provisionedConcurrency?: Readonly<Record<string, ProvisionedConcurrency>>;
  /** Shareable test events by name; a string is the whole content of the schema that holds them. */
  testEvents?: Readonly<Record<string, TestEvent>> | string;
  /** Every invocation needs a tenant id, and an environment belongs to one tenant. */
  tenantIsolation?: boolean;
  /** Invocations at the same time; 0 throttles all of them, but an Event is still accepted. */
  reservedConcurrency?: number;
  /** Its invocations are durable executions; the handler comes from withDurableExecution. */
  durable?: DurableConfiguration;
  logFormat?: 'Text' | 'JSON';
  /** Default /aws/lambda/NAME. */
  logGroup?: string;
  /** Which lines of the platform a log in JSON has; default INFO. */
  systemLogLevel?: SystemLogLevel;
  /** Which calls of console a log in JSON has; default INFO. */
  applicationLogLevel?: LogLevel;
  /**
   * Runs on Lambda Managed Instances, where one environment has several requests at a time: all that runs at once writes
   * one stream. Needs the JSON format, as there.
   */
  managedInstances?: boolean;
  /** What becomes of events that fail, by qualifier; that of an unqualified invocation is $LATEST. */
  eventInvokeConfigs?: Readonly<Record<string, EventInvokeConfig>>;
  /** False where the execution role may not write logs: CloudWatch has nothing, the log tail has everything. */
  mayWriteLogs?: boolean;
  /** The states to go through from its deployment on; default Active. A version has its own. */
  states?: readonly StateStep[];
  /** Published versions are optimised: OptimizationStatus is On as soon as they are Active. */
  snapStart?: boolean;
  /** Answer 400 to LogType=Tail, as some functions do. */
  tailLogsUnsupported?: boolean;
  /** Send this, as JSON, in place of the log text, as some functions do. */
  logDestination?: Readonly<{ logGroup: string; logStreamName: string }>;
}>;

type FunctionWide = 'versions' | 'aliases' | 'provisionedConcurrency' | 'testEvents';

/** One version of a function with everything an execution environment needs. */
export type FunctionVersion = Readonly<{
  functionName: string;
  version: string;
  definition: FunctionDefinition;
  /** Counts deployments: environments of an older one are not used again. */
  deployment: number;
  /** Milliseconds since 1970. */
  deployedAt: number;
}>;

export const LATEST = '$LATEST';

/** What a version is, with all that it takes over from the function. */
export function versionDefinition(definition: FunctionDefinition, version: string): FunctionDefinition {
  if (version === LATEST) return definition;
  const { states: _ofLatest, ...inherited } = definition;
  return { ...inherited, ...definition.versions?.[version] };
}

/** The log group that a version writes to. */
export const logGroupOf = ({ functionName, definition }: FunctionVersion): string =>
  definition.logGroup ?? `/aws/lambda/${functionName}`;

/** The levels of a log in JSON; the text format has none. */
export function logLevelsOf({
  definition,
}: FunctionVersion): Readonly<{ system: SystemLogLevel; application: LogLevel }> | undefined {
  if (definition.logFormat !== 'JSON') return undefined;
  return {
    system: definition.systemLogLevel ?? 'INFO',
    application: definition.applicationLogLevel ?? 'INFO',
  };
}

/** The module's path and the export's name of a handler. */
export function splitHandler(handler: string): { modulePath: string; exportName: string } {
  const dot = handler.lastIndexOf('.');
  return { modulePath: handler.slice(0, dot), exportName: handler.slice(dot + 1) };
}
