/** A function's own error, as far as its response tells. */
export type FunctionError = Readonly<{
  type: string | undefined;
  message: string;
  /** Stack frames, the function's own first. */
  frames: readonly string[];
}>;

const FOREIGN_FRAME =
  /node:internal|\(node:|at node:|\/var\/runtime\/|\/var\/lang\/|[/\\]node_modules[/\\]|\/site-packages\//;
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/** Node repeats type and message before the frames; a frame begins with `at` there, with `File` in Python. */
function framesOf(trace: unknown): string[] {
  if (!Array.isArray(trace)) return [];
  const lines = trace.filter(isText).map((line) => line.trim());
  const frames = lines.filter((line) => /^(at |File )/.test(line));
  const own = frames.filter((frame) => !FOREIGN_FRAME.test(frame));
  return own.length > 0 ? own : frames;
}

/**
 * Reads a function error from the parsed response. A handler can throw anything,
 * so what has no errorType or errorMessage is shown as it came.
 */
export function readFunctionError(result: unknown): FunctionError {
  if (!isRecord(result)) {
    return { type: undefined, message: isText(result) ? result : JSON.stringify(result ?? null), frames: [] };
  }
  const type = isText(result['errorType']) ? result['errorType'] : undefined;
  const message = isText(result['errorMessage']) ? result['errorMessage'] : undefined;
  const frames = framesOf(result['trace'] ?? result['stackTrace']);
  return { type, message: message ?? (type === undefined ? JSON.stringify(result) : ''), frames };
}
