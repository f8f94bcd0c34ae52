/** An error of the runtime itself. Its name is the errorType that a caller sees. */
export class RuntimeError extends Error {
  constructor(name: string, message: string, cause?: Error) {
    super(message);
    this.name = name;
    if (name === 'Runtime.UserCodeSyntaxError' && cause?.stack !== undefined) this.stack = cause.stack;
  }
}

/** A promise of the handler was rejected, and nothing caught it. */
export class UnhandledPromiseRejection extends RuntimeError {
  readonly reason: unknown;
  readonly promise: unknown;

  constructor(reason: unknown, promise: unknown) {
    super('Runtime.UnhandledPromiseRejection', String(reason));
    this.reason = reason;
    this.promise = promise;
  }
}

/** The error payload for a thrown value, as JSON: `{errorType, errorMessage, trace}`. */
export function errorPayload(thrown: unknown): string {
  try {
    if (thrown instanceof Error) {
      return JSON.stringify({
        errorType: thrown.name,
        errorMessage: thrown.message,
        trace: thrown.stack?.split('\n') ?? [],
      });
    }
    return JSON.stringify({ errorType: typeof thrown, errorMessage: String(thrown), trace: [] });
  } catch {
    // A thrown object can have getters that throw, or be impossible to convert to a string.
    return JSON.stringify({
      errorType: 'handled',
      errorMessage:
        'callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack',
      trace: [],
    });
  }
}

/** The same error for the log: a tab, then JSON with every own property of the error. */
export function errorForLog(thrown: unknown): string {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const expand = (_key: string, value: unknown) =>
    value instanceof Error
      ? {
          errorType: value.name,
          errorMessage: value.message,
          ...('code' in value ? { code: value.code } : {}),
          ...value,
          ...(value.stack === undefined ? {} : { stack: value.stack.split('\n') }),
        }
      : value;
  try {
    return `\t${JSON.stringify(error, expand)}`;
  } catch {
    return `\t${errorPayload(error)}`;
  }
}

/** The error for a handler module that failed to load, as in the Node.js runtimes. */
export function loadError(thrown: unknown): unknown {
  if (thrown instanceof SyntaxError) {
    return new RuntimeError('Runtime.UserCodeSyntaxError', String(thrown), thrown);
  }
  // Only require() fails with this code. A missing import in an ES module keeps its own error, as on Lambda.
  if (thrown instanceof Error && 'code' in thrown && thrown.code === 'MODULE_NOT_FOUND') {
    return new RuntimeError('Runtime.ImportModuleError', String(thrown));
  }
  return thrown;
}
