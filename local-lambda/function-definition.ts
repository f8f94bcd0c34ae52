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
  versions?: Readonly<Record<string, Partial<Omit<FunctionDefinition, 'versions' | 'aliases'>>>>;
  /** Alias to version. */
  aliases?: Readonly<Record<string, string>>;
  /** Every invocation needs a tenant id, and an environment belongs to one tenant. */
  tenantIsolation?: boolean;
  /** Invocations at the same time; 0 throttles all of them, but an Event is still accepted. */
  reservedConcurrency?: number;
  logFormat?: 'Text' | 'JSON';
  /** Answer 400 to LogType=Tail, as some functions do. */
  tailLogsUnsupported?: boolean;
  /** Send this, as JSON, in place of the log text, as some functions do. */
  logDestination?: Readonly<{ logGroup: string; logStreamName: string }>;
}>;

/** One version of a function with everything an execution environment needs. */
export type FunctionVersion = Readonly<{
  functionName: string;
  version: string;
  definition: FunctionDefinition;
  /** Counts deployments: environments of an older one are not used again. */
  deployment: number;
}>;

export const LATEST = '$LATEST';

/** Finds the version that a qualifier means, or undefined where there is none. */
export function findVersion(options: {
  functionName: string;
  definition: FunctionDefinition;
  deployment: number;
  qualifier: string | undefined;
}): FunctionVersion | undefined {
  const { functionName, definition, deployment, qualifier = LATEST } = options;
  if (qualifier === LATEST) return { functionName, version: LATEST, definition, deployment };
  const version = definition.aliases?.[qualifier] ?? qualifier;
  if (version === LATEST) return { functionName, version, definition, deployment };
  const overrides = definition.versions?.[version];
  if (overrides === undefined) return undefined;
  return { functionName, version, definition: { ...definition, ...overrides }, deployment };
}

/** The module's path and the export's name of a handler. */
export function splitHandler(handler: string): { modulePath: string; exportName: string } {
  const dot = handler.lastIndexOf('.');
  return { modulePath: handler.slice(0, dot), exportName: handler.slice(dot + 1) };
}
