import { format } from 'node:util';

/** The six levels of a Lambda runtime's console, from most to least detail. */
const LOG_LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** The origin of a log line. `requestId` is undefined during the init phase. */
export type LogContext = { requestId: string | undefined; tenantId: string | undefined };

type Line = Readonly<{ level: LogLevel; values: readonly unknown[]; context: LogContext }>;

function errorFields(error: Error): Record<string, unknown> {
  const stackTrace = typeof error.stack === 'string' ? error.stack.split('\n') : [];
  return { errorType: error.constructor.name, errorMessage: error.message, stackTrace };
}

function jsonLine({ level, values, context }: Line): string {
  const record: Record<string, unknown> = {
    timestamp: new Date().toISOString(),
    level,
    requestId: context.requestId,
  };
  if (context.tenantId !== undefined) record['tenantId'] = context.tenantId;
  const [message, ...rest] = values;
  const withErrors = (_key: string, value: unknown) =>
    value instanceof Error ? { ...errorFields(value), ...value } : value;
  if (rest.length === 0) {
    try {
      return `${JSON.stringify({ ...record, message }, withErrors)}\n`;
    } catch {
      return `${JSON.stringify({ ...record, message: format(message) })}\n`;
    }
  }
  const error = rest.find((value) => value instanceof Error);
  return `${JSON.stringify({ ...record, message: format(message, ...rest), ...(error && errorFields(error)) })}\n`;
}

function textLine({ level, values, context }: Line): string {
  return `${[new Date().toISOString(), context.requestId, level, format(...values)]
    .map((field) => String(field))
    .join('\t')}\n`;
}

/** Makes the console write as in Lambda: one line or JSON object per call, through the given writer. */
export function patchConsole(options: {
  json: boolean;
  /** The name of the minimum level. Default: all levels are written. */
  level: string | undefined;
  context: LogContext;
  write: (text: string) => void;
}): void {
  const { json, context, write } = options;
  const names: readonly string[] = LOG_LEVELS;
  const least = names.indexOf(options.level ?? 'TRACE');
  const logger =
    (level: LogLevel) =>
    (...values: unknown[]) => {
      if (LOG_LEVELS.indexOf(level) < least) return;
      write(json ? jsonLine({ level, values, context }) : textLine({ level, values, context }));
    };
  console.trace = logger('TRACE');
  console.debug = logger('DEBUG');
  console.info = logger('INFO');
  console.log = logger('INFO');
  console.warn = logger('WARN');
  console.error = logger('ERROR');
  // Lambda adds this method to the console.
  Object.assign(console, { fatal: logger('FATAL') });
}
